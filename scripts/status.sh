#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# status.sh
#
# Prints what exists: the daemon with its handlers, devices, targets with their portals, LUNs and initiators.
set -eu
here=$(dirname "$(realpath "$0")")
. "$here/lio.sh"
begin 0 0 "$@"
need_modules target_core_mod

# attribute FILE: its first line.
attribute() { head -n 1 "$1" 2>/dev/null; }

# Asked only where it runs: a call would have it started.
show_daemon() {
	if ! pid=$(daemon_pid); then
		echo "tcmu-runner: not running"
	elif daemons_view=$(list_devices); then
		echo "tcmu-runner: running, process $pid"
		echo "handlers: $(handlers)"
	else
		daemons_view=
		echo "tcmu-runner: running, process $pid; it does not answer on D-Bus"
	fi
	! pid=$(other_daemon_pid) || echo "another tcmu-runner: running, process $pid"
}

# served DEVICE: what the daemon says of it.
served() {
	[ -n "$daemons_view" ] || return 0
	state=$(printf '%s\n' "$daemons_view" | state_of "$1")
	printf ', %s\n' "${state:-not served by tcmu-runner}"
}

# What the kernel says of a device is "... Config: CONFIG Size: SIZE ..." in its info.
show_devices() {
	echo "devices:"
	for folder in "$core"/*_[0-9]*/*; do
		[ -f "$folder/info" ] || continue
		device=${folder#"$core"/} name=$(one_line "${folder#"$core"/}") # the daemon's list has the same
		config=$(sed -n 's/.*Config: \(.*\) Size: .*/\1/p' "$folder/info")
		size=$(sed -n 's/.* Size: \([0-9]*\).*/\1/p' "$folder/info")
		state='not enabled'
		if [ "$(attribute "$folder/enable")" = 1 ]; then
			state=enabled
			case $device in user_*) state=$state$(served "$name") ;; esac
		fi
		luns=$(device_luns "$device" | wc -l)
		one_line "  $name  ${config:-$(attribute "$folder/udev_path")}  ${size:+$size bytes, }$state, LUNs: $luns"
	done
}

show_target() { # TPG
	case $(attribute "$1/enable") in
	1) state=enabled ;;
	*) state='not enabled' ;;
	esac
	echo "  $(basename "$(dirname "$1")") ${1##*/}, $state"
	for portal in "$1"/np/*; do
		[ ! -d "$portal" ] || echo "    portal ${portal##*/}"
	done
	for link in "$1"/lun/lun_*/*; do
		[ -L "$link" ] || continue
		lun=${link%/*} shown=$(readlink "$link")
		one_line "    LUN ${lun##*_}: ${shown##*/core/}"
	done
	for acl in "$1"/acls/*; do
		[ -d "$acl" ] || continue
		session='not logged in'
		! grep -qs '^InitiatorName' "$acl/info" || session='logged in'
		echo "    initiator ${acl##*/}, $session"
	done
}

daemons_view=
if is_kernel; then
	show_daemon
fi
show_devices
echo "targets:"
for tpg in "$tree"/iscsi/*/tpgt_*; do
	[ ! -d "$tpg" ] || show_target "$tpg"
done
