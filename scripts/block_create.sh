#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# block_create.sh PATH NAME [SIZE]
#
# Makes a storage object of the kernel's own block backend, iblock_N/NAME. PATH is a block device, or a file: then a
# loop device is made on it, the volume group vg_NAME on that and the logical volume lv_NAME in that, which is served.
# A file that has been through block_delete.sh still holds them, and their data is served again. A file that does not
# exist is created with SIZE bytes (or with K, M, G, T), 10M without SIZE. The size of a file that exists stays. In
# the tree of a daemon (TCMU_CONFIGFS) the file itself is served, without a volume group, and nobody needs to be root.
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
! old=$(device_folder iblock "$name") || die "$old exists"
created=
# The shell would open a device as if it had created it.
if [ ! -e "$path" ] && make_file "$path"; then
	truncate -s "$size" "$path"
	created="$path created, $size bytes"
fi
[ -e "$path" ] || die "$path cannot be made"

# Makes the logical volume on the file $path; $disk is its device node.
make_volume() {
	need_modules loop dm_mod
	command -v lvcreate >/dev/null || die "lvcreate is missing: apt-get install lvm2"
	[ -z "$(losetup --noheadings --associated "$path")" ] || die "$path has a loop device already"
	! vgs "vg_$name" >/dev/null 2>&1 || die "there is a volume group vg_$name already"
	disk=/dev/vg_$name/lv_$name
	loop=$(whole losetup --find --show "$path")
	on_failure losetup --detach "$loop"
	if vgs "vg_$name" >/dev/null 2>&1; then
		on_failure vgchange --quiet --activate n "vg_$name"
		vgchange --quiet --activate y "vg_$name" >/dev/null
		[ -b "$disk" ] || die "vg_$name of $path holds no lv_$name"
		return
	fi
	# Asked whether to wipe a file system that it finds there, it gets no answer, and fails.
	whole pvcreate --quiet "$loop" </dev/null >/dev/null
	on_failure pvremove --quiet "$loop"
	whole vgcreate --quiet "vg_$name" "$loop" >/dev/null
	on_failure vgremove --quiet --force "vg_$name"
	whole lvcreate --quiet --wipesignatures n --extents 100%FREE --name "lv_$name" "vg_$name" >/dev/null
}

disk=$path
[ -b "$path" ] || is_daemons || make_volume
new_device iblock "$name"
put "udev_path=$disk" "$core/$device/control"
put "$disk" "$core/$device/udev_path"
put_new_serial
put 1 "$core/$device/enable"
[ -z "$created" ] || info "$created"
echo "Your backstore path: $device"
