#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# guest: -m 1024
# outage_guest.sh DAEMON HANDLER-PATH: tests outages over tcm_loop. The kernel ends commands that take longer than
# cmd_time_out, and does not notify the daemon. So if a daemon was stopped or missing for longer, or if storage hangs,
# the daemon must not execute a write after the initiator has seen that write fail.
# shellcheck source=guest_lib.sh
. "$(dirname "$0")/guest_lib.sh"
time_out=$((6 + 2 * GUEST_FACTOR))

stopped_for() { # SECONDS; the commands in $waiting are sent during this time
	kill -STOP "$daemon_pid"
	answers >/tmp/out 2>&1 &
	waiting=$!
	sleep "$1"
	kill -CONT "$daemon_pid"
}

start_writer() {
	rm -f /tmp/flag
	python3 "$here/outage_writer.py" "$disk" /tmp/flag >/tmp/writer 2>&1 &
	writer=$!
}
stop_writer() {
	: >/tmp/flag
	wait $writer || { cat /tmp/writer && return 1; }
	paste -sd ' ' /tmp/writer
}
# prints the writer's number of errors, reads or writes
of_writer() { awk -v what="$1" '$1 == what { print $2 }' /tmp/writer; }

answers() { dd if="$disk" of=/dev/null bs=4k count=1 iflag=direct; }

write_byte() { # BYTE BLOCK: writes it to the disk, and returns the status
	head -c 4096 /dev/zero | tr '\0' "$1" | dd of="$disk" bs=4k count=1 seek="$2" oflag=direct conv=notrunc iflag=fullblock
}
byte_in() { dd if="$disk" bs=4k count=1 skip="$1" iflag=direct status=none | head -c 1; } # BLOCK

load_target
load_loop
make_storage
start_daemon
create 0 disk file//tmp/storage/disk.img $((40 << 20))
echo $time_out >$core/user_0/disk/attrib/cmd_time_out
map 0 disk 0
disk=$(loop_disk 0)
# the kernel must notify the daemon of aborts, so that aborted commands end soon
[ "$(cat $core/user_0/disk/attrib/tmr_notification)" -eq 1 ]

step "the daemon is stopped (SIGSTOP) for a moment, under load"
verify "$disk" --time_based --runtime=$((12 + time_out)) --rate_iops=200 &
fio=$!
load_on "$disk"
stopped_for 1
wait $waiting
sleep 2
# after such a long stop the daemon does not know the age of the commands, but they have not expired
stopped_for $((time_out * 3 / 4))
wait $waiting
wait_for logged 'the daemon did not look at the ring for too long'
wait $fio
no_kernel_error

step "the daemon is stopped (SIGSTOP) for longer than the time-out"
start_writer
load_on "$disk"
stopped_for $((time_out + 3))
fails wait $waiting
wait_for answers
sleep 3
stopped_for $((time_out + 2))
fails wait $waiting
wait_for answers
sleep 3
stop_writer
[ "$(of_writer errors)" -gt 0 ]

outage_after() { # kill_daemon or stop_daemon
	start_writer
	load_on "$disk"
	"$1"
	sleep $((time_out + 3))
	start_daemon
	wait_for answers
	sleep 3
	stop_writer
	[ "$(of_writer errors)" -gt 0 ]
}

step "the daemon is killed, and missing for longer than the time-out"
outage_after kill_daemon

step "after a clean stop the daemon is missing for longer than the time-out"
outage_after stop_daemon

step "the storage hangs for longer than the time-out"
start_writer
load_on "$disk"
freeze
sleep $((time_out + 4))
thaw
wait_for answers
sleep 3
stop_writer
[ "$(of_writer errors)" -gt 0 ]
wait_for logged 'the storage has not answered'
wait_for logged 'the storage answers again'

step "an expired write is executed before a newer write"
for round in 1 2; do
	for block in 1000 1001 1002 1003; do
		write_byte a $block 2>/tmp/out
	done
	freeze
	writers=()
	for block in 1000 1001 1002 1003; do
		fails write_byte b $block &
		writers+=($!)
	done
	wait_all "${writers[@]}"
	writers=()
	for block in 1000 1001 1002 1003; do
		write_byte c $block >/tmp/put$block 2>&1 &
		writers+=($!)
	done
	sleep 0.5
	thaw
	wait_all "${writers[@]}"
	for block in 1000 1001 1002 1003; do
		[ "$(byte_in $block)" = c ]
	done
	sleep 0.5
	for block in 1000 1001 1002 1003; do
		[ "$(byte_in $block)" = c ]
	done
	echo "round $round"
done

step "stop"
stop_daemon
