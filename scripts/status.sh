#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# status.sh
#
# Prints what exists: the daemon with its handlers, devices, targets with their portals, LUNs and initiators.
set -eu
. "$(dirname "$(realpath "$0")")/lio.sh"
begin 0 0 "$@"
need_modules target_core_mod

# attribute FILE: its first line.
attribute() { head -n 1 "$1" 2>/dev/null; }

show_daemon() {
	if pid=$(daemon_pid); then
		echo "tcmu-runner: running, process $pid"
		echo "handlers: $(handlers)"
	else
		echo "tcmu-runner: not running"
	fi
}

# served DEVICE: what the daemon says of it: its state, and the reason where it has failed.
served() {
	echo "$daemons_view" | awk -v device="$1" '
		$1 == "string" { key = $2; next }
		$1 == "variant" { sub(/^ *variant *string "/, ""); sub(/"$/, ""); value[key] = $0 }
		$1 == "]" && value["\"name\""] == device {
			reason = value["\"error\""]
			print ", " value["\"state\""] (reason ? ": " reason : "")
		}
		$1 == "]" { delete value }'
}

# What the kernel says of a device is "... KEY: VALUE ..." in its info.
show_devices() {
	echo "devices:"
	for folder in "$core"/*_[0-9]*/*; do
		[ -f "$folder/info" ] || continue
		config=$(sed -n 's/.*Config: \([^ ]*\).*/\1/p' "$folder/info")
		size=$(sed -n 's/.* Size: \([0-9]*\).*/\1/p' "$folder/info")
		case $(attribute "$folder/enable") in
		1) state=enabled ;;
		*) state='not enabled' ;;
		esac
		luns=$(device_luns "${folder#"$core"/}" | wc -l)
		echo "  ${folder#"$core"/}  ${config:-$(attribute "$folder/udev_path")}  ${size:+$size bytes, }$state$(served "${folder#"$core"/}"), $luns LUNs"
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
		[ ! -L "$link" ] || echo "    LUN $(basename "$(dirname "$link")" | tr -dc 0-9): $(readlink -f "$link" | sed 's|.*/core/||')"
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
	daemons_view=$(on_bus /Devices1 org.kernel.TCMUService1.Devices1.List) || daemons_view=
fi
show_devices
echo "targets:"
for tpg in "$tree"/iscsi/*/tpgt_*; do
	[ ! -d "$tpg" ] || show_target "$tpg"
done
