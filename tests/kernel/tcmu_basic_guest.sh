#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Runs in the guest: tcmu_basic_guest.sh DAEMON HANDLER-PATH [CASE...]. Everything is asked of the kernel by plain writes
# to configfs, so that what is tested is the daemon and the kernel alone.
set -eEu -o pipefail
trap 'echo "FAILED: $BASH_COMMAND (line $LINENO)"; tail -n 30 $log; dmesg | tail -n 25' ERR
daemon=$1 handlers=$2
shift 2
log=/tmp/daemon.log
core=/sys/kernel/config/target/core
tpg=/sys/kernel/config/target/loopback/naa.5001405000000001/tpgt_1
parameters=/sys/module/target_core_user/parameters
daemon_pid=

step() { echo "== $* ($SECONDS s)"; }

now_ms() { echo $((${EPOCHREALTIME/./} / 1000)); }

wait_for() { # COMMAND...: until it succeeds, at most 10 s
	for _ in {1..200}; do
		! "$@" >/dev/null 2>&1 || return 0
		sleep 0.05
	done
	echo "no success within 10 s: $*"
	return 1
}

fails() { ! "$@"; }

# --- the daemon ---

start_daemon() { # returns when it serves
	: >$log
	"$daemon" --handler-path "$handlers" --state-dir /tmp/state >>$log 2>&1 &
	daemon_pid=$!
	wait_for grep -q "serving the kernel's devices" $log
}

stop_daemon() {
	kill "$daemon_pid"
	wait "$daemon_pid" # its status is ours
}

kill_daemon() {
	kill -9 "$daemon_pid"
	wait "$daemon_pid" 2>/dev/null || true
}

# --- devices ---

configure() { # HBA NAME CONFIG SIZE
	mkdir -p "$core/user_$1/$2"
	echo "dev_config=$3,dev_size=$4,hw_max_sectors=2048" >"$core/user_$1/$2/control"
}

create() { # HBA NAME CONFIG SIZE
	configure "$@"
	timeout 20 sh -c "echo 1 >$core/user_$1/$2/enable"
}

remove() { # HBA NAME
	timeout 20 rmdir "$core/user_$1/$2"
}

map() { # HBA NAME LUN
	mkdir "$tpg/lun/lun_$3"
	ln -s "$core/user_$1/$2" "$tpg/lun/lun_$3/link"
	wait_for disk_of "$3"
}

unmap() { # LUN
	rm "$tpg/lun/lun_$1/link"
	rmdir "$tpg/lun/lun_$1"
}

disk_of() { # LUN: its block device
	set -- "/sys/class/scsi_device/$(cat $tpg/address):$1/device/block"/*
	[ -e "$1" ] && echo "/dev/${1##*/}"
}

set_up() {
	mkdir -p /tmp/state
	modprobe target_core_user
	mount -t configfs configfs /sys/kernel/config
	modprobe tcm_loop
	modprobe sd_mod
	mkdir -p $tpg
	echo naa.5001405000000002 >$tpg/nexus
	start_daemon
}

no_kernel_error() {
	if dmesg | grep -E 'I/O error|BUG|WARNING|soft lockup|blk_update_request|TCMU.*(broken|error)'; then
		echo "the kernel complained"
		return 1
	fi
}

verify() { # DISK SECONDS [OPTIONS...]: random writes, read back and compared
	disk=$1 seconds=$2
	shift 2
	fio --name=verify --filename="$disk" --rw=randrw --bsrange=4k-64k --iodepth=8 --ioengine=libaio --direct=1 \
		--verify=crc32c --verify_fatal=1 --verify_backlog=32 --time_based --runtime="$seconds" --size=32M \
		--output-format=json --output=/tmp/fio.json "$@" >/tmp/fio.log 2>&1 || {
		cat /tmp/fio.log
		tail -n 5 /tmp/fio.json
		return 1
	}
}

longest_wait() { # milliseconds that fio waited for one I/O
	python3 -c 'import json
job = json.load(open("/tmp/fio.json"))["jobs"][0]
print(int(max(job[way]["clat_ns"]["max"] for way in ("read", "write")) / 1e6))'
}

# --- cases ---

