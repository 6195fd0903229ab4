#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# loopback.sh COMMAND [ARGUMENT]...: runs a benchmark in a network namespace of its own, whose loopback interface uses
# the congestion control "reno". BBR, which some systems use, sends packets by a clock; the rate of large commands on
# the loopback interface then differs by a factor of up to three from one run to the next.
set -eu
[ $# -gt 0 ] || { sed -n '3,5s/^# //p' "$0" >&2; exit 2; }
unshare=(unshare --net)
[ "$(id -u)" = 0 ] || unshare+=(--map-root-user)
# shellcheck disable=SC2016 # the inner shell expands "$@"
exec "${unshare[@]}" bash -c 'ip link set lo up && sysctl -qw net.ipv4.tcp_congestion_control=reno && exec "$@"' \
	loopback.sh "$@"
