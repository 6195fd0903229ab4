#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# guest: -m 1024 -p bus -p initiator -p lvm
# scripts_guest.sh DAEMON HANDLER-PATH [devices|targets]: tests the scripts in cases that docs/tutorial.md does not
# show. "devices" tests the scripts without a daemon, with a daemon that dies, with Ctrl-C, with wrong arguments, and many
# scripts at once. "targets" tests the scripts in both kinds of trees, the kernel's own backstores, CHAP, incomplete
# objects, and IPv6. Without this argument, both are tested.
# shellcheck source=guest_lib.sh
. "$(dirname "$0")/guest_lib.sh"
cd "$scripts"
iqn=iqn.2026-11.com.test:disks
secret=/tmp/secret

status_says() { # PATTERN...: each must match a line of status.sh
	local pattern
	./status.sh >/tmp/out
	for pattern; do
		logged "^ *$pattern\$" /tmp/out || return
	done
}

refuses() { # REASON COMMAND...: must fail soon, and must leave nothing behind
	local reason=$1 before
	shift
	before=$(find $tree 2>/dev/null | grep -v '/stat' || true)
	if timeout "$patience" "$@" >/tmp/out 2>&1; then
		echo "this was not refused: $*"
		return 1
	fi
	grep -q "$reason" /tmp/out
	[ "$(find $tree 2>/dev/null | grep -v '/stat' || true)" = "$before" ]
}

without_daemon() {
	step "no module is loaded and no daemon runs"
	fails ./user_create.sh alloc a 1M # the script loads the modules and mounts configfs
	grep -q 'not running' /tmp/out
	[ -d /sys/module/target_core_user ]
	mountpoint -q /sys/kernel/config
	refuses 'not running' ./user_create.sh alloc a 1M
	refuses 'no_such_module cannot be loaded' sh -c 'here=.; . ./lio.sh; need_modules no_such_module'
	status_says 'tcmu-runner: not running'
}

refusals() {
	step "the scripts refuse wrong arguments"
	refuses "no handler 'allok'; it has: alloc " ./user_create.sh allok a 1M
	refuses 'No such file.*' ./user_create.sh file a 1M no-such-folder/a
	./user_create.sh alloc a 1M
	refuses 'user_0/a already exists' ./user_create.sh alloc a 1M
	[ "$(cat $tree/core/user_0/a/attrib/hw_max_sectors)" -eq 2048 ]
	[ "$(cat $tree/core/user_0/a/attrib/max_data_area_mb)" -eq 128 ]
	[ -d "$(cat $tree/dbroot)/pr" ]
	truncate -s 2M /tmp/p.img
	refuses '^\[ERROR\] user_1/p: .*2097152' ./user_create.sh file p 4M /tmp/p.img
	[ "$(wc -l </tmp/out)" -eq 1 ]
	echo InitiatorName=iqn.2026-11.com.test:guest >/tmp/initiator
	export TCMU_INITIATOR_NAME=/tmp/initiator
	modprobe iscsi_target_mod
	mkdir -p $tree/iscsi
	python3 -m http.server 3299 --bind 127.0.0.1 >/dev/null 2>&1 &
	server=$!
	wait_for grep -q :0CE3 /proc/net/tcp
	refuses 'its port is used by' ./target_create.sh $iqn 127.0.0.1:3299
	kill $server
	unset TCMU_INITIATOR_NAME
}

reports_of_the_daemon() {
	step "the scripts show what the daemon reports"
	status_says "tcmu-runner: running, process $daemon_pid" 'handlers: alloc block file null' \
		'user_0/a  alloc/a  1048576 bytes, enabled, served, 0 commands, LUNs: 0'
	./user_create.sh file b 1M 'b~20c.img;cache=writethrough'
	[ "$(stat -c %a:%s '/tmp/state/b c.img')" = 600:1048576 ]
	modprobe -a tcm_loop sd_mod
	load_loop
	map 1 b 0
	status_says 'user_1/b  file/b~20c.img;cache=writethrough  1048576 bytes, enabled, served, [1-9][0-9]* commands, LUNs: 1'
	unmap 0
	rmdir $tpg ${tpg%/*} ${tpg%/*/*}
	mkdir -p $core/user_2/raw $core/user_3/other
	status_says 'user_2/raw .*not enabled, LUNs: 0'
	echo 'dev_config=someone/else,dev_size=1048576,nl_reply_supported=-1' >$core/user_3/other/control
	enable 3 other
	status_says 'user_3/other  someone/else  1048576 bytes, enabled, not served by tcmu-runner, LUNs: 0'
	rmdir $core/user_3/other $core/user_2/raw $core/user_3 $core/user_2

	stop_daemon
	status_says 'tcmu-runner: not running' \
		'user_1/b  file/b~20c.img;cache=writethrough  1048576 bytes, enabled, LUNs: 0'
	mv '/tmp/state/b c.img' /tmp/state/hidden
	mkdir '/tmp/state/b c.img'
	start_daemon
	wait_for status_says 'user_1/b .*enabled, failed: /tmp/state/b c.img: is a directory.*, LUNs: 0'
	kill -STOP "$daemon_pid"
	status_says "tcmu-runner: running, process $daemon_pid; it does not answer on D-Bus" \
		'user_1/b  file/b~20c.img;cache=writethrough  1048576 bytes, enabled, LUNs: 0'
	kill -CONT "$daemon_pid"
	./user_delete.sh b
	rmdir '/tmp/state/b c.img'
}