use_disk() { # DISK
	dd if=/dev/urandom of=/tmp/random bs=1M count=8 status=none
	dd if=/tmp/random of="$1" bs=1M oflag=direct status=none
	dd if="$1" of=/tmp/back bs=1M count=8 iflag=direct status=none
	cmp /tmp/random /tmp/back
	verify "$1" 3
	mkfs.ext4 -q -F "$1"
	mount "$1" /mnt
	cp -a /usr/include/linux /mnt/
	umount /mnt
	echo 3 >/proc/sys/vm/drop_caches
	mount "$1" /mnt
	diff -r --no-dereference /usr/include/linux /mnt/linux
	rm -r /mnt/linux
	fstrim /mnt
	umount /mnt
	fsck.ext4 -f -n "$1" >/tmp/fsck.log
}

ready() { # DISK: once its unit attentions are told
	sg_turs --number=3 "$1" >/dev/null 2>&1 || sg_turs "$1"
}

check_identity() { # DISK SERIAL
	ready "$1"
	sg_inq "$1" | grep -q 'LIO-ORG'
	sg_inq "$1" | grep -q 'TCMU device'
	sg_vpd --page=sn "$1" | grep -q "$2"
	sg_vpd --page=di "$1" | grep -q "0x6001405${2:0:9}"
	for page in sv bl bdc lbpv; do
		sg_vpd --page=$page "$1" >/dev/null
	done
	sg_vpd --page=bl "$1" | grep -q 'Maximum transfer length: 2048 blocks'
	sg_readcap --long "$1" >/dev/null
	sg_modes --all "$1" >/dev/null
	sg_opcodes "$1" | grep -q 'Read(16)'
}

case_disk() { # for the cases that need one, when not all are run
	create 0 memory alloc/memory $((1 << 20))
	map 0 memory 0
	create 1 disk file/disk.img $((64 << 20))
	map 1 disk 1
}

case_handlers() {
	create 0 memory alloc/memory $((64 << 20))
	create 1 disk file/disk.img $((64 << 20))
	[ "$(stat -c %s /tmp/state/disk.img)" -eq $((64 << 20)) ]
	echo 0123456789abcdef >$core/user_1/disk/wwn/vpd_unit_serial
	echo fedcba9876543210 >$core/user_0/memory/wwn/vpd_unit_serial
	map 0 memory 0
	map 1 disk 1
	check_identity "$(disk_of 0)" fedcba9876543210
	check_identity "$(disk_of 1)" 0123456789abcdef
	for lun in 0 1; do
		step "handlers: LUN $lun"
		use_disk "$(disk_of $lun)"
	done
	unmap 0
	remove 0 memory
	no_kernel_error
}

case_refused() {
	configure 2 bad file/no-such-folder/x $((1 << 20))
	fails timeout 20 sh -c "echo 1 >$core/user_2/bad/enable" 2>/dev/null
	grep -q 'user_2/bad.*no-such-folder' $log
	remove 2 bad
	fails "$daemon" --handler-path "$handlers" 2>/tmp/second
	grep -q 'another tcmu-runner' /tmp/second
}

write_cache_of() { # DISK: byte 2 of the caching page, behind a header and a descriptor of 8 bytes each
	sg_modes --page=8 --raw "$1" | od -An -v -tx1 -w1 -j18 -N1 | tr -d ' '
}

case_resize() { # of the disk that case_handlers left
	disk=$(disk_of 1)
	echo $((96 << 20)) >$core/user_1/disk/attrib/dev_size
	[ "$(stat -c %s /tmp/state/disk.img)" -eq $((96 << 20)) ]
	ready "$disk"
	dmesg | grep -q 'Capacity data has changed'
	sg_readcap --long "$disk" | grep -q "Device size: $((96 << 20)) bytes"
	fails sh -c "echo $((8 << 20)) >$core/user_1/disk/attrib/dev_size" 2>/dev/null
	[ "$(cat $core/user_1/disk/attrib/emulate_write_cache)" -eq 1 ]
	echo 0 >$core/user_1/disk/attrib/emulate_write_cache
	ready "$disk"
	[ "$(write_cache_of "$disk")" = 00 ]
	echo 1 >$core/user_1/disk/attrib/emulate_write_cache
	ready "$disk"
	[ "$(write_cache_of "$disk")" = 04 ]
	fails sh -c "echo file/no-such-folder/x >$core/user_1/disk/attrib/dev_config" 2>/dev/null
	fails sh -c "echo alloc/other >$core/user_1/disk/attrib/dev_config" 2>/dev/null
	cp --sparse=always /tmp/state/disk.img /tmp/state/copy.img
	echo file/copy.img >$core/user_1/disk/attrib/dev_config
	verify "$disk" 1
	cmp /tmp/state/disk.img /tmp/state/copy.img >/dev/null && return 1
	echo file/disk.img >$core/user_1/disk/attrib/dev_config
	no_kernel_error
}

