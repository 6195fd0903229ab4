#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# guest: -m 1536 -p initiator
# open_iscsi_guest.sh DAEMON HANDLER-PATH: tests the daemon's own iSCSI portal with Linux's initiator. It serves one
# LUN of each kind on 127.0.0.1, logs in, and uses each LUN as a disk.
# shellcheck source=guest_lib.sh
. "$(dirname "$0")/guest_lib.sh"
portal=127.0.0.1:3260
target=iqn.2026-11.io.tcmu-runner:guest
sessions=/sys/class/iscsi_session

start_portal() {
	modprobe loop
	truncate -s 64M /tmp/block.img
	losetup /dev/loop0 /tmp/block.img
	"$daemon" --handler-path "$handlers" --portal $portal --iqn $target \
		--export file//tmp/file.img,size=96M,create,lun=0 \
		--export alloc/memory,size=96M,lun=1 \
		--export block//dev/loop0,lun=2 \
		--export alloc/large,size=96M,block_size=4096,lun=3 >$log 2>&1 &
	daemon_pid=$!
	wait_for bash -c "exec 3<>/dev/tcp/127.0.0.1/3260"
}

log_in() { # DIGEST, and the word by which sysfs calls it
	iscsiadm -m discovery -t sendtargets -p $portal
	for key in HeaderDigest DataDigest; do
		iscsiadm -m node -T $target -p $portal -o update -n "node.conn[0].iscsi.$key" -v "$1"
	done
	iscsiadm -m node -T $target -p $portal --login
	wait_for iscsi_disks 4
	grep -qx "$2" /sys/class/iscsi_connection/connection*/header_digest
	grep -qx "$2" /sys/class/iscsi_connection/connection*/data_digest
}

no_session() { ! ls "$sessions"/session* 2>/dev/null; }

log_out() {
	iscsiadm -m node -T $target -p $portal --logout
	wait_for no_session
	iscsiadm -m node -T $target -p $portal -o delete
}

start_portal
start_initiator
for digest in None CRC32C; do
	step "login, digests $digest"
	log_in $digest "$([ $digest = None ]; echo $?)"
	luns='0 1 2 3'
	[ $digest = None ] || luns='0 3' # a file and memory, and each block size
	for lun in $luns; do
		disk=$(iscsi_disk "$lun")
		step "LUN $lun, $disk, digests $digest"
		[ $digest != None ] || check_identity "$disk"
		use_disk "$disk"
	done
	step "logout"
	log_out
done

step "stop"
kill "$iscsid_pid"
stop_daemon
no_kernel_error
