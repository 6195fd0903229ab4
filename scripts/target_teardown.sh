#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# target_teardown.sh [--force] IQN DEVICE
#
# Removes the LUN that leads to DEVICE (user_0/NAME) from the target IQN and from all its initiators. They must have
# unmounted the file systems of the LUN and logged out before. With --force they may still be logged in: the LUN is
# removed when the commands in flight have ended, and later commands end with the sense data LOGICAL UNIT NOT SUPPORTED
# (5/25/00).
set -eu
here=$(dirname "$(realpath "$0")")
. "$here/lio.sh"
begin 2 3 "$@"
force=
if [ "$1" = --force ]; then
	force=yes
	shift
fi
[ $# -eq 2 ] || wrong_usage
device=$2
read_iscsi_name "$1"
iqn=$iscsi_name
check_device "$device"
need_modules target_core_mod iscsi_target_mod
need_target "$iqn"
lun=$(target_lun "$device") || die "$device is not a LUN of $iqn"
[ -n "$force" ] || need_no_session "$iqn"

mapped=$(find "$tpg/acls" -mindepth 3 -maxdepth 3 -type l -lname "*/lun/${lun##*/}" -printf '%h\n')
while IFS= read -r folder; do
	[ -z "$folder" ] || remove_luns "$folder"
done <<END
$mapped
END
remove_luns "$lun"
info "LUN ${lun##*/lun_} removed: $device"
