#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# fake_tree.sh SCRIPTS SHELL: runs the scripts with SHELL on a folder that behaves like the kernel's target tree
# (kernel.sh). It checks what the scripts refuse and what they create. For each step that can fail, it also checks
# that a script whose step fails leaves nothing behind.
set -eu
# shellcheck source=lib.sh
. "$(dirname "$(realpath "$0")")/lib.sh"

for script in "$scripts"/*_*.sh "$scripts/status.sh" "$scripts/dependency.sh"; do
	script=${script##*/}
	run "$script" -h || failed "$script -h"
	grep -q "^$script" "$work/out" || failed "$script -h explains nothing"
	! run "$script" 1 2 3 4 5 6 || failed "$script takes six arguments"
	grep -q "^$script" "$work/err" || failed "$script does not explain itself"
done
export FAKE_ID=1000
own_tree=$TCMU_CONFIGFS
unset TCMU_CONFIGFS # only root may use the kernel's tree
refuses 'only root' user_create.sh alloc a 4096
refuses 'only root' status.sh
export TCMU_CONFIGFS="$own_tree"
works 'devices:
targets:' status.sh
unset FAKE_ID

# --- user_create.sh and user_delete.sh
refuses 'not a device name' user_create.sh alloc a/b 4096
refuses 'not a device name' user_create.sh alloc .. 4096
refuses 'not a handler name' user_create.sh al/loc a 4096
refuses 'not a size' user_create.sh alloc a -1
refuses 'not a size' user_create.sh alloc a 0
refuses 'not a size' user_create.sh alloc a 4X
refuses 'not a multiple' user_create.sh alloc a 1000
refuses 'too large' user_create.sh alloc a 99999999T
refuses 'comma' user_create.sh file a 4096 /srv/a,dev_size=1
refuses 'colon' user_create.sh file a 4096 /srv/a:b
refuses '255' user_create.sh file a 4096 "$(printf '%0255d' 0)"
refuses 'no.* device' user_delete.sh a
undoes user_create.sh alloc a 1M
contains "$work/tree/core/user_0/a/enable" 1
contains "$work/tree/core/user_0/a/control" dev_config=alloc/a,dev_size=1048576,hw_max_sectors=2048,max_data_area_mb=128
serial=$(cat "$work/tree/core/user_0/a/wwn/vpd_unit_serial")
echo "$serial" | grep -Eqx '[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}' || failed "not a UUID: $serial"
refuses 'user_0/a already exists' user_create.sh alloc a 4096
works '[INFO] Your backstore directory: user_1/b' user_create.sh file b 4096 /srv/it
grep -q '^dev_config=file//srv/it,' "$work/tree/core/user_1/b/control" || failed "dev_config does not contain CONFIG"
works '[INFO] user_0/a deleted' user_delete.sh user_0/a
works '[INFO] Your backstore directory: user_0/a' user_create.sh alloc a 1048576
contains "$work/tree/core/user_0/a/wwn/vpd_unit_serial" "$serial"

# --- file_create.sh and file_delete.sh
refuses 'not a regular file' file_create.sh "$work" f 4096
undoes file_create.sh "$work/disk" f 1M
[ "$(stat -c %s "$work/disk")" -eq 1048576 ] || failed "the file was not made"
contains "$work/tree/core/fileio_0/f/udev_path" "$work/disk"
refuses 'already served as' file_create.sh "$work/disk" g 1M
works '[INFO] fileio_0/f deleted' file_delete.sh f
from_start FAIL_AT=3
! run file_create.sh "$work/disk" f 1M || failed "file_create.sh succeeds although a step fails"
from_start
[ -f "$work/disk" ] || failed "a file that existed before was removed"
works 'Your backstore path: fileio_0/f' file_create.sh "$work/disk" f 1M

# --- block_create.sh
refuses 'neither' block_create.sh "$work" b
refuses 'not a size' block_create.sh "$work/none" b 1X
refuses 'neither' block_create.sh /dev/null b

# --- target_create.sh
refuses 'not an iSCSI name' target_create.sh iqn.nothing
for name in eui.12 eui.0123456789abcdeg naa.60014 naa.600140512345678901234567890123456; do
	refuses 'not an iSCSI name' target_create.sh $name
done
for portal in 3260 127.0.0.1 127.0.0.1: :3260 host:3260 ::1:3260 '[::1]' 127.0.0.1:0 127.0.0.1:123456; do
	refuses 'portal' target_create.sh $iqn "$portal"
done
refuses 'no file' target_create.sh --chap alice "$work/secret" $iqn
echo "twelve chars and more" >"$work/secret"
chmod 640 "$work/secret"
refuses 'other users can read' target_create.sh --chap alice "$work/secret" $iqn
chmod 600 "$work/secret"
echo "short" >"$work/short"
chmod 600 "$work/short"
refuses '12 to 255' target_create.sh --chap alice "$work/short" $iqn
undoes target_create.sh --chap alice "$work/secret" $iqn '[::1]:3261'
contains "$tpg/attrib/authentication" 1
contains "$tpg/acls/$initiator/auth/userid" alice
contains "$tpg/acls/$initiator/auth/password" "twelve chars and more"
[ -d "$tpg/np/[::1]:3261" ] || failed "the portal was not created"
refuses 'exists' target_create.sh $iqn
works "[INFO] Target $iqn deleted" target_delete.sh $iqn
for name in eui.0123456789abcdef naa.5001405123456789 naa.60014051234567890123456789012345; do
	works "[INFO] Target $name created
