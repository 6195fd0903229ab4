#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# guest: -m 1024
# outage_guest.sh DAEMON HANDLER-PATH: tests outages over tcm_loop. The kernel ends commands that take longer than
# cmd_time_out, and does not notify the daemon. So if a daemon was stopped or missing for longer, or if storage hangs,
# the daemon must not execute a write after the initiator has seen that write fail.
# shellcheck source=guest_lib.sh
. "$(dirname "$0")/guest_lib.sh"
time_out=$((6 + 2 * GUEST_FACTOR))

# Stops the daemon for SECONDS. The read $waiting is sent before this time begins, and $begin is the time of the stop.
stopped_for() {
	begin=$(now_ms)
	kill -STOP "$daemon_pid"
	dd if="$disk" of=/dev/null bs=4k count=1 iflag=direct >/tmp/out 2>&1 &
	waiting=$!
	wait_for grep '^State:.D' /proc/$waiting/status
	sleep "$1"
	kill -CONT "$daemon_pid"
}

# judge FUNCTION: runs FUNCTION, which must succeed. FUNCTION tests a command that must not expire. It sets $begin to the
# time at which the command begins to wait, and $end to the time of the answer. On a busy machine the command may wait for
# so long that it expires, which is no fault of the daemon. FUNCTION is then run again, up to four times in all.
judge() {
	local try
	for try in 1 2 3 4; do
		! "$1" || return 0
		[ $((end - begin)) -ge $((time_out * 800)) ] || return 1
		echo "try $try: the machine is too busy, because a command has waited for $((end - begin)) ms"
	done
	echo "not tested, because the machine is too busy: $1"
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

stopped_for_a_while() { # called by judge, so each failure must be noticed here
	local failed=''
	dmesg --clear
	: >$log
	verify "$disk" --time_based --runtime=$((12 + time_out)) --rate_iops=200 &
	fio=$!
	load_on "$disk"
	stopped_for 1
	wait $waiting || failed="the read of the first stop"
	sleep 2
	# after such a long stop the daemon does not know the age of the commands, but they have not expired
	stopped_for $((time_out * 3 / 4))
	wait $waiting || failed+=" the read of the second stop"
	end=$(now_ms)
	wait_for logged 'the daemon did not look at the ring for too long' || failed+=" the log"
	wait $fio || failed+=" fio"
	no_kernel_error || failed+=" the kernel's log"
	[ ! "$failed" ] || { echo "failed: $failed" && return 1; }
}

step "the daemon is stopped (SIGSTOP) for a moment, under load"
judge stopped_for_a_while

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

have_byte() { # BYTE: tells whether all four blocks have it
	local block
	for block in 1000 1001 1002 1003; do
		[ "$(byte_in $block)" = "$1" ] || return
	done
}

newer_write_wins() { # called by judge, so each failure must be noticed here
	local writers=() failed='' block
	for block in 1000 1001 1002 1003; do
		write_byte a $block 2>/tmp/out || failed+=" a"
	done
	freeze
	for block in 1000 1001 1002 1003; do
		fails write_byte b $block &
		writers+=($!)
	done
	wait_all "${writers[@]}" || failed+=" b"
	writers=()
	begin=$(now_ms)
	for block in 1000 1001 1002 1003; do
		write_byte c $block >/tmp/put$block 2>&1 &
		writers+=($!)
	done
	sleep 0.5
	thaw
	for block in "${writers[@]}"; do
		wait "$block" || failed+=" c"
	done
	end=$(now_ms)
	have_byte c || failed+=" contents"
	sleep 0.5
	have_byte c || failed+=" later contents"
	[ ! "$failed" ] || { echo "failed: $failed" && return 1; }
}

step "an expired write is executed before a newer write"
for round in 1 2; do
	judge newer_write_wins
	echo "round $round"
done

step "stop"
stop_daemon
