# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# lio.sh sources this file. The functions read and change the kernel's target tree, which consists of
# core/PLUGIN_N/NAME and FABRIC/TARGET/tpgt_N/lun/lun_N/LINK.

tree=$(realpath -m -- "${TCMU_CONFIGFS:-/sys/kernel/config/target}")
core=$tree/core

# is_kernel: tells whether $tree is the kernel's tree. Another tree has the same layout, but needs no modules and no
# root.
is_kernel() { [ "$tree" = /sys/kernel/config/target ]; }

# is_tree_of_daemon: tells whether $tree belongs to a daemon that runs with --tree. Such a daemon checks what is
# written, and its file last_error says why it has refused something.
is_tree_of_daemon() { [ -f "$tree/last_error" ]; }

# read_reason: sets $why to the daemon's reason for the last failure. Fails if no reason is known.
read_reason() {
	reason_is_complete=
	is_tree_of_daemon && IFS= read -r why <"$tree/last_error" || return 1
	# shellcheck disable=SC2034 # lio.sh reads it
	reason_is_complete=yes
}

# need_modules NAME...: loads kernel modules and mounts configfs where necessary, or ends the script.
need_modules() {
	is_kernel || {
		[ -d "$core" ] || die "$tree is not a target tree: it has no folder core"
		return 0
	}
	for module in "$@"; do
		[ -d "/sys/module/$module" ] || attempt modprobe "$module" ||
			die "the kernel module $module cannot be loaded: ${why:-modprobe gives no reason}"
	done
	[ -d "$tree" ] || attempt mount -t configfs configfs "${tree%/*}" || [ -d "$tree" ] ||
		die "$tree does not exist, and configfs cannot be mounted: $why"
}

write_value() { printf %s "$1" | tee "$2"; }

# write_attribute VALUE FILE: writes VALUE to an attribute of the tree, or ends the script with the reason.
write_attribute() {
	attempt write_value "$@" || die_with_reason "${2#"$tree"/} was refused"
	[ -z "$caught" ] || exit "$caught"
}

# put_new_serial: gives $device a random unit serial number. In the tree of a daemon it does nothing, because the daemon
# has already chosen a serial number that never changes.
put_new_serial() {
	is_tree_of_daemon || {
		attribute /proc/sys/kernel/random/uuid
		write_attribute "$value" "$core/$device/wwn/vpd_unit_serial"
	}
}

# attribute FILE: sets $value to the first line of FILE. It starts no process, because status.sh reads thousands of
# files.
attribute() {
	value=
	[ ! -f "$1" ] || IFS= read -r value 2>/dev/null <"$1" || :
}

# make_numbered PREFIX CONDITION: creates the folder PREFIX_N with the lowest N that is free and for which "CONDITION
# N" succeeds. Sets $number to N.
make_numbered() {
	number=0 misses=0
	while :; do
		while [ -d "$1_$number" ] || ! "$2" $number; do
			number=$((number + 1))
		done
		! try_folder "$1_$number" || return 0
		[ -z "$caught" ] || exit "$caught"
		# Another script has just created the folder, or the folder cannot be created.
		[ -d "$1_$number" ] || misses=$((misses + 1))
		[ $misses -lt 10 ] || die_with_reason "${1#"$tree"/}_$number cannot be created"
	done
}

# device_folder PLUGIN NAME: prints "PLUGIN_N/NAME" of the device. Fails if there is no such device.
device_folder() {
	for folder in "$core/$1"_[0-9]*/"$2"; do
		[ ! -d "$folder" ] || {
			echo "${folder#"$core"/}"
			return 0
		}
	done
	return 1
}

