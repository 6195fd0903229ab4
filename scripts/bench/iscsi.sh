#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# iscsi.sh [--quick] [--case REGEX] [--rounds N]
#
# Compares this tree's daemon (release build) with Debian's tgt. Both serve the same file in memory, and they run
# alternately. For each case the script prints the medians of both, their ratio with its spread, the latency, and the
# CPU time of one command. tgt is unpacked from its package and not installed. The script needs root.
set -eu
cd "$(dirname "$(realpath "$0")")/../.."
# shellcheck source=../../tests/kernel/packages.sh
. tests/kernel/packages.sh
: "${TCMUR_BENCH_PORT:=13280}"

for argument in "$@"; do
	[ "$argument" != -h ] || { sed -n '3,5s/^# //p' "$0"; exit 0; }
done
cmake --preset release >/dev/null
cmake --build --preset release >/dev/null
[ -x build/release/scripts/iscsi_load ] || { echo "iscsi.sh: install libiscsi-dev first" >&2; exit 1; }

GUEST_CACHE=build/guest
tgt=$(unpack tgt)/usr/sbin
work=$(mktemp -d /dev/shm/tcmur-bench.XXXXXX)
made_run_dir=
pids=()
# shellcheck disable=SC2317 # called by the trap
cleanup() {
	[ ${#pids[@]} -eq 0 ] || kill -KILL "${pids[@]}" 2>/dev/null || true
	while [ ${#pids[@]} -gt 0 ] && kill -0 "${pids[@]}" 2>/dev/null; do sleep 0.1; done
	rm -rf "$work"
	rm -f /var/run/tgtd/socket.77 /var/run/tgtd/socket.77.lock
	[ -z "$made_run_dir" ] || rmdir /var/run/tgtd
}
trap cleanup EXIT

wait_listening() { # PORT
	for _ in {1..100}; do
		! (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null || return 0
		sleep 0.1
	done
	echo "iscsi.sh: nothing listens on port $1" >&2
	exit 1
}

dd if=/dev/zero of="$work/disk" bs=1M count=512 status=none
ours=127.0.0.1:$TCMUR_BENCH_PORT theirs=127.0.0.1:$((TCMUR_BENCH_PORT + 1))

build/release/runner/tcmu-runner --handler-path build/release/handlers --portal "$ours" \
	--iqn iqn.2026-11.io.tcmu-runner:bench --export "file/$work/disk" 2>"$work/log" &
pids+=($!)
[ -d /var/run/tgtd ] || { mkdir /var/run/tgtd && made_run_dir=yes; }
"$tgt/tgtd" -f --iscsi "portal=$theirs" -C 77 >/dev/null 2>&1 &
pids+=($!)
disown -a # The shell then prints no message when these processes are killed.
wait_listening "${ours##*:}"
wait_listening "${theirs##*:}"

target=iqn.2026-11.io.tcmu-runner:bench
admin() { "$tgt/tgtadm" -C 77 --lld iscsi "$@"; }
admin --op new --mode target --tid 1 -T $target
admin --op new --mode logicalunit --tid 1 --lun 1 -b "$work/disk"
admin --op bind --mode target --tid 1 -I ALL

python3 scripts/bench/compare.py --load build/release/scripts/iscsi_load \
	--ours "iscsi://$ours/$target/0" --ours-pid "${pids[0]}" \
	--theirs "iscsi://$theirs/$target/1" --theirs-pid "${pids[1]}" "$@"
