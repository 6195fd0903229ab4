#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# block_create.sh PATH NAME [SIZE]
#
# Creates the storage object iblock_N/NAME, which the kernel's own block backstore serves. If PATH is a block device,
# the device itself is served. If PATH is a file, the script attaches a loop device to it, creates the volume group
# vg_NAME and in it the logical volume lv_NAME, which is served. If the file contains them already, because
# block_delete.sh leaves them there, their data is served again. A file that does not exist is created with SIZE bytes
# (K, M, G or T may follow; default: 10M). The size of a file that exists does not change.
#
# In the tree of a daemon (TCMU_CONFIGFS) the file itself is served, without a volume group, and root's rights are not
# needed.
set -eu
here=$(dirname "$(realpath "$0")")
. "$here/lio.sh"
begin 2 3 "$@"
path=$(realpath -ms -- "$1") name=$2
check_name "$name"
check_value PATH "$path"
size=$(bytes "${3:-10M}")
[ -b "$path" ] || [ -f "$path" ] || [ ! -e "$path" ] || die "$path is neither a block device nor a file"
need_modules target_core_mod target_core_iblock
! old=$(device_folder iblock "$name") || die "$old already exists"
created=
# If PATH is a block device, make_file would open it and treat it as a file that was just created.
if [ ! -e "$path" ] && make_file "$path"; then
	truncate -s "$size" "$path"
	created="$path created, $size bytes"
fi
[ -e "$path" ] || die "$path cannot be created"

# Makes the logical volume in the file $path. $disk becomes its device node.
make_volume() {
	need_modules loop dm_mod
	command -v lvcreate >/dev/null || die "lvcreate is missing: apt-get install lvm2"
	[ -z "$(losetup --noheadings --associated "$path")" ] || die "$path already has a loop device; detach it with losetup --detach"
	! vgs "vg_$name" >/dev/null 2>&1 || die "a volume group vg_$name already exists; choose another NAME"
	disk=/dev/vg_$name/lv_$name
	loop=$(without_signals losetup --find --show "$path")
	on_failure losetup --detach "$loop"
	if vgs "vg_$name" >/dev/null 2>&1; then
		on_failure vgchange --quiet --activate n "vg_$name"
		vgchange --quiet --activate y "vg_$name" >/dev/null
		[ -b "$disk" ] || die "the volume group vg_$name in $path contains no logical volume lv_$name"
		return
	fi
	# pvcreate asks whether it may wipe a file system that it finds. Without an answer from standard input it
	# fails.
	without_signals pvcreate --quiet "$loop" </dev/null >/dev/null
	on_failure pvremove --quiet "$loop"
	without_signals vgcreate --quiet "vg_$name" "$loop" >/dev/null
	on_failure vgremove --quiet --force "vg_$name"
	without_signals lvcreate --quiet --wipesignatures n --extents 100%FREE --name "lv_$name" "vg_$name" >/dev/null
}

disk=$path
[ -b "$path" ] || is_tree_of_daemon || make_volume
new_device iblock "$name"
write_attribute "udev_path=$disk" "$core/$device/control"
write_attribute "$disk" "$core/$device/udev_path"
put_new_serial
write_attribute 1 "$core/$device/enable"
[ -z "$created" ] || info "$created"
echo "Your backstore path: $device"
