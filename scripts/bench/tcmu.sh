#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# tcmu.sh [--quick] [--case REGEX] [--rounds N] [--without debian|ours]: this tree's daemon (release build, handlers
# file and alloc) behind the kernel's ring, beside the kernel's own fileio and ramdisk, Debian's tcmu-runner, and the
# limit (ring_limit.c), in a User-Mode Linux guest. Prints IOPS, their ratios to fileio and to the limit with the
# spread over the rounds, and the CPU time that a command takes in the daemon. Takes some 15 minutes; --quick 3.
set -eu
cd "$(dirname "$(realpath "$0")")/../.."
# shellcheck source=../../tests/kernel/packages.sh
. tests/kernel/packages.sh

limit=1800
for argument in "$@"; do
	case $argument in
	-h) sed -n '3,6s/^# //p' "$0"; exit 0 ;;
	--quick) limit=400 ;;
	esac
done
cmake --preset release >/dev/null
cmake --build --preset release >/dev/null

: "${GUEST_CACHE:=build/guest}"
export GUEST_CACHE
layers=()
for package in open-iscsi libopeniscsiusr libisns0 tcmu-runner libtcmu2; do
	layers+=(-l "$(unpack "$package")")
done
exec tests/kernel/guest.sh -m 2048 -t "$limit" "${layers[@]}" scripts/bench/tcmu_guest.py \
	--daemon "$PWD/build/release/runner/tcmu-runner" --handlers "$PWD/build/release/handlers" \
	--limit "$PWD/build/release/scripts/ring_limit" "$@"
