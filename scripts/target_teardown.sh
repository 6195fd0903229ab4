#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# target_teardown.sh IQN DEVICE
#
# Takes DEVICE (user_0/NAME), a LUN of the target IQN, away from all initiators and from the target. They must have
# logged out.
set -eu
here=$(dirname "$(realpath "$0")")
. "$here/lio.sh"
begin 2 2 "$@"
iqn=$1 device=$2
check_iqn "$iqn"
check_device "$device"
need_modules target_core_mod iscsi_target_mod
need_target "$iqn"
lun=$(target_lun "$device") || die "$device is no LUN of $iqn"
need_no_session "$iqn"

for link in "$tpg"/acls/*/lun_*/*; do
	[ ! -L "$link" ] || [ "$(readlink -f "$link")" != "$(readlink -f "$lun")" ] || remove_luns "${link%/*}"
done
remove_luns "$lun"
info "LUN ${lun##*/lun_} removed: $device"
