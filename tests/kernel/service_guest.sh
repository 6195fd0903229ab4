#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Runs in the guest, with the package unpacked over the guest's root. It boots systemd in a process namespace of its
# own, and checks the service as an administrator sees it. The disks themselves are tested by tcmu_basic_guest.sh.
# shellcheck source=guest_lib.sh
. "$(dirname "$0")/guest_lib.sh" - -
# shellcheck source=guest_systemd.sh
. "$here/guest_systemd.sh"
log=/var/log/tcmu-runner.log
boot=/run/boot.log
unit=tcmu-runner.service
service=org.kernel.TCMUService1
device=$core/user_0/disk
: >$log

failed() { # WHERE
	echo "FAILED: $1"
	systemctl --no-pager status $unit
	tail -n 20 $log $boot
	dmesg | tail -n 15
}

if [ "${1-}" != inside ]; then
	boot_systemd $boot $unit
	enter_systemd "$0" inside
fi

active() { systemctl --quiet is-active $unit; }
devices() { busctl --json=short call $service /org/kernel/TCMUService1/Devices1 $service.Devices1 List; }
is_served() { devices | grep -q '"name":{"type":"s","data":"user_0/disk"}.*"data":"served"'; }
main_pid() { systemctl show --value -p MainPID $unit; }
# This takes long, so wait for the log first.
is_another() { active && [ "$(main_pid)" != "$1" ]; }

step "the service starts with the machine, loads the module, and tells systemd that it is ready"
wait_for active
[ -d /sys/module/target_core_user ]
[ "$(systemctl show --value -p NotifyAccess $unit)" = main ]

step "root can use the D-Bus service as targetcli does, and other users cannot"
busctl --json=short call $service /org/kernel/TCMUService1 org.freedesktop.DBus.ObjectManager GetManagedObjects |
	grep -q '"/org/kernel/TCMUService1/file":{"org.kernel.TCMUService1":{"ConfigDesc"'
fails setpriv --reuid=65534 --clear-groups \
	busctl call $service /org/kernel/TCMUService1/file $service CheckConfig s file/x

step "in spite of the unit's hardening, the daemon creates a disk in the folder of a user"
mkdir -p /home/user $device
echo 'dev_config=file//home/user/disk.img,dev_size=67108864' >$device/control
timeout "$patience" sh -c "echo 1 >$device/enable"
wait_for is_served
[ "$(stat -c %s:%a /home/user/disk.img)" = 67108864:600 ]
has_status() { [ "$(systemctl show --value -p StatusText $unit)" = "$*" ]; }
wait_for has_status devices: 1, failed: 0

step "logrotate starts a new log file by the rule of the package"
postrotate=$(sed -n '/postrotate/,/endscript/{//!p}' /etc/logrotate.d/tcmu-runner)
mv /var/log/tcmu-runner.log /var/log/tcmu-runner.log.1
sh -c "$postrotate"
wait_for test -e /var/log/tcmu-runner.log

step "after the daemon is killed, systemd starts it again, and it serves the same devices"
first=$(main_pid)
kill -9 "$first"
wait_for is_another "$first"
wait_for is_served

show() { systemctl show --value -p "$1" $unit; }
in_store() { [ "$(show NFileDescriptorStore)" -eq "$1" ]; } # COUNT

set_up() { # SETTING...: sets them for the unit
	mkdir -p /run/systemd/system/$unit.d
	printf '%s\n' '[Service]' "$@" >/run/systemd/system/$unit.d/test.conf
	systemctl daemon-reload
}

down() { [ "$(main_pid)" -eq 0 ]; }

opened() { # returns whether the daemon uses the descriptor that systemd has kept, and has opened no second one
	logged 'uio0-[0-9.]*: kept open by systemd, used again' &&
		[ "$(find "/proc/$(main_pid)/fd" -lname '*/uio0' | wc -l)" -eq 1 ]
}

is_busy() { # no other process can open the device
	if (exec 3<>/dev/uio0) 2>/tmp/out; then
		return 1
	fi
	grep -q 'Device or resource busy' /tmp/out
}

connect() { (exec 3<>/dev/tcp/127.0.0.1/3270); }

step "systemd keeps the descriptors of the devices"
wait_for in_store 1
opened
modprobe sd_mod
load_loop
map 0 disk 0
disk=$(loop_disk 0)

step "the daemon is killed under load: no process can open the device before the next daemon, and no command fails"
set_up RestartSec=$((4 * GUEST_FACTOR))
# this rate leaves CPU time for systemd
verify "$disk" --time_based --runtime=$((20 + 10 * GUEST_FACTOR)) --rate_iops=100 &
fio_pid=$!
load_on "$disk"
: >$log
first=$(main_pid)
kill -9 "$first"
wait_for down
is_busy
wait_for logged 'served, '
wait_for is_another "$first"
opened
in_store 1

step "the service is restarted under load"
set_up RestartSec=100ms
: >$log
systemctl restart $unit
wait_for logged 'served, '
opened
in_store 1

step "the daemon is stopped with SIGSTOP under load, and the watchdog ends it"
set_up WatchdogSec=$((3 * GUEST_FACTOR)) RestartSec=100ms
systemctl restart $unit
wait_for is_served
: >$log
first=$(main_pid)
kill -STOP "$first"
wait_for logged 'served, '
wait_for is_another "$first"
opened
wait $fio_pid
no_kernel_error
unmap 0

step "while no daemon runs, a device is removed and another one gets its number"
set_up RestartSec=$((4 * GUEST_FACTOR))
: >$log
first=$(main_pid)
kill -9 "$first"
wait_for down
timeout "$patience" rmdir $device
mkdir $device
truncate -s 1M /home/user/other.img # the daemon creates no file for a device that it finds at its start
echo "dev_config=file//home/user/other.img,dev_size=1048576,nl_reply_supported=-1" >$device/control
timeout "$patience" sh -c "echo 1 >$device/enable" # the kernel does not wait for an answer here
[ -e /dev/uio0 ]
wait_for logged 'served, '
wait_for is_another "$first"
logged 'uio0-[0-9.]*: kept open by systemd, but not used any more: closed'
fails opened
wait_for in_store 1

step "a device is removed"
timeout "$patience" rmdir $device
wait_for in_store 0
mkdir $device
echo 'dev_config=file//home/user/disk.img,dev_size=67108864' >$device/control
timeout "$patience" sh -c "echo 1 >$device/enable"
wait_for in_store 1

step "the daemon's own portal refuses no initiator between two daemons"
set_up RestartSec=$((4 * GUEST_FACTOR)) ExecStart= 'ExecStart=/usr/bin/tcmu-runner --kernel --export alloc/a,size=1M --portal 127.0.0.1:3270'
systemctl restart $unit
wait_for in_store 3 # the descriptors of the device, the portal, and the memory of the disk
first=$(main_pid)
kill -9 "$first"
wait_for down
connect
is_busy
wait_for logged 'portal-[0-9.]*: kept open by systemd, used again'
wait_for is_another "$first"
in_store 3
set_up
systemctl restart $unit
wait_for logged 'portal-[0-9.]*: kept open by systemd, but not used any more: closed'
wait_for in_store 2 # the memory is kept for a minute, for a disk that appears later
fails connect

step "a call to the stopped service makes D-Bus start it"
systemctl stop $unit
[ "$(show Result)" = success ]
in_store 0
fails is_busy
wait_for is_served
active

timeout "$patience" rmdir $device
systemctl stop $unit
[ "$(show Result)" = success ]
