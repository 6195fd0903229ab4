#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Runs in the guest: open_iscsi_guest.sh DAEMON HANDLER-PATH. Serves one LUN of each kind on 127.0.0.1, logs in with
# the kernel's initiator, and uses each as a disk: file system, tree, verified random I/O, check.
set -eEu -o pipefail
trap 'echo "FAILED: $BASH_COMMAND (line $LINENO)"; tail -n 20 /tmp/daemon.log; dmesg | tail -n 15' ERR
daemon=$1 handlers=$2
portal=127.0.0.1:3260
target=iqn.2026-11.io.tcmu-runner:guest
sessions=/sys/class/iscsi_session

step() { echo "== $*"; }

wait_for() { # COMMAND...: until it succeeds, at most 10 s
	for _ in {1..100}; do
		! "$@" >/dev/null 2>&1 || return 0
		sleep 0.1
	done
	echo "no success within 10 s: $*"
	return 1
}

start_daemon() {
	modprobe loop
	truncate -s 64M /tmp/block.img
	losetup /dev/loop0 /tmp/block.img
	"$daemon" --handler-path "$handlers" --portal $portal \
		--export file//tmp/file.img,size=96M,name=guest \
		--export alloc/memory,size=96M,name=guest \
		--export block//dev/loop0,name=guest \
		--export alloc/large,size=96M,block_size=4096,name=guest >/tmp/daemon.log 2>&1 &
	daemon_pid=$!
	wait_for bash -c "exec 3<>/dev/tcp/127.0.0.1/3260"
}

start_initiator() {
	modprobe iscsi_tcp
	modprobe sd_mod
	mkdir -p /etc/iscsi /run/lock/iscsi
	echo "InitiatorName=iqn.2026-11.test:guest" >/etc/iscsi/initiatorname.iscsi
	setsid iscsid -f >/tmp/iscsid.log 2>&1 & # at its end it signals its whole process group
	iscsid_pid=$!
	wait_for grep ISCSIADM_ABSTRACT /proc/net/unix
}

log_in() { # DIGEST, and as the kernel says it in sysfs
	iscsiadm -m discovery -t sendtargets -p $portal
	for key in HeaderDigest DataDigest; do
		iscsiadm -m node -T $target -p $portal -o update -n "node.conn[0].iscsi.$key" -v "$1"
	done
	iscsiadm -m node -T $target -p $portal --login
	wait_for disks_are 4
	grep -qx "$2" /sys/class/iscsi_connection/connection*/header_digest
	grep -qx "$2" /sys/class/iscsi_connection/connection*/data_digest
}

disks() { # the block devices of the session, by LUN
	for lun in 0 1 2 3; do
		basename -a "$sessions"/session*/device/target*/*:"$lun"/block/*
	done
}

disks_are() { [ "$(disks 2>/dev/null | grep -c '^sd')" -eq "$1" ]; }

no_session() { ! ls "$sessions"/session* 2>/dev/null; }

log_out() {
	iscsiadm -m node -T $target -p $portal --logout
	wait_for no_session
	iscsiadm -m node -T $target -p $portal -o delete
}

check_identity() { # DISK
	sg_turs "$1"
	sg_inq "$1" | grep -q 'LIO-ORG'
	for page in sv sn di bl bdc lbpv; do
		sg_vpd --page=$page "$1" >/dev/null
	done
	sg_readcap --long "$1" >/dev/null
	sg_readcap "$1" >/dev/null
	sg_modes --all "$1" >/dev/null
	sg_opcodes "$1" | grep -q 'Read(16)'
	sg_luns "$1" >/dev/null
	sg_requests "$1" >/dev/null 2>&1
}

use_disk() { # DISK
	mkfs.ext4 -q -F "$1"
	mount "$1" /mnt
	cp -a /usr/include/linux /usr/include/glib-2.0 /mnt/
	sync
	umount /mnt
	echo 3 >/proc/sys/vm/drop_caches
	mount "$1" /mnt
	diff -r --no-dereference /usr/include/linux /mnt/linux
	diff -r --no-dereference /usr/include/glib-2.0 /mnt/glib-2.0
	fio --name=verify --filename=/mnt/fio --size=16M --rw=randwrite --bsrange=4k-128k --iodepth=8 --ioengine=libaio \
		--direct=1 --verify=crc32c --verify_fatal=1 --do_verify=1 --output=/tmp/fio.log || {
		cat /tmp/fio.log
		return 1
	}
	rm /mnt/fio
	fstrim /mnt
	umount /mnt
	fsck.ext4 -f -n "$1" >/tmp/fsck.log || {
		cat /tmp/fsck.log
		return 1
	}
}

start_daemon
start_initiator
for digest in None CRC32C; do
	step "login, digests $digest"
	log_in $digest "$([ $digest = None ]; echo $?)"
	for disk in $(disks); do
		step "$disk, digests $digest"
		check_identity "/dev/$disk"
		use_disk "/dev/$disk"
	done
	step "logout"
	log_out
done

step "stop"
kill $iscsid_pid
kill $daemon_pid
wait $daemon_pid # its status is ours
if dmesg | grep -E 'I/O error|conn error|detected conn|timed out|BUG|WARNING'; then
	echo "the kernel complained"
	exit 1
fi
