#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# guest: -m 1024 -p bus -p tcmu-runner -p libtcmu2
# beside_guest.sh DAEMON HANDLER-PATH: runs Debian's tcmu-runner at the same time as this daemon. Each of them has its
# own handlers. Debian's tcmu-runner refuses all devices whose handlers it does not have, including those of this
# daemon.
# shellcheck source=guest_lib.sh
. "$(dirname "$0")/guest_lib.sh"
debian_log=/var/log/tcmu-runner.log
shown_after_failure+=(/tmp/debian.log "$debian_log")
: | tee "${shown_after_failure[@]}"

start_debian_daemon() {
	: >$debian_log
	/usr/bin/tcmu-runner >/tmp/debian.log 2>&1 &
	debian_pid=$!
	wait_for logged 'Handler qcow is registered' $debian_log
	wait_for logged "POSIX.* $debian_pid " /proc/locks
	wait_for logged '^unblocked$' $parameters/block_netlink
}

stop_debian_daemon() {
	kill "$debian_pid"
	wait "$debian_pid"
}

owner_is() { # PID of the owner of the bus name
	dbus-send --system --print-reply=literal --dest=org.freedesktop.DBus / org.freedesktop.DBus.GetConnectionUnixProcessID \
		string:org.kernel.TCMUService1 | grep -q " $1\$"
}

make_debian_device() { # NAME
	head -c 1M /dev/urandom >/tmp/random
	qemu-img convert -O qcow2 /tmp/random "/tmp/$1"
	timeout "$patience" sh -c "mkdir -p $core/user_90/$1 && echo dev_config=qcow//tmp/$1,dev_size=1048576 >$core/user_90/$1/control &&
		echo 1 >$core/user_90/$1/enable"
}

# refused WHAT: prints how often Debian's tcmu-runner has refused to do WHAT (add, remove, ...) with devices of this
# daemon.
refused() { grep -c "device_$1:" $debian_log || true; }
has_refused() { [ "$(refused "$1")" -gt "$2" ]; } # WHAT TIMES

# Creates and removes a device without the scripts. The kernel waits for an answer, and may get that of Debian's
# tcmu-runner. The next event follows only after Debian's tcmu-runner has answered, because the kernel would take a
# late answer for the answer to the next event.
ask_both() {
	local adds removes created=
	adds=$(refused add) removes=$(refused remove)
	! create 7 asked alloc/asked 1048576 >/tmp/out 2>&1 || created=yes
	wait_for has_refused add "$adds"
	remove 7 asked
	[ -z "$created" ] || wait_for has_refused remove "$removes"
}

# Checks that a device of this daemon and a device of Debian's tcmu-runner both work.
check_both() {
	local created
	created=$(./user_create.sh file "new$1" 32M)
	created=${created##* }
	created=${created%/*}
	map "${created#user_}" "new$1" 1
	verify "$(loop_disk 1)" --size=4M
	./status.sh >/tmp/out
	grep -q "new$1 .*, served, [0-9]* commands, LUNs: 1" /tmp/out
	grep -q "another tcmu-runner: running, process $debian_pid" /tmp/out
	unmap 1
	./user_delete.sh "new$1"

	make_debian_device "their$1"
	map 90 "their$1" 2
	dd if="$(loop_disk 2)" bs=64k iflag=direct status=none | cmp - /tmp/random
	unmap 2
	remove 90 "their$1"
}

load_target
load_loop
allow_bus_name
start_bus
cd "$scripts"

step "this daemon starts first, then Debian's tcmu-runner, under load"
start_daemon
./user_create.sh file first 32M
map 0 first 0
verify "$(loop_disk 0)" --time_based --runtime=6 --rate_iops=200 & # this rate leaves CPU time for the other processes
fio=$!
start_debian_daemon
owner_is $daemon_pid
check_both 1
wait $fio
# Debian's tcmu-runner refuses the new size, and this daemon accepts it. Whichever answer the kernel uses, the disk gets
# the new size.
timeout "$patience" sh -c "echo $((64 << 20)) >$core/user_0/first/attrib/dev_size" || [ $? -ne 124 ]
size_is() { [ "$(cat $core/user_0/first/attrib/dev_size)" -eq "$1" ]; }
wait_for size_is $((64 << 20))
grep -q "another tcmu-runner (process $debian_pid)" $log

step "this daemon is killed, and starts again after Debian's tcmu-runner"
kill_daemon
wait_for owner_is "$debian_pid"
start_daemon
grep -q "another tcmu-runner (process $debian_pid)" $log
grep -q "another process owns org.kernel.TCMUService1" $log
verify "$(loop_disk 0)" --size=4M
check_both 2

step "both daemons run, and devices are refused"
fails ./user_create.sh file bad 1M no-such-folder/bad
grep -q 'file/no-such-folder/bad: No such file' /tmp/out
fails compgen -G "$core/user_*/bad"
for _ in 1 2 3 4; do
	ask_both
done
# the creator of this device does not wait for an answer, so it does not learn that the daemon refuses the device
create 8 unasked file/no-such-folder/unasked 1048576 nl_reply_supported=-1
wait_for logged "user_8/unasked .*: not served"
mkdir /tmp/state/no-such-folder
wait_for logged "user_8/unasked .*: served"
echo 512 >$core/user_8/unasked/attrib/dev_size # this write succeeds, although the daemon refuses it
is_back() { [ "$(cat $core/user_8/unasked/attrib/dev_size)" -eq 1048576 ]; }
wait_for is_back
remove 8 unasked

step "Debian's tcmu-runner works after this daemon has ended"
stop_daemon
make_debian_device alone
remove 90 alone

step "this daemon works after Debian's tcmu-runner has ended"
stop_debian_daemon
start_daemon
wait_for owner_is $daemon_pid
create 7 waits alloc/waits 1048576
remove 7 waits
unmap 0
./user_delete.sh first
stop_daemon
no_kernel_error
