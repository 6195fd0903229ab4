#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# file_create.sh PATH NAME SIZE
#
# Creates the storage object fileio_N/NAME, which the kernel's own file backstore serves, on the file PATH. The file
# is created if it does not exist. SIZE is a number of bytes; K, M, G or T may follow.
set -eu
here=$(dirname "$(realpath "$0")")
. "$here/lio.sh"
begin 3 3 "$@"
path=$(realpath -m -- "$1") name=$2
size=$(bytes "$3")
check_name "$name"
check_value PATH "$path"
[ ! -e "$path" ] || [ -f "$path" ] || die "$path is not a regular file"
need_modules target_core_mod target_core_file
if make_file "$path"; then
	truncate -s "$size" "$path"
fi
[ -f "$path" ] || die "$path cannot be created"
new_device fileio "$name"
write_attribute "fd_dev_name=$path,fd_dev_size=$size" "$core/$device/control"
write_attribute "$path" "$core/$device/udev_path"
for other in "$core"/fileio_*/*; do
	attribute "$other/udev_path"
	[ "$other" = "$core/$device" ] || [ "$value" != "$path" ] || die "$path is already served as ${other#"$core"/}"
done
put_new_serial
write_attribute 1 "$core/$device/enable"
echo "Your backstore path: $device"
