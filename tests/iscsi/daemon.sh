# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Shell tests source this file, which defines start_daemon ARGS... and stop_daemon. TCMU_RUNNER and
# TCMU_RUNNER_HANDLERS name the daemon and the folder of its handlers.

work=$(mktemp -d)
daemon_pid=
at_exit() {
	[ -z "$daemon_pid" ] || kill -KILL "$daemon_pid" 2>/dev/null || true
	if declare -F cleanup >/dev/null; then cleanup; fi
	rm -rf "$work"
}
trap at_exit EXIT

skip() {
	echo "SKIP: $*"
	exit 77
}

fail() {
	echo "FAILED: $*" >&2
	[ ! -s "$work/daemon.log" ] || tail -n 30 "$work/daemon.log" >&2
	exit 1
}

free_port() {
	python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

start_daemon() {
	port=$(free_port)
	"${TCMU_RUNNER:?}" --handler-path "${TCMU_RUNNER_HANDLERS:?}" --portal "127.0.0.1:$port" \
		--state-dir "$work/state" "$@" \
		>"$work/daemon.log" 2>&1 &
	daemon_pid=$!
	for _ in {1..200}; do
		! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || return 0
		kill -0 $daemon_pid 2>/dev/null || fail "the daemon ended"
		sleep 0.05
	done
	fail "the daemon does not listen"
}

stop_daemon() {
	kill -TERM "$daemon_pid"
	local status=0
	wait "$daemon_pid" || status=$?
	daemon_pid=
	[ $status -eq 0 ] || fail "the daemon ended with exit status $status"
	! grep -E 'Sanitizer|runtime error' "$work/daemon.log" || fail "a sanitizer has reported an error"
}