[INFO] Portal: 127.0.0.1:3260" target_create.sh $name
	works "[INFO] Target $name deleted" target_delete.sh $name
done
works "[INFO] Target $iqn created
[INFO] Portal: 127.0.0.1:3260" target_create.sh IQN.2026-11.com.Test:DISKS
[ -d "$tpg/np/0.0.0.0:3260" ] || failed "the portal was not created"
contains "$tpg/attrib/authentication" 0
contains "$tpg/enable" 1

# --- target_setup.sh and target_teardown.sh
refuses 'no.* device' target_setup.sh $iqn user_9/a
refuses 'no.* device' target_setup.sh $iqn user_0/..
refuses 'no.* device' target_setup.sh $iqn a
refuses 'no target' target_setup.sh $iqn.2 user_0/a
PATH="$work/bin:$PATH" mkdir "$tpg/acls/$initiator.2"
undoes target_setup.sh $iqn user_0/a
works "[INFO] LUN 1: user_1/b
[INFO] Mapped LUN 1: $initiator
[INFO] Mapped LUN 1: $initiator.2" target_setup.sh $iqn user_1/b
[ "$(readlink -f "$tpg/acls/$initiator/lun_1/b")" = "$tpg/lun/lun_1" ] || failed "LUN 1 is not mapped"
[ "$(readlink -f "$tpg/lun/lun_1/b")" = "$work/tree/core/user_1/b" ] || failed "LUN 1 is not b"
refuses 'already LUN 0 of' target_setup.sh $iqn user_0/a
refuses 'in use' user_delete.sh a
refuses 'has LUNs' target_delete.sh $iqn

odd=$(printf 'o*[\\bd\n]x') # rtslib and mkdir accept such a name
mkdir -p "$work/tree/core/user_7/$odd" "$tpg/lun/lun_7"
printf '%s\n' 'Status: ACTIVATED Config: alloc/o\bd Size: 512 ' >"$work/tree/core/user_7/$odd/info"
ln -s "$work/tree/core/user_7/$odd" "$tpg/lun/lun_7/link"
run status.sh || failed status.sh
rm -r "$work/tree/core/user_7" "$tpg/lun/lun_7"
grep -qxF '  user_7/o*[\bd?]x  alloc/o\bd  512 bytes, not enabled, LUNs: 1' "$work/out" || failed 'the odd name is not shown'
for line in 'user_1/b .*LUNs: 1' "$iqn tpgt_1, enabled" 'portal 0.0.0.0:3260' 'LUN 1: user_1/b' "initiator $initiator, not"; do
	grep -q "$line" "$work/out" || failed "status.sh does not say '$line'"
done

echo "InitiatorName: $initiator" >"$tpg/acls/$initiator/info"
refuses 'logged in' target_teardown.sh $iqn user_0/a
: >"$tpg/acls/$initiator/info"
works "[INFO] LUN 0 removed: user_0/a" target_teardown.sh $iqn user_0/a
refuses 'not a LUN' target_teardown.sh $iqn user_0/a
works "[INFO] LUN 0: fileio_0/f
[INFO] Mapped LUN 0: $initiator
[INFO] Mapped LUN 0: $initiator.2" target_setup.sh $iqn fileio_0/f
for device in fileio_0/f user_1/b; do
	run target_teardown.sh $iqn $device || failed "target_teardown.sh $device"
done
works "[INFO] Target $iqn deleted" target_delete.sh $iqn
works '[INFO] user_0/a deleted' user_delete.sh a
works '[INFO] user_1/b deleted' user_delete.sh user_1/b
works '[INFO] fileio_0/f deleted' file_delete.sh fileio_0/f
rm "$work/disk"
[ "$(listing)" = "tree
tree/core
tree/iscsi" ] || failed "something is left: $(listing)"

# To the scripts, a daemon runs as long as its lock is held.
lock=$work/lock
: >"$lock"
# shellcheck disable=SC2016 # the inner shell expands these
daemon() { TCMU_LOCK=$lock "$shell" -c 'here=$0; . "$here/lio.sh"; daemon_pid' "$scripts"; }
! daemon || failed "the scripts see a daemon although nobody holds the lock"
# The process that locked the file must live: /proc/locks of a PID namespace does not show a lock whose process is gone.
# The shell that flock starts creates the second file, so that this test knows when the lock is held.
# shellcheck disable=SC2016 # the inner shell expands these
flock --no-fork "$lock" sh -c ': >"$0" && exec sleep 1000' "$work/locked" &
holder=$!
while [ ! -e "$work/locked" ]; do
	sleep 0.1
done
daemon >"$work/out" || failed "the scripts see no daemon although the lock is held"
contains "$work/out" $holder
kill $holder
wait $holder || true
! daemon || failed "the scripts see a daemon after the lock was released"
echo "all as expected"
