#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# target_delete.sh IQN
#
# Removes a target that target_create.sh made, with its portal and access list. It must have no LUNs and no sessions.
set -eu
. "$(dirname "$(realpath "$0")")/lio.sh"
begin 1 1 "$@"
iqn=$1
check_iqn "$iqn"
need_modules target_core_mod iscsi_target_mod
need_target "$iqn"
for lun in "$tpg"/lun/lun_*; do
	[ ! -d "$lun" ] || die "$iqn has LUNs. First: target_teardown.sh $iqn DEVICE (status.sh lists them)"
done
[ ! -d "${tpg%_1}_2" ] || die "$iqn has more than one portal group: use targetcli"
need_no_session "$iqn"

put 0 "$tpg/enable"
for folder in "$tpg"/np/* "$tpg"/acls/*; do
	[ ! -d "$folder" ] || rmdir "$folder"
done
rmdir "$tpg" "${tpg%/*}"
info "Target $iqn deleted"
