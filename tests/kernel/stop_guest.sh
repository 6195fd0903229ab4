#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# guest: -m 1024 -p bus
# stop_guest.sh DAEMON HANDLER-PATH HANG-HANDLER-PATH: tests the stop of a daemon whose disks are used over tcm_loop.
# SIGTERM ends the daemon within 5 seconds, whatever hangs: a filter, D-Bus, the storage inside the kernel, a handler. The
# next daemon serves the commands that the stopped daemon has left.
# shellcheck source=guest_lib.sh
. "$(dirname "$0")/guest_lib.sh"
hang=$3
handlers=/tmp/handlers
cp -r "$2" $handlers
cp "$hang"/*.so $handlers/

begin_stop() {
	begin=$(now_ms)
	kill "$daemon_pid"
}

took_not_too_long() { # tells whether the stop has taken less than 5 seconds, multiplied if the guest is slow
	local took=$(($(now_ms) - begin))
	slowness
	echo "the stop took $took ms; at most $((5 * slowness)) s are allowed"
	[ $took -lt $((5000 * slowness)) ]
}

stops_in_time() { # STATUS: tells whether the daemon ends in time and with this exit status
	local status=0
	begin_stop
	wait "$daemon_pid" || status=$?
	took_not_too_long
	[ $status -eq "$1" ]
}

set_delay() { # OPTION...: sets the options of the filter of the disk "slow", and empties the log before
	: >$log
	echo "file/slow.img;filter=delay$*" >$core/user_1/slow/attrib/dev_config
	wait_for logged 'filters from now on: delay'
}

read_block() { dd if="$1" of=/dev/null bs=4k count=1 iflag=direct; }             # DISK
write_block() { dd if=/dev/zero of="$1" bs=4k count=1 seek="$2" oflag=direct; } # DISK BLOCK

has_given_up() { logged 'the daemon ends now, although something still hangs'; }
is_zombie() { grep -q '^State:.Z' "/proc/$daemon_pid/status"; }

load_target
load_loop
make_storage
allow_bus_name
start_bus
start_daemon
create 0 disk file//tmp/storage/disk.img $((40 << 20))
map 0 disk 0
disk=$(loop_disk 0)
ready "$disk"

step "a filter delays I/O for long"
create 1 slow 'file/slow.img;filter=delay' $((1 << 20))
echo $((8 * GUEST_FACTOR)) >$core/user_1/slow/attrib/cmd_time_out # the longest time that the next daemon delays the I/O
map 1 slow 1
slow=$(loop_disk 1)
ready "$slow"
set_delay ';read=1000s'
read_block "$slow" >/tmp/out 2>&1 &
waiting=$!
wait_for busy "$slow"
sleep 1
stops_in_time 1
has_given_up
start_daemon
wait_for logged 'D-Bus: this daemon owns' # set_delay empties the log
set_delay
wait $waiting
unmap 1
remove 1 slow
no_kernel_error

step "D-Bus hangs"
kill -STOP "$(</run/dbus/pid)"
stops_in_time 0
step "D-Bus hangs before the daemon connects to it"
start_daemon
stops_in_time 0
kill -CONT "$(</run/dbus/pid)"
start_daemon
wait_for logged 'D-Bus: this daemon owns'
ready "$disk"

step "the storage hangs inside the kernel, so that a thread of the daemon cannot end"
freeze
write_block "$disk" 100 >/tmp/out 2>&1 &
waiting=$!
wait_for busy "$disk"
sleep 1
begin_stop
wait_for has_given_up
wait_for is_zombie
took_not_too_long
thaw
fails wait "$daemon_pid"
start_daemon
wait $waiting
no_kernel_error

step "a handler hangs"
create 1 hang hang/a $((1 << 20))
map 1 hang 1
hanging=$(loop_disk 1)
write_block "$hanging" 200 >/tmp/out 2>&1 & # in the second half, which never answers
wait_for busy "$hanging"
sleep 1
stops_in_time 1
has_given_up
start_daemon
read_block "$disk"
kill_daemon
