#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# guest: -m 1536 -p bus -p initiator -p targetcli
# targetcli_guest.sh DAEMON HANDLER-PATH TCMUCTL: one configuration goes from the kernel's LIO to the daemon of an
# ordinary user and back. Debian's targetcli makes and saves it, the daemon restores and saves it, and Debian's targetctl
# and targetcli restore what the daemon has saved. Each time the kernel's initiator logs in, and must see the same disks.
# shellcheck source=guest_lib.sh
. "$(dirname "$0")/guest_lib.sh"
# shellcheck source=live_lib.sh
. "$here/live_lib.sh"
initiator=iqn.1993-08.org.debian:01:aaaa
target=iqn.2003-01.org.linux-iscsi.host.x8664:sn.7a1b2c3d4e5f
open=iqn.2026-11.com.example:open
closed=iqn.2026-11.com.example:closed
saved=/tmp/saved # a folder of its own, because targetcli makes the folder of its file inaccessible to other users
first=$saved/targetcli.json second=$saved/daemon.json

make_storage() {
	mkdir -p $saved /srv /dev/vg0
	truncate -s 64M /srv/volume.img
	modprobe loop
	losetup /dev/loop0 /srv/volume.img
	ln -s /dev/loop0 /dev/vg0/lv0
}

make_configuration() { # makes the configuration with targetcli
	local options="hw_max_sectors=128 control=max_data_area_mb=16,hw_block_size=4096"
	targetcli >/tmp/targetcli <<TARGETCLI
set global auto_add_default_portal=false
set global auto_add_mapped_luns=false
set global auto_save_on_exit=false
/backstores/fileio create files /srv/disk.img 1G wwn=0c1c2e6a-52de-4a38-9d1a-0c4e5f3d1b01
/backstores/fileio/files set attribute block_size=4096
/backstores/block create volume /dev/vg0/lv0 readonly=true wwn=1b2d3f4a-52de-4a38-9d1a-0c4e5f3d1b02
/backstores/ramdisk create memory 64M wwn=2a3b4c5d-52de-4a38-9d1a-0c4e5f3d1b03
/backstores/user:file create handled 1G /srv/user.img wwn=3f4e5d6c-52de-4a38-9d1a-0c4e5f3d1b04 $options
/backstores/user:file/handled set attribute cmd_time_out=45
/iscsi set discovery_auth enable=1 userid=discovery-user password=discovery-secret
/iscsi create $target
/iscsi/$target/tpg1/portals create ::0 3260
/iscsi/$target/tpg1/luns create /backstores/fileio/files 0
/iscsi/$target/tpg1/luns create /backstores/user:file/handled 5
/iscsi/$target/tpg1/luns create /backstores/block/volume 7
/iscsi/$target/tpg1 set attribute authentication=1 default_cmdsn_depth=32
/iscsi/$target/tpg1 set parameter MaxOutstandingR2T=4
/iscsi/$target/tpg1/acls create $initiator
/iscsi/$target/tpg1/acls/$initiator create 0 5 1
/iscsi/$target/tpg1/acls/$initiator create 9 0
/iscsi/$target/tpg1/acls/$initiator create 3 7
/iscsi/$target/tpg1/acls/$initiator set auth userid=initiator-user password=initiator-secret mutual_userid=target-user mutual_password=target-secret
/iscsi/$target/tpg1/acls create iqn.1993-08.org.debian:01:bbbb
/iscsi/$target/tpg1/acls tag iqn.1993-08.org.debian:01:bbbb cluster
/iscsi/$target create 2
/iscsi/$target/tpg2/portals create 127.0.0.1 3262
/iscsi/$target/tpg2/luns create /backstores/fileio/files 1
/iscsi/$target/tpg2 disable
/iscsi create $open
/iscsi/$open create 3
/iscsi/$open delete 1
/iscsi/$open/tpg3/portals create 127.0.0.1 3261
/iscsi/$open/tpg3/luns create /backstores/ramdisk/memory 0
/iscsi/$open/tpg3 set attribute authentication=1 demo_mode_write_protect=0 generate_node_acls=1
/iscsi/$open/tpg3 set auth userid=anyone password=anyones-secret
saveconfig $first
exit
TARGETCLI
}

log_in_everywhere() {
	log_in $target
	log_in $open
	wait_for disk_of $target 9
	wait_for disk_of $target 3
	wait_for disk_of $target 0
	wait_for disk_of $open 0
}

log_out_everywhere() {
	log_out $target
	log_out $open
}

