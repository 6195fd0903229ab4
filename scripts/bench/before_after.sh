#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# before_after.sh FOLDER [--quick] [--case REGEX] [--rounds N]: compares this tree's daemon with the one that is built
# in FOLDER/build/release, where FOLDER is a checkout of another commit. Each daemon serves its own file in memory. The
# raw initiator of iscsi_load loads both in turn. Run it through loopback.sh.
set -eu
if [ ! -x "${1-}/build/release/runner/tcmu-runner" ]; then
	sed -n '3,5s/^# //p' "$0" >&2
	exit 2
fi
before=$(realpath "$1")
shift
cd "$(dirname "$(realpath "$0")")/../.."
cmake --preset release >/dev/null
cmake --build --preset release >/dev/null

work=$(mktemp -d /dev/shm/tcmur-bench.XXXXXX)
pids=()
# shellcheck disable=SC2317 # called by the trap
cleanup() {
	[ ${#pids[@]} -eq 0 ] || kill "${pids[@]}" 2>/dev/null || true
	wait
	rm -rf "$work"
}
trap cleanup EXIT

target=iqn.2026-11.io.tcmu-runner:bench
serve() { # FOLDER PORT
	truncate -s 256M "$work/$2"
	"$1/build/release/runner/tcmu-runner" --handler-path "$1/build/release/handlers" --portal "127.0.0.1:$2" \
		--run-dir "$work/run.$2" --state-dir "$work/state.$2" --iqn $target --export "file/$work/$2" 2>"$work/log.$2" &
	pids+=($!)
	for _ in {1..100}; do
		! (exec 3<>"/dev/tcp/127.0.0.1/$2") 2>/dev/null || return 0
		sleep 0.1
	done
	cat "$work/log.$2" >&2
	exit 1
}
serve . 13280
serve "$before" 13281

python3 scripts/bench/compare.py --load "build/release/scripts/iscsi_load -R" --peer before \
	--ours "iscsi://127.0.0.1:13280/$target/0" --ours-pid "${pids[0]}" \
	--theirs "iscsi://127.0.0.1:13281/$target/0" --theirs-pid "${pids[1]}" "$@"
