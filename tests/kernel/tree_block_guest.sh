#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# guest: -m 1024 -p initiator -p targetcli
# tree_block_guest.sh DAEMON HANDLER-PATH TCMUCTL TCMU-TARGETCLI BUS: Debian's targetcli makes a backstore "block" on the
# tree of a daemon, through tcmu-targetcli, and the kernel's initiator uses the disk. All run as root, because a guest's
# root is a chroot, in which an ordinary user may not create the namespace that tcmu-targetcli needs.
initiator=iqn.2026-11.com.example:guest # a name that rtslib accepts
# shellcheck source=guest_lib.sh
. "$(dirname "$0")/guest_lib.sh"
# shellcheck source=live_lib.sh
. "$here/live_lib.sh"
target=iqn.2026-11.com.example:block
targetcli=$4 bus=$5
user=0

tree_cli() { # runs the commands of standard input in targetcli, whose output goes to /tmp/out
	HOME=$live TCMU_TARGETCLI_BUS=$bus TCMU_TARGETCLI_HANDLERS=$handlers TCMUCTL=$tcmuctl \
		"$targetcli" --tree $live/tree --socket $live/run/control >/tmp/out 2>&1
}

step "start"
modprobe -a loop fuse
mkdir -p $live
truncate -s 64M /tmp/block.img
losetup /dev/loop0 /tmp/block.img
copy_programs
echo '{}' >$saveconfig
start_live 0 --tree $live/tree

step "targetcli makes the backstore"
tree_cli <<TARGETCLI
set global auto_add_default_portal=false
/backstores/block create disk /dev/loop0
/iscsi create $target
/iscsi/$target/tpg1/portals create 127.0.0.1 3260
/iscsi/$target/tpg1/luns create /backstores/block/disk
/iscsi/$target/tpg1/acls create $initiator
ls
saveconfig
exit
TARGETCLI
cat /tmp/out
grep -F 'disk .' /tmp/out | grep -F '/dev/loop0 (64.0MiB)'
grep -F '"/backstores/block/disk"' $saveconfig
fails python3 -c 'import os; os.open("/dev/loop0", os.O_RDWR | os.O_EXCL)' # the daemon uses the device exclusively

step "the initiator uses the disk"
start_initiator
node $target -p 127.0.0.1:3260 -o new
log_in $target
wait_for disk_of $target 0
disk=$(disk_of $target 0)
verify "$disk" --size=2M
echo "through targetcli" | dd of="$disk" bs=4k conv=sync oflag=direct status=none
[ "$(head -n 1 /tmp/block.img)" = "through targetcli" ]
log_out $target

step "targetcli removes the backstore"
tree_cli <<TARGETCLI
clearconfig confirm=True
exit
TARGETCLI
[ -z "$(ctl ls --paths)" ]
losetup -d /dev/loop0
kill "$iscsid_pid"
stop_daemon
no_kernel_error
