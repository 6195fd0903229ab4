#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# user_delete.sh NAME | user_N/NAME
#
# Deletes a storage object that user_create.sh has created. The file or block device that it served remains; memory of
# the handler alloc is lost.
set -eu
here=$(dirname "$(realpath "$0")")
. "$here/lio.sh"
begin 1 1 "$@"
need_modules target_core_mod target_core_user
need_device user "$1"
! is_kernel || need_daemon
delete_device
info "$device deleted"