missing_image() {
	step "the image of a device is missing"
	refuses "Write 'b~20c.img'" ./user_create.sh file b 1M 'b c.img'
	create 9 b 'file/b~20c.img' 1048576 # this is what the service that restores the configuration does
	[ ! -e '/tmp/state/b c.img' ]
	wait_for status_says 'user_9/b .*enabled, failed: /tmp/state/b c.img is missing. It has been served before.*'
	mv /tmp/state/hidden '/tmp/state/b c.img'
	wait_for status_says 'user_9/b .*enabled, served, .*'
	remove 9 b
	rmdir $core/user_9
	rm '/tmp/state/b c.img'
	./user_create.sh file b 1M 'b~20c.img' # the administrator asks for a new disk
	status_says 'user_[0-9]*/b .*enabled, served, .*'
	./user_delete.sh b
}

# NAME: tells whether a process has opened "enable" of the device, in order to write it.
enables() { [ "$(find /proc/[0-9]*/fd -lname "*/$1/enable" 2>/dev/null)" ]; }

dead_daemon() {
	step "the daemon dies while a script waits for it"
	kill_daemon
	refuses 'not running' ./user_delete.sh a
	refuses 'not running' ./user_create.sh alloc b 1M
	start_daemon
	./user_delete.sh a
	kill -STOP "$daemon_pid" # the daemon then holds its lock and does not answer
	./user_create.sh alloc b 1M >/tmp/out 2>&1 &
	script=$!
	wait_for enables b
	sleep 2
	kill -0 $script
	kill_daemon
	fails wait $script
	grep -q 'the daemon did not answer' /tmp/out
	fails ls -d $tree/core/user_*
	[ "$(cat $parameters/block_netlink)" = unblocked ]
	start_daemon
}

interrupted() {
	step "Ctrl-C interrupts a script while the daemon does not answer"
	kill -STOP "$daemon_pid"
	env --default-signal=INT setsid ./user_create.sh alloc b 1M >/tmp/out 2>&1 &
	script=$!
	wait_for enables b
	sleep 1
	kill -INT -- -$script
	before=$SECONDS
	fails wait $script
	[ $((SECONDS - before)) -lt $patience ] # without a signal, the script would wait for a minute
	fails ls -d $tree/core/user_*
	[ "$(cat $parameters/block_netlink)" = unblocked ]
	kill -CONT "$daemon_pid"
	./user_create.sh alloc b 1M
	./user_delete.sh b
}

many_at_once() {
	step "ten scripts run at the same time"
	pids=()
	for i in {1..10}; do
		./user_create.sh alloc "many$i" 1M &
		pids+=($!)
	done
	wait_all "${pids[@]}"
	[ "$(find $tree/core/user_* -name 'many*' | wc -l)" -eq 10 ]
	pids=()
	for i in {1..10}; do
		./user_delete.sh "many$i" &
		pids+=($!)
	done
	wait_all "${pids[@]}"
	fails ls -d $tree/core/user_*
}

both_roots() {
	step "the scripts work in the same way in the trees of the kernel and of a daemon"
	"${0%/*}/../scripts/both_roots.sh" "$scripts"
}

