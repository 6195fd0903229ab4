#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# user_delete.sh NAME | user_N/NAME
#
# Removes a storage object that user_create.sh made. What it served stays, unless it was memory.
set -eu
here=$(dirname "$(realpath "$0")")
. "$here/lio.sh"
begin 1 1 "$@"
need_modules target_core_mod target_core_user
need_device user "$1"
! is_kernel || need_daemon
delete_device
info "$device deleted"
