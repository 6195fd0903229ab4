#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# guest: -m 1536
# tcmu_basic_guest.sh DAEMON HANDLER-PATH [CASE...]: tests devices over tcm_loop. The script controls the kernel only by
# plain writes to configfs, so that it tests the daemon and the kernel without other programs.
# shellcheck source=guest_lib.sh
. "$(dirname "$0")/guest_lib.sh"
shift 2

check_names() { # DISK SERIAL
	check_identity "$1"
	sg_inq "$1" | grep -q 'TCMU device'
	sg_vpd --page=sn "$1" | grep -q "$2"
	digits=${2//-/} # a version 4 UUID, as LIO generates it
	sg_vpd --page=di "$1" | grep -q "0x6001405${digits:0:9}"
	sg_vpd --page=bl "$1" | grep -q 'Maximum transfer length: 2048 blocks'
}

case_disk() { # creates a disk for the cases that need one, if not all cases are run
	create 0 memory alloc/memory $((1 << 20))
	map 0 memory 0
	create 1 disk file/disk.img $((64 << 20))
	map 1 disk 1
}

case_handlers() {
	create 0 memory alloc/memory $((64 << 20))
	create 1 disk file/disk.img $((64 << 20))
	[ "$(stat -c %s /tmp/state/disk.img)" -eq $((64 << 20)) ]
	echo 01234567-89ab-4def-8123-456789abcdef >$core/user_1/disk/wwn/vpd_unit_serial
	echo fedcba98-7654-4210-8edc-ba9876543210 >$core/user_0/memory/wwn/vpd_unit_serial
	map 0 memory 0
	map 1 disk 1
	check_names "$(loop_disk 0)" fedcba98-7654-4210-8edc-ba9876543210
	check_names "$(loop_disk 1)" 01234567-89ab-4def-8123-456789abcdef
	for lun in 0 1; do
		step "handlers: LUN $lun"
		use_disk "$(loop_disk $lun)"
	done
	unmap 0
	remove 0 memory
	no_kernel_error
}

case_refused() {
	configure 2 bad file/no-such-folder/x $((1 << 20))
	fails enable 2 bad
	grep -q 'user_2/bad.*no-such-folder' $log
	remove 2 bad
	fails "$daemon" --handler-path "$handlers"
	grep -q 'another tcmu-runner' /tmp/out
}

write_cache_of() { # DISK: prints byte 2 of the caching page, which follows a header and a descriptor of 8 bytes each
	sg_modes --page=8 --raw "$1" | od -An -v -tx1 -w1 -j18 -N1 | tr -d ' '
}

switch_write_cache() { # DISK WCE: switches the write cache as an initiator does
	sg_wr_mode --page=8 --contents="08,12,$((4 * $2))" --mask=0,0,4 "$1"
}

attribute_is() { [ "$(<"$core/$1")" = "$2" ]; } # FILE VALUE

case_resize() { # resizes the disk that case_handlers has left
	disk=$(loop_disk 1)
	echo $((96 << 20)) >$core/user_1/disk/attrib/dev_size
	[ "$(stat -c %s /tmp/state/disk.img)" -eq $((96 << 20)) ]
	ready "$disk"
	dmesg | grep -q 'Capacity data has changed'
	sg_readcap --long "$disk" | grep -q "Device size: $((96 << 20)) bytes"
	fails sh -c "echo $((8 << 20)) >$core/user_1/disk/attrib/dev_size"
	[ "$(cat $core/user_1/disk/attrib/emulate_write_cache)" -eq 1 ]
	echo 0 >$core/user_1/disk/attrib/emulate_write_cache
	ready "$disk"
	[ "$(write_cache_of "$disk")" = 00 ]
	echo 1 >$core/user_1/disk/attrib/emulate_write_cache
	ready "$disk"
	[ "$(write_cache_of "$disk")" = 04 ]
	step "resize: an initiator switches the write cache"
	for wce in 0 1 0 1; do
		switch_write_cache "$disk" $wce
		wait_for attribute_is user_1/disk/attrib/emulate_write_cache $wce
		[ "$(write_cache_of "$disk")" = 0$((4 * wce)) ]
	done
	fails sh -c "echo file/no-such-folder/x >$core/user_1/disk/attrib/dev_config"
	fails sh -c "echo alloc/other >$core/user_1/disk/attrib/dev_config"
	cp --sparse=always /tmp/state/disk.img /tmp/state/copy.img
	echo file/copy.img >$core/user_1/disk/attrib/dev_config
	verify "$disk"
	fails cmp /tmp/state/disk.img /tmp/state/copy.img
	echo file/disk.img >$core/user_1/disk/attrib/dev_config
	no_kernel_error
}

set_config() { # CONFIG: gives it to the daemon, and returns when the disk is served with it
	: >$log
	echo "$1" >$core/user_1/disk/attrib/dev_config
	wait_for logged 'served, |filters from now on'
	ready "$disk"
}

# takes LEAST MOST: tells whether a read of the second half of $disk, which fio does not use, takes this many seconds.
takes() {
	local begin seconds
	begin=$(now_ms)
	sg_verify --lba=100000 --count=8 "$disk"
	seconds=$((($(now_ms) - begin) / 1000))
	[ $seconds -ge "$1" ] && [ $seconds -le "$2" ]
}

case_filters() { # filters of the disk that case_handlers has left come, change and go while an initiator uses it
	local fio config=file/disk.img
	disk=$(loop_disk 1)
	ready "$disk"
	verify "$disk" --time_based --runtime=$((40 + 4 * GUEST_FACTOR)) --rate_iops=100 &
	fio=$!
	load_on "$disk"
	step "filters: a delay is added"
	set_config "$config;filter=delay;read=10s;write=10ms"
	logged 'user_1/disk.*served, .*filters: delay \(read=10s, write=10ms\)'
	takes 10 "$patience"
	step "filters: the delay is changed"
	set_config "$config;filter=delay;read=10ms"
	logged 'user_1/disk.*filters from now on: delay \(read=10ms\)'
	takes 0 9
	load_on "$disk"
	step "filters: an error is added"
	set_config "$config;filter=delay;read=10ms;filter=error;lba=100000-100007;operations=read"
	sg_verify --lba=99992 --count=8 "$disk"
	fails sg_verify --lba=100000 --count=8 "$disk"
	grep -qi 'medium error' /tmp/out
	load_on "$disk"
	step "filters: a mistake changes nothing"
	fails sh -c "echo '$config;filter=delay;read=10ms;filter=error;lba=x' >$core/user_1/disk/attrib/dev_config"
	fails sh -c "echo '$config;filter=none_such' >$core/user_1/disk/attrib/dev_config"
	fails sg_verify --lba=100000 --count=8 "$disk"
	step "filters: both are removed"
	set_config $config
	takes 0 9
	load_on "$disk"
	wait $fio
	attribute_is user_1/disk/attrib/dev_config $config
	no_kernel_error
}

case_restart() {
	for stop in stop_daemon kill_daemon; do
		survives_restart "$(loop_disk 1)" $stop
	done
}

case_no_daemon() {
	step "no daemon: after a clean stop no process waits"
	stop_daemon
	create 3 later alloc/later $((1 << 20))
	start_daemon
	wait_for logged 'user_3/later.*served'
	remove 3 later
	step "no daemon: a process that waits for a killed daemon continues when the next one starts"
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
	local line count=0
	while IFS= read -r line; do
		[[ ! $line =~ many.*served ]] || count=$((count + 1))
	done <$log
	[ $count -eq "$1" ]
}

case_many() {
	step "many: create"
	for i in {1..20}; do
		create "$((10 + i))" many "file/many$i.img" $((4 << 20)) &
		pids[i]=$!
	done
	wait_all "${pids[@]}"
	wait_for served 20
	for i in {1..20}; do
		map "$((10 + i))" many "$((10 + i))"
	done
	step "many: adopt, under load on all"
	disks=$(for i in {1..20}; do loop_disk $((10 + i)); done)
	verify "${disks//$'\n'/:}" --rw=randwrite --size=40M --time_based --runtime=$((4 + 2 * GUEST_FACTOR)) --thinktime=5ms &
	fio=$!
	load_on "$(loop_disk 11)"
	kill_daemon
	start_daemon
	begin=$(now_ms)
	wait_for served 20
	echo "adopted in $(($(now_ms) - begin)) ms"
	wait $fio
	step "many: remove"
	for i in {1..20}; do
		unmap "$((10 + i))"
		remove "$((10 + i))" many &
		pids[i]=$!
	done
	wait_all "${pids[@]}"
	no_kernel_error
}

# LUN: tells whether the kernel has read the partition table of a disk that is new to it.
is_attached() { logged ":$1: .*Attached SCSI disk" <(dmesg); }

case_failed() { # storage that is missing when the daemon starts, and appears later
	create 4 away file/away.img $((1 << 20))
	map 4 away 4
	wait_for is_attached 4 # Otherwise the kernel may read it while it is not ready, and complain.
	stop_daemon
	mv /tmp/state/away.img /tmp/state/hidden.img
	mkdir /tmp/state/away.img
	start_daemon
	wait_for logged 'user_4/away.*not served'
	disk=$(loop_disk 4)
	fails sg_turs "$disk"
	sg_inq "$disk" | grep -q 'LIO-ORG'
	rmdir /tmp/state/away.img
	mv /tmp/state/hidden.img /tmp/state/away.img
	wait_for logged 'user_4/away.*served, '
	ready "$disk"
	unmap 4
	remove 4 away
	step "failed: the creator of the device does not wait for an answer"
	mkdir /tmp/state/late.img
	create 4 late file/late.img $((1 << 20)) nl_reply_supported=-1
	wait_for logged 'user_4/late.*not served'
	rmdir /tmp/state/late.img
	wait_for logged 'user_4/late.*served, '
	remove 4 late
}

# Listens for all events of generic netlink, and answers none.
listen_only() {
	python3 -c 'import socket, time
listener = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 16)
listener.bind((0, 0))
for group in range(1, 33):
    try:
        listener.setsockopt(270, 1, group)  # SOL_NETLINK, NETLINK_ADD_MEMBERSHIP
    except OSError:
        pass
print("listening", flush=True)
time.sleep(600)' >/tmp/listener &
	listener=$!
	wait_for logged listening /tmp/listener
}

# a handler that no daemon has: a wrong saved configuration or a misspelled name must not cause a hang
case_unknown() {
	local begin
	configure 5 old qcow//srv/old.img $((1 << 20))
	fails enable 5 old
	grep -q "user_5/old: refused: no handler 'qcow' is loaded" $log
	step "unknown: another program listens for events, but does not reply"
	listen_only
	begin=$SECONDS
	fails enable 5 old
	[ $((SECONDS - begin)) -ge 9 ]
	grep -q "qcow.*did not reply in time" $log
	kill "$listener"
	wait "$listener" || true
	remove 5 old
	no_kernel_error
}

case_names() { # names of the greatest possible length
	name=$(printf 'n%.0s' {1..255})
	create 6 "$name" alloc/x $((1 << 20))
	remove 6 "$name"
}

load_target
load_loop
start_daemon
cases=${*:-handlers refused resize filters restart no_daemon many failed unknown names}
for name in $cases; do
	step "$name"
	"case_$name"
done

step "stop"
stop_daemon
no_kernel_error
