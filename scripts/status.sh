#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# status.sh
#
# Shows the daemon and its handlers, the devices, and the targets with their portals, LUNs and initiators.
set -eu
here=$(dirname "$(realpath "$0")")
. "$here/lio.sh"
begin 0 0 "$@"
need_modules target_core_mod

# D-Bus is asked only if the daemon runs, because a call would start a daemon that does not run.
show_daemon() {
	if ! pid=$(daemon_pid); then
		echo "tcmu-runner: not running"
	elif ask_daemon; then
		echo "tcmu-runner: running, process $pid"
		echo "handlers: $(handlers)"
	else
		report=
		echo "tcmu-runner: running, process $pid; it does not answer on D-Bus"
	fi
	! pid=$(other_daemon_pid) || echo "another tcmu-runner: running, process $pid"
}

# Prints "FOLDER<tab>DESTINATION of the link" for each LUN, one on a line, sorted by number.
list_links() {
	find "$tree"/*/*/tpgt_*/lun -mindepth 2 -maxdepth 2 -type l -printf '%h\t%l\0' 2>/dev/null |
		tr '\n\0' '?\n' | sort -V
}

# Prints "COUNT DEVICE" for each device that has LUNs, one on a line.
count_luns() { printf %s "$all_links" | sed '/^$/d; s|.*/core/||' | sort | uniq -c | sed 's/^ *//'; }

# luns_of DEVICE: sets $luns to the number of the device's LUNs.
luns_of() {
	luns=${all_luns%%" $1$newline"*}
	if [ "$luns" = "$all_luns" ]; then
		luns=0
	else
		luns=${luns##*"$newline"}
	fi
}

# read_info FOLDER: sets $config and $size from the kernel's description of a device: "... Config: CONFIG Size: SIZE
# ...".
read_info() {
	config='' size=''
	while IFS= read -r line || [ -n "$line" ]; do
		case $line in
		*'Config: '*' Size: '*)
			config=${line#*Config: }
			config=${config% Size: *}
			;;
		esac
		case $line in
		*' Size: '[0-9]*)
			size=${line##* Size: }
			size=${size%%[!0-9]*}
			;;
		esac
	done <"$1/info"
}

# find_state FOLDER NAME: sets $state to the state that the daemon reports for the device.
find_state() {
	if is_tree_of_daemon; then
		attribute "$1/health/state"
		state=$value
		attribute "$1/statistics/scsi_lu/num_cmds"
		[ "$state" != served ] || state="served, $value commands"
		attribute "$1/health/problem"
		state=$state${value:+: $value}
	else
		state_of "$2"
	fi
	state="enabled, ${state:-not served by tcmu-runner}"
}

show_devices() {
	echo "devices:"
	for folder in "$core"/*_[0-9]*/*; do
		[ -f "$folder/info" ] || continue
		name=${folder#"$core"/}
		case $name in
		*[[:cntrl:]]*) name=$(one_line "$name") ;; # the daemon's report contains the same characters
		esac
		read_info "$folder"
		attribute "$folder/enable"
		if [ "$value" != 1 ]; then
			state='not enabled'
		elif is_tree_of_daemon || { [ -n "$report" ] && [ "${name#user_}" != "$name" ]; }; then
			find_state "$folder" "$name"
		else
			state=enabled
		fi
		luns_of "$name"
		attribute "$folder/udev_path"
		one_line "  $name  ${config:-$value}  ${size:+$size bytes, }$state, LUNs: $luns"
	done
}

# logged_in ACL: tells whether the initiator has a session.
logged_in() {
	attribute "$1/info"
	case $value in
	InitiatorName*) return 0 ;;
	esac
	return 1
}

show_luns() { # TPG
	rest=$all_links
	while :; do
		after=${rest#*"$newline$1/lun/lun_"}
		[ "$after" != "$rest" ] || break
		line=${after%%"$newline"*}
		rest=$newline${after#*"$newline"}
		echo "    LUN ${line%%"$tab"*}: ${line##*/core/}"
	done
}

show_target() { # TPG
	attribute "$1/enable"
	case $value in
	1) state=enabled ;;
	*) state='not enabled' ;;
	esac
	target=${1%/*}
	echo "  ${target##*/} ${1##*/}, $state"
	for portal in "$1"/np/*; do
		[ ! -d "$portal" ] || echo "    portal ${portal##*/}"
	done
	show_luns "$1"
	for acl in "$1"/acls/*; do
		[ -d "$acl" ] || continue
		session='not logged in'
		! logged_in "$acl" || session='logged in'
		echo "    initiator ${acl##*/}, $session"
	done
}

report=
! is_kernel || show_daemon
all_links=$newline$(list_links)$newline
all_luns=$newline$(count_luns)$newline
show_devices
echo "targets:"
for tpg in "$tree"/iscsi/*/tpgt_*; do
	[ ! -d "$tpg" ] || show_target "$tpg"
done
