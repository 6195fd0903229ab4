# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# Sourced by lio.sh: the kernel's target tree, core/PLUGIN_N/NAME and FABRIC/TARGET/tpgt_N/lun/lun_N/LINK.

tree=$(realpath -m -- "${TCMU_CONFIGFS:-/sys/kernel/config/target}")
core=$tree/core

# Another tree than the kernel's has the same layout, but needs no modules.
is_kernel() { [ "$tree" = /sys/kernel/config/target ]; }

# need_modules NAME...
need_modules() {
	is_kernel || {
		[ -d "$core" ] || die "$tree is no target tree"
		return 0
	}
	missing=
	for module in "$@"; do
		file=$(echo "$module" | sed 's/_/[_-]/g')
		[ -d "/sys/module/$module" ] ||
			grep -qs "/$file\.ko" "/lib/modules/$(uname -r)/modules.builtin" || missing="$missing $module"
	done
	[ -z "$missing" ] || die "the kernel has not loaded:$missing. Load them: modprobe -a$missing"
	[ -d "$tree" ] || die "$tree is not there. Mount configfs: mount -t configfs none /sys/kernel/config"
}

# put VALUE FILE: writes an attribute. tee says which one was refused and why; the shells' own printf does not.
put() { printf %s "$1" | tee "$2" >/dev/null; }

# make_numbered PREFIX CONDITION: the folder PREFIX_N with the least N that is free, and for which "CONDITION N" holds;
# $number is N then.
make_numbered() {
	number=0 misses=0
	until "$2" $number && make_folder "$1_$number" 2>/dev/null; do
		if ! "$2" $number || [ -d "$1_$number" ]; then
			number=$((number + 1))
		else # another script had it just now, or it cannot be made
			misses=$((misses + 1))
			[ $misses -lt 10 ] || die "$1_$number cannot be made"
		fi
	done
}

# device_folder PLUGIN NAME: prints "PLUGIN_N/NAME" of the device; fails when there is none.
device_folder() {
	for folder in "$core/$1"_[0-9]*/"$2"; do
		[ ! -d "$folder" ] || {
			echo "${folder#"$core"/}"
			return 0
		}
	done
	return 1
}

# need_device PLUGIN DEVICE: DEVICE is NAME or PLUGIN_N/NAME; $device is the latter then.
need_device() {
	device=$2
	case $device in
	"$1"_[0-9]*/*)
		check_device "$device"
		[ -d "$core/$device" ] || die "there is no device $device"
		;;
	*/*) die "'$device' is no device of $1: $1_N/NAME" ;;
	*)
		check_name "$device"
		device=$(device_folder "$1" "$2") || die "there is no device $1_N/$2"
		;;
	esac
}

# The kernel keeps what initiators register with PERSISTENT RESERVE in a folder, and refuses it when that is missing.
make_registry() { ! folder=$(cat "$tree/dbroot" 2>/dev/null) || mkdir -p "$folder/pr"; }

# new_device PLUGIN NAME: makes core/PLUGIN_N/NAME with the least N that is free; $device is "PLUGIN_N/NAME" then.
new_device() {
	! old=$(device_folder "$1" "$2") || die "$old exists"
	make_registry
	make_numbered "$core/$1" true
	device=$1_$number/$2
	make_folder "$core/$device" || die "$device cannot be made"
	for folder in "$core/$1"_[0-9]*/"$2"; do # another script may be making it too
		[ "$folder" = "$core/$device" ] || die "${folder#"$core"/} exists"
	done
}

# device_luns DEVICE: prints the folders of the LUNs that show it, through any fabric.
device_luns() {
	pattern=$(printf %s "$1" | sed 's/[][*?\\]/\\&/g')
	find "$tree"/*/*/tpgt_*/lun -mindepth 2 -maxdepth 2 -type l -lname "*/core/$pattern" -printf '%h\n' 2>/dev/null || true
}

# delete_device: $device and its HBA, where that holds nothing else.
delete_device() {
	luns=$(device_luns "$device")
	[ -z "$luns" ] || die "$device is in use: $luns. First: target_teardown.sh IQN $device"
	case $device in
	user_*) bounded rmdir "$core/$device" ;;
	*) rmdir "$core/$device" ;;
	esac
	rmdir "$core/${device%/*}" 2>/dev/null || true
}

# need_target IQN: $tpg is its portal group.
need_target() {
	tpg=$tree/iscsi/$1/tpgt_1
	[ -d "${tpg%/*}" ] || die "there is no target $1"
	[ -d "$tpg" ] || die "target $1 is only half made. Remove it: target_delete.sh $1"
}

# target_lun DEVICE: prints the folder of the LUN that shows it in $tpg; fails when there is none.
target_lun() { device_luns "$1" | grep -F -m 1 "$tpg/lun/"; }

# remove_luns FOLDER...: LUNs of a portal group or of an initiator, with the links that say what they show. A script that
# was killed may have made one without the link.
remove_luns() {
	for folder in "$@"; do
		[ -d "$folder" ] || continue # nothing matched the pattern
		find "$folder" -maxdepth 1 -type l -delete
		rmdir "$folder"
	done
}

# sessions TPG: prints the initiators that are logged in.
sessions() {
	for acl in "$1"/acls/*; do
		[ ! -f "$acl/info" ] || ! grep -q '^InitiatorName' "$acl/info" || echo "${acl##*/}"
	done
	cat "$1/dynamic_sessions" 2>/dev/null || true # of those that need no access list
}

need_no_session() {
	initiators=$(sessions "$tpg")
	[ -z "$initiators" ] || die "an initiator is logged in: $initiators. First, there: iscsiadm -m node -T $1 --logout"
}
