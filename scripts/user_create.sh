#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# user_create.sh HANDLER NAME SIZE [CONFIG]
#
# Creates the kernel storage object user_N/NAME of SIZE bytes (K, M, G or T may follow), which tcmu-runner serves with
# the handler HANDLER. The handler receives CONFIG (default: NAME). For the handlers file and block, CONFIG is a path;
# a relative path begins in the daemon's state folder:
#   user_create.sh alloc test_0 1048576
#   user_create.sh file test_1 4096
#   user_create.sh file disk 100G /srv/disk.img
# Options follow CONFIG after a semicolon. Write ~HH for a character that CONFIG must not contain, for example ~20 for
# a blank: '/srv/my~20disk.img;cache=none'. The handler file creates a file that does not exist. The setting
# cmd_time_out in /etc/tcmu/tcmu.conf limits how long the kernel waits for a command.
set -eu
here=$(dirname "$(realpath "$0")")
. "$here/lio.sh"
begin 3 4 "$@"
handler=$1 name=$2 config=${4:-$2}
size=$(bytes "$3")
case $handler in
'' | *[!A-Za-z0-9_]*) die "'$handler' is not a handler name: use letters, digits and '_'" ;;
esac
check_name "$name"
check_config "$config"
[ "${#handler}" -le $((254 - ${#config})) ] || die "HANDLER/CONFIG has more than 255 characters"

need_modules target_core_mod target_core_user
unanswered=
if is_kernel; then
	need_daemon
	need_handler "$handler" "$config"
	! other_daemon_pid >/dev/null || unanswered=,nl_reply_supported=-1
fi
new_device user "$name"
[ "$handler" != file ] || { ! is_kernel && ! is_tree_of_daemon; } || make_image "$config" "$size"

# With the kernel's default of 64 KiB for hw_max_sectors, large I/O would be split. The data area has room for 128
# commands of 1 MiB.
write_attribute "dev_config=$handler/$config,dev_size=$size,hw_max_sectors=2048,max_data_area_mb=128$unanswered" "$core/$device/control"
if ! is_tree_of_daemon; then # a daemon with a tree chooses the serial number itself
	serial=$(identity "$handler/$config,name=$device") || die "the serial number of $handler/$config cannot be determined: $serial"
	write_attribute "$serial" "$core/$device/wwn/vpd_unit_serial"
fi
with_time_limit write_value 1 "$core/$device/enable"
[ -z "$unanswered" ] || need_served "$device"
info "Your backstore directory: $device"
