#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# block_delete.sh NAME | iblock_N/NAME
#
# Deletes a storage object that block_create.sh has created, and detaches the loop device if block_create.sh attached
# one. The file remains, with the volume group and its data.
set -eu
here=$(dirname "$(realpath "$0")")
. "$here/lio.sh"
begin 1 1 "$@"
need_modules target_core_mod
need_device iblock "$1"
name=${device#*/}
attribute "$core/$device/udev_path"
disk=$value
delete_device
if [ "$disk" = "/dev/vg_$name/lv_$name" ]; then
	loop=$(pvs --noheadings --options pv_name --select "vg_name=vg_$name" | tr -d ' ')
	vgchange --quiet --activate n "vg_$name" >/dev/null
	case $loop in
	/dev/loop*) losetup --detach "$loop" ;;
	esac
fi
info "$device deleted"
