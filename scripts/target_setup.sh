#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# target_setup.sh IQN DEVICE
#
# Shows DEVICE (user_0/NAME, fileio_0/NAME, iblock_0/NAME) as the next LUN of the target IQN, to all initiators that it
# admits. They see it at the next login, or after: iscsiadm -m session --rescan
set -eu
. "$(dirname "$(realpath "$0")")/lio.sh"
begin 2 2 "$@"
iqn=$1 device=$2
check_iqn "$iqn"
case $device in
*/*/* | */.*) device= ;;
[a-z]*_[0-9]*/?*) ;;
*) device= ;;
esac
[ -n "$device" ] || die "'$2' is no device: user_0/NAME"
need_modules target_core_mod iscsi_target_mod
need_target "$iqn"
[ -d "$core/$device" ] || die "there is no device $device"
! lun=$(target_lun "$device") || die "$device is LUN ${lun##*/lun_} of $iqn already"

number=0
until mkdir "$tpg/lun/lun_$number" 2>/dev/null; do # another script may be faster
	[ -d "$tpg/lun/lun_$number" ] || die "$tpg/lun/lun_$number cannot be made"
	number=$((number + 1))
done
lun=$tpg/lun/lun_$number link=${device#*/}
on_failure rmdir "$lun"
ln -s "$core/$device" "$lun/$link"
on_failure rm "$lun/$link"
info "LUN $number: $device"

on_failure unmap_lun "$lun"
for acl in "$tpg"/acls/*; do
	[ -d "$acl" ] || continue
	mkdir "$acl/lun_$number"
	ln -s "$lun" "$acl/lun_$number/$link" || {
		rmdir "$acl/lun_$number"
		exit 1
	}
	info "Mapped LUN $number: ${acl##*/}"
done
