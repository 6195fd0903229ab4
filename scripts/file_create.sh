#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# file_create.sh PATH NAME SIZE
#
# Makes a storage object of the kernel's own file backend, fileio_N/NAME, on the file PATH, which is made if it does
# not exist. SIZE is in bytes, or with K, M, G, T.
set -eu
here=$(dirname "$(realpath "$0")")
. "$here/lio.sh"
begin 3 3 "$@"
path=$(realpath -m -- "$1") name=$2
size=$(bytes "$3")
check_name "$name"
check_value PATH "$path"
[ ! -e "$path" ] || [ -f "$path" ] || die "$path is no regular file"
need_modules target_core_mod target_core_file
if make_file "$path"; then
	truncate -s "$size" "$path"
fi
[ -f "$path" ] || die "$path cannot be made"
new_device fileio "$name"
put "fd_dev_name=$path,fd_dev_size=$size" "$core/$device/control"
put "$path" "$core/$device/udev_path"
for other in "$core"/fileio_*/*; do
	attribute "$other/udev_path"
	[ "$other" = "$core/$device" ] || [ "$value" != "$path" ] || die "$path serves ${other#"$core"/} already"
done
put_new_serial
put 1 "$core/$device/enable"
echo "Your backstore path: $device"
