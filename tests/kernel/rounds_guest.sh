#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# guest: -m 1024 -p bus
# rounds_guest.sh DAEMON HANDLER-PATH ROUNDS KILLS: creates and removes devices many times. Nothing may be left
# behind, even if the daemon is killed KILLS times while this happens.
# shellcheck source=guest_lib.sh
. "$(dirname "$0")/guest_lib.sh"
rounds=$3 kills=$4
shown_after_failure+=(/tmp/rounds.log /tmp/scripts.log)
: | tee "${shown_after_failure[@]}"


run_rounds() { /usr/bin/python3 "$here/rounds.py" "$@"; } # COUNT NUMBER [CONFIG...]

# --- devices are created and removed ---

# Prints what the daemon and the kernel hold. Each line has a name, the growth that is allowed during the rounds, and
# the present number, in the same unit.
holdings() {
	echo "files 0 $(find "/proc/$daemon_pid/fd" -type l | wc -l)"
	echo "threads 0 $(find "/proc/$daemon_pid/task" -mindepth 1 -maxdepth 1 | wc -l)"
	echo "mappings 4 $(wc -l <"/proc/$daemon_pid/maps")"
	echo "uio 0 $(find /sys/class/uio -mindepth 1 | wc -l)"
	echo "lost 0 $(awk -v pid="$daemon_pid" '$3 == pid { lost += $9 } END { print lost + 0 }' /proc/net/netlink)"
	awk '/^VmRSS/ { print "resident 1000", $2 }' "/proc/$daemon_pid/status"
	awk '/^SUnreclaim/ { print "slab 1000", $2 }' /proc/meminfo
}

nothing_more() { # FILE with earlier holdings: the holdings must not have grown
	holdings | diff -y -W 60 "$1" - >/tmp/holdings || true
	paste -d ' ' "$1" <(holdings) | awk '$6 > $3 + $2 { bad = 1 } END { exit bad }'
}

create_and_remove() {
	run_rounds 100 5 file/round alloc/round # the first rounds fill caches that are kept
	holdings >/tmp/before
	step "$rounds rounds"
	run_rounds "$rounds" 5 file/round alloc/round
	wait_for nothing_more /tmp/before || {
		cat /tmp/holdings
		return 1
	}
	cat /tmp/holdings
}

# --- devices are created and removed while the daemon is killed ---

exists() { compgen -G "$core/user_*/$1" >/dev/null; } # NAME

# Creates and removes a device with the scripts. A script that is refused must leave nothing behind.
script_rounds() { # NAME
	local done=0 refused=0
	until [ -e /tmp/stop ]; do
		if timeout 100 ./user_create.sh alloc "$1" 1M >>/tmp/scripts.log 2>&1; then
			done=$((done + 1))
		else
			refused=$((refused + 1))
			fails exists "$1"
		fi
		while exists "$1"; do
			timeout 100 ./user_delete.sh "$1" >>/tmp/scripts.log 2>&1 || sleep 0.5
		done
	done
	echo "scripts: $done done, $refused refused"
}

no_process_hangs() { fails grep -l '^State:.D' /proc/[0-9]*/status; }

killed() {
	local pids=() i
	step "$kills kills"
	# The kernel refuses some devices with EEXIST, because it gives away a UIO number before it has released it.
	for i in 10 11; do
		run_rounds 0 $i file/round$i alloc/round$i 2>>/tmp/rounds.log &
		pids+=($!)
	done
	script_rounds scripts &
	pids+=($!)
	for ((i = 0; i < kills; i++)); do
		sleep "1.$((RANDOM % 10))"
		kill_daemon
		sleep "0.$((RANDOM % 10))"
		start_daemon
	done
	sleep 1
	touch /tmp/stop
	wait_all "${pids[@]}"
	step "no device and no waiting process is left"
	wait_for no_process_hangs
	fails exists '*/enable'
	[ "$(cat $parameters/block_netlink)" = unblocked ]
	run_rounds 20 5 file/round alloc/round
}

load_target
load_loop
allow_bus_name
start_bus
start_daemon
cd "$scripts"
create_and_remove
killed
stop_daemon
