#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# tcmu.sh [--quick] [--case REGEX] [--rounds N] [--without debian|ours]: this tree's daemon (release build, handlers
# file and alloc) behind the kernel's ring, beside the kernel's own fileio and ramdisk, Debian's tcmu-runner, and the
# limit (ring_limit.c), in a User-Mode Linux guest. Prints IOPS by the clock and by the CPU time of the whole guest
# (what counts when this machine does other things too), their ratios to fileio and to the limit with the spread over
# the rounds, and the CPU time that a command takes in the daemon. Takes some 10 minutes.
set -eu
cd "$(dirname "$(realpath "$0")")/../.."
# shellcheck source=../../tests/kernel/packages.sh
. tests/kernel/packages.sh

for argument in "$@"; do
	[ "$argument" != -h ] || { sed -n '3,7s/^# //p' "$0"; exit 0; }
done
cmake --preset release >/dev/null
cmake --build --preset release >/dev/null

GUEST_CACHE=build/guest
export GUEST_CACHE
layers=()
for package in open-iscsi libopeniscsiusr libisns0 tcmu-runner libtcmu2; do
	layers+=(-l "$(unpack "$package")")
done
cpu=$(mktemp -d)
trap 'rm -rf "$cpu"' EXIT
python3 scripts/bench/guest_cpu.py "$cpu" tests/kernel/guest.sh -m 2048 "${layers[@]}" \
	scripts/bench/tcmu_guest.py --daemon "$PWD/build/release/runner/tcmu-runner" \
	--handlers "$PWD/build/release/handlers" --limit "$PWD/build/release/scripts/ring_limit" --cpu "$cpu" "$@"