describe() { # prints the properties of the disks that the initiator sees and that are the same for each target software
	local name lun disk block
	for name in $target:0 $target:3 $target:9 $open:0; do
		lun=${name##*:}
		disk=$(disk_of "${name%:*}" "$lun") block=/sys/block/${disk##*/}
		ready "$disk"
		echo "$name: blocks of $(<"$block/queue/logical_block_size")"
		lsblk -dno SIZE,TYPE "$disk"
		# LIO does not tell initiators that a mapped LUN is write-protected. If Linux knows, it uses no write cache.
		[ "$lun" = 0 ] || cat "$block/ro" "$block"/device/scsi_disk/*/cache_type
		sg_vpd --page=sn "$disk"
		sg_vpd --page=di "$disk" | grep -A 1 'NAA'
		sg_inq "$disk" | grep -i 'vendor\|serial'
	done
}

is_part() { # FIRST SECOND [KEY...]
	python3 "$here/saveconfig_part.py" "$@"
}

device_is() { # STATE STATUS [MORE]: compares what tcmuctl reports about the kernel's device, and its exit status
	local status=0
	"$tcmuctl" status >/tmp/out || status=$?
	[ $status = "$2" ] && logged "^  kernel device +user_[0-9]+/handled +$1 " /tmp/out || return
	[ $# = 2 ] || logged "$3" /tmp/out
}

tcmuctl_shows_the_device() {
	step "tcmuctl shows the kernel's device"
	device_is served 0
	"$tcmuctl" status --json >/tmp/out
	python3 -c 'import json; [service] = json.load(open("/tmp/out"))["services"]; [device] = service["kernel_devices"]
assert device["name"].endswith("/handled") and device["state"] == "served" and device["size"] == 1 << 30, device'
	"$tcmuctl" ls >/tmp/ls # its tree is that of the iSCSI front end, which does not run here
	fails logged handled /tmp/ls
	[ -z "$("$tcmuctl" luns)" ]
	stop_daemon
	mv /srv/user.img /srv/away.img
	start_daemon
	wait_for device_is failed 5 '^  DEGRADED: user_[0-9]+/handled: .*/srv/user.img: no such file'
	mv /srv/away.img /srv/user.img
	wait_for device_is served 0
}

step "targetcli configures the kernel"
load_target
allow_bus_name
start_bus
start_daemon
make_storage
make_configuration
cat /tmp/targetcli
cat $first
[ "$(grep -c '"plugin":' $first)" = 4 ]
step "the initiator uses the kernel's target"
start_initiator
node $target -p 127.0.0.1:3260 -o new
node $open -p 127.0.0.1:3261 -o new
set_account $target initiator-user initiator-secret
node $target -o update -n node.session.auth.username_in -v target-user
node $target -o update -n node.session.auth.password_in -v target-secret
set_account $open anyone anyones-secret
log_in_everywhere
describe >/tmp/kernel
cat /tmp/kernel
echo "files of the kernel" | dd of="$(disk_of $target 9)" bs=4k conv=sync oflag=direct status=none
log_out_everywhere
targetcli clearconfig confirm=True
targetctl restore $first >/tmp/errors_of_first_restore 2>&1 # LIO refuses some values that it has shown itself
cat /tmp/errors_of_first_restore
targetctl clear
stop_daemon

step "the daemon restores the file of targetcli"
mkdir -p $live
cp $first $saveconfig
copy_programs
chown $user /srv /srv/* /dev/loop0
start_live 3260
cat $log
[ -z "$(ctl diff)" ]
log_in_everywhere
describe >/tmp/of_daemon
diff /tmp/kernel /tmp/of_daemon
[[ $(dd if="$(disk_of $target 9)" bs=4k count=1 iflag=direct status=none | head -n 1) == "files of the kernel" ]]
fails dd if=/dev/zero of="$(disk_of $target 0)" bs=4k count=1 oflag=direct
log_out_everywhere
ctl save $live/unchanged.json
is_part $first $live/unchanged.json
ctl create "$target/tpgt_1/$initiator/lun_11" --to $target/tpgt_1/lun_5
ctl create $closed --portal 127.0.0.1:3263
ctl map $closed files
# LIO sets cache_dynamic_acls with generate_node_acls.
ctl set $closed/tpgt_1 attrib/generate_node_acls=1 attrib/cache_dynamic_acls=1 attrib/denied_addresses=192.0.2.0/24
ctl save
cp $saveconfig $second
stop_daemon
cat $second
step "targetctl restores the file of the daemon"
start_daemon
targetctl restore $second >/tmp/out 2>&1
diff /tmp/errors_of_first_restore /tmp/out
[ "$(<$tree/iscsi/$closed/tpgt_1/enable)" = 0 ]
[ "$(<$tree/iscsi/$target/tpgt_1/enable)" = 1 ]
targetctl save $saved/third.json
is_part $second $saved/third.json tcmu_runner
log_in_everywhere
describe >/tmp/again
diff /tmp/kernel /tmp/again
wait_for disk_of $target 11
verify "$(disk_of $target 11)" --size=1M
fails dd if=/dev/zero of="$(disk_of $target 0)" bs=4k count=1 oflag=direct
log_out_everywhere
tcmuctl_shows_the_device

step "targetcli restores the file of the daemon"
targetcli clearconfig confirm=True
targetcli restoreconfig $second >/tmp/restored 2>&1 || true
cat /tmp/restored
[ "$(grep skipped /tmp/restored)" = "$(grep skipped /tmp/errors_of_first_restore)" ]
targetcli saveconfig $saved/fourth.json
is_part $second $saved/fourth.json tcmu_runner
targetcli clearconfig confirm=True
kill "$iscsid_pid"
stop_daemon
no_kernel_error
