# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# Sourced by lio.sh: the kernel's target tree, core/PLUGIN_N/NAME and FABRIC/TARGET/tpgt_N/lun/lun_N/LINK.

tree=$(realpath -m -- "${TCMU_CONFIGFS:-/sys/kernel/config/target}")
core=$tree/core

# Another tree than the kernel's has the same layout, but needs no modules and no root.
is_kernel() { [ "$tree" = /sys/kernel/config/target ]; }

# The tree of a daemon that runs with --tree. It checks what it is told, and says why it refuses.
is_daemons() { [ -f "$tree/last_error" ]; }

# read_reason: $why becomes the daemon's reason for the last failure. Fails if none is known.
read_reason() {
	reason_is_complete=
	is_daemons && IFS= read -r why <"$tree/last_error" || return 1
	reason_is_complete=yes
}

# need_modules NAME...
need_modules() {
	is_kernel || {
		[ -d "$core" ] || die "$tree is no target tree"
		return 0
	}
	for module in "$@"; do
		[ -d "/sys/module/$module" ] || attempt modprobe "$module" ||
			die "the kernel module $module cannot be loaded: ${why:-modprobe gives no reason}"
	done
	[ -d "$tree" ] || attempt mount -t configfs configfs "${tree%/*}" || [ -d "$tree" ] ||
		die "$tree is not there, and configfs cannot be mounted: $why"
}

# put VALUE FILE: writes an attribute.
write_value() { printf %s "$1" | tee "$2"; }
put() {
	attempt write_value "$@" || failed "${2#"$tree"/} was refused"
	[ -z "$caught" ] || exit "$caught"
}

# put_new_serial: gives $device a unit serial number. A daemon chooses one that stays the same.
put_new_serial() {
	is_daemons || {
		attribute /proc/sys/kernel/random/uuid
		put "$value" "$core/$device/wwn/vpd_unit_serial"
	}
}

# attribute FILE: $value is its first line. Starts no process.
attribute() {
	value=
	[ ! -f "$1" ] || IFS= read -r value 2>/dev/null <"$1" || :
}

# make_numbered PREFIX CONDITION: the folder PREFIX_N with the least N that is free, and for which "CONDITION N" holds;
# $number is N then.
make_numbered() {
	number=0 misses=0
	while :; do
		while [ -d "$1_$number" ] || ! "$2" $number; do
			number=$((number + 1))
		done
		! try_folder "$1_$number" || return 0
		[ -z "$caught" ] || exit "$caught"
		# Another script has just created it, or it cannot be created.
		[ -d "$1_$number" ] || misses=$((misses + 1))
		[ $misses -lt 10 ] || failed "${1#"$tree"/}_$number cannot be created"
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
make_registry() {
	attribute "$tree/dbroot"
	is_daemons || [ -z "$value" ] || [ -d "$value/pr" ] || mkdir -p "$value/pr"
}

# new_device PLUGIN NAME: makes core/PLUGIN_N/NAME with the least N that is free; $device is "PLUGIN_N/NAME" then.
new_device() {
	! old=$(device_folder "$1" "$2") || die "$old exists"
	make_registry
	make_numbered "$core/$1" true
	device=$1_$number/$2
	make_folder "$core/$device"
	for folder in "$core/$1"_[0-9]*/"$2"; do # another script may be making it too
		[ "$folder" = "$core/$device" ] || die "${folder#"$core"/} exists"
	done
}

# device_luns DEVICE: prints the folders of the LUNs that show it, through any fabric.
device_luns() {
	pattern=$(printf %s "$1" | sed 's/[][*?\\]/\\&/g')
	find "$tree"/*/*/tpgt_*/lun -mindepth 2 -maxdepth 2 -type l -lname "*/core/$pattern" -printf '%h\n' 2>/dev/null || true
}

# remove_folder FOLDER
remove_folder() { attempt rmdir "$1" || failed "${1#"$tree"/} cannot be deleted"; }

# delete_device: $device and its HBA, where that holds nothing else.
delete_device() {
	luns=$(device_luns "$device")
	[ -z "$luns" ] || die "$device is in use: $luns. First: target_teardown.sh IQN $device"
	case $device in
	user_*) bounded remove_folder "$core/$device" ;;
	*) remove_folder "$core/$device" ;;
	esac
	attempt rmdir "$core/${device%/*}" || :
}

# port_user PORT: prints who listens at the TCP port: a target of the tree, or a process.
port_user() {
	for folder in "$tree"/iscsi/*/tpgt_*/np/*:"$1"; do
		[ ! -d "$folder" ] || {
			folder=${folder%/np/*}
			echo "the target $(basename "${folder%/*}")"
			return 0
		}
	done
	command -v ss >/dev/null || return 1
	process=$(ss -Hltnp "sport = :$1" 2>/dev/null | sed -n 's/.*users:(("\([^"]*\)",pid=\([0-9]*\).*/\1, process \2/p' |
		head -n 1)
	[ -n "$process" ] && echo "$process"
}

# need_target IQN: $tpg is its portal group.
need_target() {
	tpg=$tree/iscsi/$1/tpgt_1
	[ -d "${tpg%/*}" ] || die "there is no target $1"
	[ -d "$tpg" ] || die "target $1 is only half made. Remove it: target_delete.sh $1"
}

# target_lun DEVICE: prints the folder of the LUN that shows it in $tpg; fails when there is none.
target_lun() { device_luns "$1" | grep -F -m 1 "$tpg/lun/"; }

# remove_luns FOLDER...: LUNs of a portal group or of an initiator, with the links that say what they show. A script
# that was killed may have made one without the link.
remove_luns() {
	for folder in "$@"; do
		[ -d "$folder" ] || continue # nothing matched the pattern
		for link in "$folder"/*; do
			[ ! -L "$link" ] || attempt rm "$link" || failed "${link#"$tree"/} cannot be deleted"
		done
		remove_folder "$folder"
	done
}

# sessions TPG: prints the initiators that are logged in.
sessions() {
	grep -ls '^InitiatorName' "$1"/acls/*/info | sed 's|/info$||; s|.*/||'
	grep -s . "$1/dynamic_sessions" || : # of those that need no access list
}

need_no_session() {
	initiators=$(sessions "$tpg")
	[ -z "$initiators" ] || die "an initiator is logged in: $initiators. First, there: iscsiadm -m node -T $1 --logout"
}