restart_under_load() { # DISK STOP: prints for how long the disk waited after the new start
	verify "$1" 6 --rate_iops=200 & # leaves CPU for the start
	fio_pid=$!
	sleep 2
	down=$(now_ms)
	$2
	sleep 1
	down=$(($(now_ms) - down))
	start_daemon
	wait $fio_pid
	gap=$(($(longest_wait) - down))
	echo "down for $down ms, and $gap ms until all was served again"
}

# No error, ever; and all is served within a second of the start, though a loaded machine may take a few rounds to show it.
case_restart() {
	for stop in stop_daemon kill_daemon; do
		for _ in 1 2 3 4; do
			step "restart: $stop"
			restart_under_load "$(disk_of 1)" $stop
			no_kernel_error
			[ "$gap" -ge 1000 ] || break
		done
		[ "$gap" -lt 1000 ]
	done
}

case_no_daemon() {
	step "no daemon: after a clean stop nobody waits"
	stop_daemon
	create 3 later alloc/later $((1 << 20))
	start_daemon
	wait_for grep -q 'user_3/later.*served' $log
	remove 3 later
	step "no daemon: who waits for a dead one is freed"
	kill_daemon
	configure 3 stuck alloc/stuck $((1 << 20))
	(
		if echo 1 >$core/user_3/stuck/enable; then
			echo enabled
		else
			echo refused
		fi
	) >/tmp/stuck 2>/dev/null &
	stuck=$!
	sleep 1
	[ ! -s /tmp/stuck ]
	start_daemon
	wait $stuck
	grep -q refused /tmp/stuck
	echo 1 >$core/user_3/stuck/enable
	remove 3 stuck
	[ "$(cat $parameters/block_netlink)" != Y ]
	no_kernel_error
}

served() { # COUNT
	[ "$(grep -c 'many.*served' $log)" -eq "$1" ]
}

case_many() {
	step "many: create"
	for i in {1..20}; do
		create "$((10 + i))" many "file/many$i.img" $((4 << 20)) &
		pids[i]=$!
	done
	wait "${pids[@]}"
	served 20
	for i in {1..20}; do
		map "$((10 + i))" many "$((10 + i))"
	done
	for i in {1..20}; do
		dd if=/dev/zero of="$(disk_of $((10 + i)))" bs=64k count=4 oflag=direct status=none &
		pids[i]=$!
	done
	wait "${pids[@]}"
	step "many: adopt"
	kill_daemon
	start_daemon
	begin=$(now_ms)
	wait_for served 20
	echo "adopted in $(($(now_ms) - begin)) ms"
	for i in {1..20}; do
		ready "$(disk_of $((10 + i)))"
	done
	step "many: remove"
	for i in {1..20}; do
		unmap "$((10 + i))"
		remove "$((10 + i))" many &
		pids[i]=$!
	done
	wait "${pids[@]}"
	no_kernel_error
}

case_failed() { # storage that is away when the daemon starts comes back
	create 4 away file/away.img $((1 << 20))
	map 4 away 4
	stop_daemon
	mv /tmp/state/away.img /tmp/state/hidden.img
	mkdir /tmp/state/away.img
	start_daemon
	wait_for grep -q 'user_4/away.*not served' $log
	disk=$(disk_of 4)
	fails sg_turs "$disk" 2>/dev/null
	sg_inq "$disk" | grep -q 'LIO-ORG'
	rmdir /tmp/state/away.img
	mv /tmp/state/hidden.img /tmp/state/away.img
	wait_for grep -q 'user_4/away.*served, ' $log
	ready "$disk"
	unmap 4
	remove 4 away
}

open_files() { find /proc/"$daemon_pid"/fd -type l | wc -l; }

settled() { # OPEN-FILES
	! grep -qv closed <(tail -n 1 $log) && [ "$(open_files)" -eq "$1" ]
}

case_rounds() { # nothing is left behind
	before=$(open_files)
	for _ in {1..20}; do
		create 5 round file/round.img $((1 << 20))
		remove 5 round
	done
	wait_for settled "$before"
	fails compgen -G '/sys/class/uio/uio*/name' >/dev/null || fails grep -q user_5 /sys/class/uio/uio*/name
}

set_up
cases=${*:-handlers refused resize restart no_daemon many failed rounds}
for name in $cases; do
	step "$name"
	"case_$name"
done

step "stop"
stop_daemon
no_kernel_error