own_backends() {
	step "the kernel's own backstores fileio and iblock"
	modprobe -a loop dm_mod
	printf 'activation {\n udev_sync=0\n udev_rules=0\n}\n' >/etc/lvm/lvmlocal.conf # there is no udev here
	[ "$(./file_create.sh "/tmp/it's a file" f 1M)" = 'Your backstore path: fileio_0/f' ]
	[ "$(stat -c %a:%s "/tmp/it's a file")" = 600:1048576 ]
	./file_delete.sh f
	[ "$(./file_create.sh /tmp/file.img f 1M)" = 'Your backstore path: fileio_0/f' ]
	refuses 'already served as' ./file_create.sh /tmp/file.img g 1M

	[ "$(./block_create.sh /tmp/new.img new)" = '[INFO] /tmp/new.img created, 10485760 bytes
Your backstore path: iblock_0/new' ]
	./block_delete.sh new
	truncate -s 32M /tmp/block.img
	[ "$(./block_create.sh /tmp/block.img b)" = 'Your backstore path: iblock_0/b' ]
	refuses 'already has a loop device' ./block_create.sh /tmp/block.img c
	refuses 'iblock_0/b already exists' ./block_create.sh /dev/loop0 b
	./block_delete.sh b
	[ -z "$(losetup --all)" ]
	./block_create.sh /tmp/block.img b # the script uses the file a second time
	grep -q /dev/vg_b/lv_b $tree/core/iblock_0/b/udev_path
	./block_delete.sh iblock_0/b

	truncate -s 32M /tmp/ext4.img
	mkfs.ext4 -q /tmp/ext4.img
	sum=$(sha1sum </tmp/ext4.img)
	refuses '' ./block_create.sh /tmp/ext4.img c
	[ -z "$(losetup --all)" ] && [ "$(sha1sum </tmp/ext4.img)" = "$sum" ]

	disk=$(losetup --find --show /tmp/ext4.img)
	./block_create.sh "$disk" c
	[ "$(cat $tree/core/iblock_0/c/udev_path)" = "$disk" ]
	./block_delete.sh c
	losetup -d "$disk"
}

log_in() { iscsiadm -m node -T $iqn -p 127.0.0.1 --login; }

chap() {
	step "CHAP"
	start_initiator
	printf '%s\n' 'a dozen or "more" \than that' >$secret
	chmod 600 $secret
	./user_create.sh file disk 1M
	./target_create.sh --chap alice $secret $iqn 127.0.0.1:3260
	./target_setup.sh $iqn user_0/disk
	./target_setup.sh $iqn fileio_0/f
	refuses 'already LUN 0 of' ./target_setup.sh $iqn user_0/disk
	refuses 'in use' ./user_delete.sh disk
	refuses 'has LUNs' ./target_delete.sh $iqn
	iscsiadm -m discovery -t sendtargets -p 127.0.0.1
	fails log_in
	for pair in authmethod=CHAP username=alice "password=$(cat $secret)"; do
		iscsiadm -m node -T $iqn -o update -n "node.session.auth.${pair%%=*}" -v "${pair#*=}"
	done
	log_in
	wait_for iscsi_disk 1
	refuses "logged in: $initiator" ./target_teardown.sh $iqn user_0/disk
	status_says "initiator $initiator, logged in"
	./target_teardown.sh --force $iqn user_0/disk
	iscsiadm -m session -u
	./target_teardown.sh $iqn fileio_0/f
	./target_delete.sh $iqn
	./user_delete.sh disk
	./file_delete.sh f
	[ -f /tmp/state/disk ] && [ -f /tmp/file.img ]
	fails ls -d $tree/core/*_[0-9]*
	fails ls -d $tree/iscsi/iqn*
}

incomplete_objects() {
	step "a target is incomplete"
	./user_create.sh alloc a 1M
	mkdir $tree/iscsi/$iqn
	refuses 'exists' ./target_create.sh $iqn
	refuses 'incomplete' ./target_setup.sh $iqn user_0/a
	./target_delete.sh $iqn
	./target_create.sh $iqn
	mkdir $tree/iscsi/$iqn/tpgt_1/lun/lun_0 "$tree/iscsi/$iqn/tpgt_1/acls/$initiator/lun_1"
	mkdir -p $tree/core/user_1/b
	refuses 'is not enabled' ./target_setup.sh $iqn user_1/b
	./user_delete.sh b
	./target_setup.sh $iqn user_0/a
	[ -L "$tree/iscsi/$iqn/tpgt_1/acls/$initiator/lun_2/a" ]
	./target_teardown.sh $iqn user_0/a
	echo 0 >$tree/iscsi/$iqn/tpgt_1/enable
	./target_delete.sh $iqn
	./user_delete.sh a
}

ipv6() {
	step "a portal with an IPv6 address"
	modprobe ipv6 || true
	grep -q '^0*1 ' /proc/net/if_inet6 || {
		echo "this guest has no IPv6"
		return 0
	}
	[ "$(./target_create.sh $iqn '[::1]:3260')" = "[INFO] Target $iqn created
[INFO] Portal: [::1]:3260" ]
	iscsiadm -m discovery -t sendtargets -p '[::1]:3260' | grep -qxF "[::1]:3260,1 $iqn"
	./target_delete.sh $iqn
}

devices() {
	without_daemon
	start_daemon
	refusals
	reports_of_the_daemon
	missing_image
	dead_daemon
	interrupted
	many_at_once
	stop_daemon
}

targets() {
	load_target
	start_daemon
	both_roots
	own_backends
	chap
	incomplete_objects
	ipv6
	stop_daemon
}

mkdir -p /tmp/state
# The guest's modprobe is a function of bash, which the scripts cannot call.
mkdir -p /tmp/bin
ln -s /run/modprobe /tmp/bin/modprobe
PATH=/tmp/bin:$PATH
allow_bus_name
start_bus
for part in ${3:-devices targets}; do
	$part
done
