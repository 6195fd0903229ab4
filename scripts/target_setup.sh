#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# target_setup.sh IQN DEVICE
#
# Makes DEVICE (user_0/NAME, fileio_0/NAME, iblock_0/NAME) the next LUN of the target IQN, for all initiators that the
# target admits. Initiators see the LUN when they log in, or after: iscsiadm -m session --rescan
set -eu
here=$(dirname "$(realpath "$0")")
. "$here/lio.sh"
begin 2 2 "$@"
device=$2
read_iscsi_name "$1"
iqn=$iscsi_name
check_device "$device"
need_modules target_core_mod iscsi_target_mod
need_target "$iqn"
[ -d "$core/$device" ] || die "there is no device $device"
attribute "$core/$device/enable"
[ "$value" = 1 ] || die "$device is not enabled, so it cannot become a LUN"
! lun=$(target_lun "$device") || die "$device is already LUN ${lun##*/lun_} of $iqn"

# is_unmapped N: tells whether no initiator has a LUN with the number N.
is_unmapped() {
	for folder in "$tpg"/acls/*/"lun_$1"; do
		[ ! -d "$folder" ] || return 1
	done
}

make_numbered "$tpg/lun/lun" is_unmapped
lun=$tpg/lun/lun_$number link=${device#*/}
make_link "$core/$device" "$lun/$link"
[ "$(device_luns "$device" | grep -cF "$tpg/lun/")" -eq 1 ] || die "another script has just made $device a LUN of $iqn"
info "LUN $number: $device"

for acl in "$tpg"/acls/*; do
	[ -d "$acl" ] || continue
	make_folder "$acl/lun_$number"
	make_link "$lun" "$acl/lun_$number/$link"
	info "Mapped LUN $number: ${acl##*/}"
done
