#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# file_delete.sh NAME | fileio_N/NAME
#
# Deletes a storage object that file_create.sh has created. The file remains.
set -eu
here=$(dirname "$(realpath "$0")")
. "$here/lio.sh"
begin 1 1 "$@"
need_modules target_core_mod
need_device fileio "$1"
delete_device
info "$device deleted"
