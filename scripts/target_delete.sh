#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# target_delete.sh IQN
#
# Deletes a target that target_create.sh has created, completely or in part, with its portal and access list. The
# target must have no LUNs and no sessions.
set -eu
here=$(dirname "$(realpath "$0")")
. "$here/lio.sh"
begin 1 1 "$@"
read_iscsi_name "$1"
iqn=$iscsi_name
need_modules target_core_mod iscsi_target_mod
target=$tree/iscsi/$iqn tpg=$tree/iscsi/$iqn/tpgt_1
[ -d "$target" ] || die "there is no target $iqn"
for link in "$target"/tpgt_*/lun/lun_*/*; do
	[ ! -L "$link" ] || die "$iqn has LUNs. First run: target_teardown.sh $iqn DEVICE (status.sh lists the devices)"
done
for other in "$target"/tpgt_*; do
	[ ! -d "$other" ] || [ "$other" = "$tpg" ] || die "$iqn has other portal groups than tpgt_1, which only targetcli can delete"
done
need_no_session "$iqn"

[ ! -d "$tpg" ] || write_attribute 0 "$tpg/enable"
remove_luns "$tpg"/acls/*/lun_* "$tpg"/lun/lun_*
for folder in "$tpg"/np/* "$tpg"/acls/* "$tpg" "$target"; do
	[ ! -d "$folder" ] || remove_folder "$folder"
done
info "Target $iqn deleted"
