#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# tcmu.sh [--quick] [--case REGEX] [--rounds N] [--without debian|ours]
#
# Compares, in a User-Mode Linux guest, this tree's daemon (release build, handlers file and alloc) as a kernel front
# end with the kernel's own fileio and ramdisk, with Debian's tcmu-runner, and with the limit (ring_limit.c). The
# script prints the IOPS per second of the clock and per second of the guest's CPU time (the better measure when the
# host is busy), their ratios to fileio and to the limit with the spread over the rounds, and the daemon's CPU time
# for one command. It takes about 10 minutes.
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