# need_device PLUGIN DEVICE: DEVICE is NAME or PLUGIN_N/NAME. Sets $device to the latter, or ends the script if there
# is no such device.
need_device() {
	device=$2
	case $device in
	"$1"_[0-9]*/*)
		check_device "$device"
		[ -d "$core/$device" ] || die "there is no device $device"
		;;
	*/*) die "'$device' is not a device of the plug-in $1: use NAME or $1_N/NAME" ;;
	*)
		check_name "$device"
		device=$(device_folder "$1" "$2") || die "there is no device $1_N/$2"
		;;
	esac
}

# make_registry: creates the folder in which the kernel stores the registrations of PERSISTENT RESERVE. The kernel
# refuses registrations if the folder is missing.
make_registry() {
	attribute "$tree/dbroot"
	is_tree_of_daemon || [ -z "$value" ] || [ -d "$value/pr" ] || mkdir -p "$value/pr"
}

# new_device PLUGIN NAME: creates core/PLUGIN_N/NAME with the lowest N that is free. Sets $device to "PLUGIN_N/NAME".
new_device() {
	! old=$(device_folder "$1" "$2") || die "$old already exists"
	make_registry
	make_numbered "$core/$1" true
	device=$1_$number/$2
	make_folder "$core/$device"
	for folder in "$core/$1"_[0-9]*/"$2"; do # another script may create a device with this name at the same time
		[ "$folder" = "$core/$device" ] || die "${folder#"$core"/} already exists"
	done
}

# device_luns DEVICE: prints the folders of the LUNs that lead to the device, in targets of any fabric.
device_luns() {
	pattern=$(printf %s "$1" | sed 's/[][*?\\]/\\&/g')
	find "$tree"/*/*/tpgt_*/lun -mindepth 2 -maxdepth 2 -type l -lname "*/core/$pattern" -printf '%h\n' 2>/dev/null || true
}

# remove_folder FOLDER: deletes the folder, or ends the script.
remove_folder() { attempt rmdir "$1" || die_with_reason "${1#"$tree"/} cannot be deleted"; }

# delete_device: deletes $device, and then its folder PLUGIN_N if no other device is in this folder.
delete_device() {
	luns=$(device_luns "$device")
	[ -z "$luns" ] || die "$device is in use: $luns. First run: target_teardown.sh IQN $device"
	case $device in
	user_*) with_time_limit remove_folder "$core/$device" ;;
	*) remove_folder "$core/$device" ;;
	esac
	attempt rmdir "$core/${device%/*}" || :
}

# port_user PORT: prints who listens at the TCP port: a target of the tree or a process.
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

# need_target IQN: sets $tpg to the portal group of the target, or ends the script.
need_target() {
	tpg=$tree/iscsi/$1/tpgt_1
	[ -d "${tpg%/*}" ] || die "there is no target $1"
	[ -d "$tpg" ] || die "target $1 is incomplete. Remove it with: target_delete.sh $1"
}

# target_lun DEVICE: prints the folder of the LUN in $tpg that leads to the device. Fails if there is none.
target_lun() { device_luns "$1" | grep -F -m 1 "$tpg/lun/"; }

# remove_luns FOLDER...: deletes LUNs of a portal group or of an initiator, with the links from them to their devices.
# A script that was killed may have created a LUN without a link.
remove_luns() {
	for folder in "$@"; do
		[ -d "$folder" ] || continue # nothing matched the pattern
		for link in "$folder"/*; do
			[ ! -L "$link" ] || attempt rm "$link" || die_with_reason "${link#"$tree"/} cannot be deleted"
		done
		remove_folder "$folder"
	done
}

# sessions TPG: prints the initiators that are logged in.
sessions() {
	grep -ls '^InitiatorName' "$1"/acls/*/info | sed 's|/info$||; s|.*/||'
	grep -s . "$1/dynamic_sessions" || : # initiators that are admitted without an access list
}

# need_no_session IQN: ends the script if an initiator is logged in to the target of $tpg.
need_no_session() {
	initiators=$(sessions "$tpg")
	[ -z "$initiators" ] || die "an initiator is logged in: $initiators. First run there: iscsiadm -m node -T $1 --logout"
}
