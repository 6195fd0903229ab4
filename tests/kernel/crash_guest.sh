#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# guest: -m 1024 -p lvm
# crash_guest.sh DAEMON HANDLER-PATH: kills a daemon, over tcm_loop, while its I/O is still in the kernel. The next
# daemon must not reset the ring before this I/O has ended, because the kernel gives the ring's buffers to other
# commands as soon as the ring is reset.
# shellcheck source=guest_lib.sh
. "$(dirname "$0")/guest_lib.sh"

make_slow_disk() {
	modprobe -a brd dm-mod
	dmsetup create slow --noudevsync --table "0 $((64 << 11)) linear /dev/ram0 0"
	slow=/dev/dm-0
}
hang() { dmsetup suspend slow --noudevsync --noflush --nolockfs; } # lets all further I/O wait
go_on() { dmsetup resume slow --noudevsync; }

locks() { # COUNT: tells whether the I/O of this many daemons may still be in the kernel
	[ "$(grep -c "OFDLCK.*:$(stat -c %i /run/tcmu-runner/io) " /proc/locks)" -eq "$1" ]
}

served() { logged "$1.*: served"; }

load_target
load_loop
modprobe brd rd_size=65536 rd_nr=1
make_slow_disk
start_daemon
create 0 slow block/$slow $((64 << 20))
create 1 quick file/quick.img $((1 << 20))
create 2 away file/away.img $((1 << 20))
map 0 slow 0
map 2 away 2

step "the daemon is killed while its I/O hangs"
disk=$(loop_disk 0)
verify "$disk" --time_based --runtime=$((14 * GUEST_FACTOR)) --rate_iops=200 &
fio_pid=$!
load_on "$disk"
hang
wait_for busy "$disk"
sleep 1
kill_daemon
locks 1
mv /tmp/state/away.img /tmp/state/hidden.img
mkdir /tmp/state/away.img

step "the next daemon waits for this I/O, except for devices with exclusive storage"
start_daemon
wait_for served user_1/quick
wait_for logged 'user_0/slow.*tries again: .*in use'
wait_for logged 'user_2/away.*waits for the end of I/O'
sleep 3
locks 2
fails served user_0/slow

step "the storage answers"
go_on
wait_for served user_0/slow
locks 1
wait $fio_pid
wait_for sg_inq "$(loop_disk 2)"
no_kernel_error

step "stop"
unmap 0 # Otherwise the guest would write its caches to the disk when it ends, and no daemon would serve the disk.
unmap 2
stop_daemon
wait_for locks 0
