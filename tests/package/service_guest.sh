#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Runs in the guest: boots systemd, installs the package with dpkg, and goes through what an administrator does with
# tcmu-runner-iscsi.service, from the first configuration to the purge.
# shellcheck source=../kernel/guest_lib.sh
. "$(dirname "$0")/../kernel/guest_lib.sh" - -
# shellcheck source=../kernel/guest_systemd.sh
. "$here/../kernel/guest_systemd.sh"
boot=/run/boot.log
unit=tcmu-runner-iscsi.service
user=tcmu-runner-iscsi
file=/etc/tcmu/iscsi/saveconfig.json
state=/var/lib/tcmu-runner-iscsi
target=iqn.2026-11.test:disks
initiator=iqn.2026-11.test:initiator # first_block.py uses the same name
portal=127.0.0.1:3260
url=iscsi://$portal/$target/0

failed() { # WHERE
	echo "FAILED: $1"
	tail -n 10 /tmp/out
	systemctl --no-pager status $unit
	journalctl --no-pager -o cat -u $unit | tail -n 30
	tail -n 10 $boot
}

if [ "${1-}" != inside ]; then
	boot_systemd $boot
	enter_systemd "$(realpath "$0")" inside
fi

show() { systemctl show --value -p "$1" $unit; }
active() { systemctl --quiet is-active $unit; }
enabled() { systemctl --quiet is-enabled $unit; }
main_pid() { show MainPID; }
is_another() { active && [ "$(main_pid)" != "$1" ]; }
status_of() { sed -n "s/^$1:[[:blank:]]*//p" "/proc/$(main_pid)/status"; } # FIELD
ctl() { tcmuctl --socket /run/tcmu-runner-iscsi/control "$@"; }
is_served() { iscsi-inq -i $initiator "$url" >/tmp/out 2>&1; }
says() { "${@:2}" >/tmp/out 2>&1 || true; grep -qE -- "$1" /tmp/out; } # PATTERN COMMAND...
journal() { journalctl --no-pager -o cat -u $unit >/tmp/journal && grep -qE -- "$1" /tmp/journal; } # PATTERN
in_store() { [ "$(show NFileDescriptorStore)" -eq "$1" ]; } # COUNT
is_down() { [ "$(main_pid)" -eq 0 ]; }
connect() { (exec 3<>/dev/tcp/127.0.0.1/3260); }
first_block() { python3 "$here/first_block.py" $portal $target "$@"; } # LUN [TEXT]
has_text() { first_block "$1" >/tmp/out 2>&1 && [ "$(</tmp/out)" = "$text" ]; } # LUN
drop_in() { # LINE...: writes these lines of the section Service into a drop-in of the unit
	mkdir -p /run/systemd/system/$unit.d
	printf '%s\n' '[Service]' "$@" >/run/systemd/system/$unit.d/test.conf
	systemctl daemon-reload
}

step "the package is installed: the user and the folder exist, and no service for exports runs"
rm -f /usr/sbin/policy-rc.d # this file comes from the host, and may forbid that services start
dpkg --force-unsafe-io --force-confold -i /packages/new.deb >/tmp/out 2>&1
[ "$(stat -c %U:%G:%a /etc/tcmu/iscsi)" = $user:$user:700 ]
[ "$(getent passwd $user | cut -d: -f7)" = /usr/sbin/nologin ]
fails enabled
fails active
systemctl stop tcmu-runner.service
says 'systemctl enable --now tcmu-runner-iscsi' tcmuctl create "$target"

step "the service starts without saveconfig.json, as its own user, without capabilities"
systemctl enable --now $unit
active
[ "$(status_of Uid | cut -f1)" = "$(id -u $user)" ]
[ "$(status_of CapEff)" = 0000000000000000 ]
[ "$(status_of CapBnd)" = 0000000000000000 ]
[ "$(status_of NoNewPrivs)" = 1 ]
[ "$(show WatchdogUSec)" = 1min ]
fails systemctl reload $unit # there is nothing to apply
journal 'tcmuctl reload: .*No such file'
active

step "root's tcmuctl makes the first configuration"
tcmuctl create disk0 file/disk0.img --size 64M >/tmp/out 2>&1
tcmuctl create memory alloc/memory --size 16M >/tmp/out 2>&1
tcmuctl create $target --portal $portal >/tmp/out 2>&1
tcmuctl map $target disk0 --initiator $initiator >/tmp/out 2>&1
tcmuctl map $target memory --initiator $initiator >/tmp/out 2>&1
fails test -e $file
tcmuctl set $target/tpgt_1 attrib/default_cmdsn_depth 48 >/tmp/out 2>&1
tcmuctl save >/tmp/out 2>&1
[ "$(stat -c %U:%a $file)" = $user:600 ]
[ "$(stat -c %U:%a:%s $state/disk0.img)" = $user:600:67108864 ]
is_served

step "after a restart the service serves the saved configuration, and the memory of a disk is kept"
in_store 2 # the portal and the memory
text="kept over a restart"
first_block 1 "$text" >/tmp/out 2>&1
systemctl restart $unit
is_served
has_text 1

step "after the daemon is killed, systemd starts it again, and no initiator is refused in the meantime"
drop_in RestartSec=$((4 * GUEST_FACTOR))
first=$(main_pid)
kill -9 "$first"
wait_for is_down
connect
wait_for is_another "$first"
is_served
has_text 1

step "a reload applies a changed file, and is refused if unsaved changes would be lost"
sed -Ei 's/("default_cmdsn_depth" *: *)48/\132/' $file
pid=$(main_pid)
systemctl reload $unit
says 32 ctl get $target/tpgt_1 attrib/default_cmdsn_depth
ctl set $target/tpgt_1 attrib/default_cmdsn_depth 16 >/tmp/out 2>&1
fails systemctl reload $unit
journal 'tcmuctl reload: .*not saved'
says 16 ctl get $target/tpgt_1 attrib/default_cmdsn_depth

step "SIGHUP, which logrotate sends, changes nothing"
kill -HUP "$pid"
wait_for journal 'tcmu.conf: read again'
says 16 ctl get $target/tpgt_1 attrib/default_cmdsn_depth
ctl reload --discard >/tmp/out 2>&1
says 32 ctl get $target/tpgt_1 attrib/default_cmdsn_depth
[ "$(main_pid)" = "$pid" ]

step "if both services run, root's tcmuctl asks both"
systemctl restart tcmu-runner.service
says '^tcmu-runner: version' tcmuctl status
grep -q '^tcmu-runner-iscsi: version' /tmp/out
fails tcmuctl delete memory # a LUN leads to it
tcmuctl create spare alloc/spare --size 1M >/tmp/out 2>&1
says spare ctl ls
tcmuctl delete spare >/tmp/out 2>&1

step "images and devices belong to other users"
mkdir -p /srv/images
truncate -s 8M /srv/images/disk1.img
chmod 600 /srv/images/disk1.img
says "Permission denied; this process runs as the user $user" ctl create disk1 file//srv/images/disk1.img
chown $user /srv/images/disk1.img
ctl create disk1 file//srv/images/disk1.img >/tmp/out 2>&1
modprobe loop
truncate -s 8M /srv/images/device.img
device=$(losetup --find --show /srv/images/device.img)
chgrp disk "$device"
chmod 660 "$device"
says "Permission denied; this process runs as the user $user" ctl create disk2 "block/$device"
ctl save >/tmp/out 2>&1
drop_in SupplementaryGroups=disk
systemctl restart $unit
ctl create disk2 "block/$device" >/tmp/out 2>&1

step "a portal has a port below 1024"
says 'CAP_NET_BIND_SERVICE' ctl create $target/tpgt_1/127.0.0.1:860
drop_in AmbientCapabilities=CAP_NET_BIND_SERVICE CapabilityBoundingSet=CAP_NET_BIND_SERVICE
systemctl restart $unit
ctl create $target/tpgt_1/127.0.0.1:860 >/tmp/out 2>&1
iscsi-inq -i $initiator "iscsi://127.0.0.1:860/$target/0" >/tmp/out 2>&1
rm -r /run/systemd/system/$unit.d
systemctl daemon-reload

step "a tree: the unit as it is may not mount one"
modprobe fuse
chmod 666 /dev/fuse # as udev does
tree=/run/tcmu-tree
block() { # LANGUAGE: prints the code block of the documentation in this language
	sed -n "/^\`\`\`$1\$/,/^\`\`\`\$/{//!p}" "$here/../../docs/exports-service.md"
}
mkdir -p /run/systemd/system/$unit.d $tree
chown $user $tree
block ini | sed '/NotifyAccess/d; /ExecStartPre/d; /ExecStopPost/d' >/run/systemd/system/$unit.d/test.conf
systemctl daemon-reload
fails systemctl restart $unit
journal 'fusermount3: mount failed: Operation not permitted'
journal "the tree cannot be mounted at $tree"

step "a tree, with the drop-in of the documentation"
block python >/usr/local/sbin/tcmu-mount-tree
chmod 755 /usr/local/sbin/tcmu-mount-tree
block ini >/run/systemd/system/$unit.d/test.conf
systemctl daemon-reload
systemctl restart $unit
[ "$(status_of CapBnd)$(status_of NoNewPrivs)$(status_of Seccomp)" = 000000000000000012 ]
tree_has() { timeout "$patience" test -d "$tree/core/$1"; } # DISK: tells whether the tree shows it
tree_has user_0/disk0
timeout "$patience" mkdir $tree/core/user_0/tree
echo 'dev_config=file/tree.img,dev_size=1048576' >$tree/core/user_0/tree/control
echo 1 >$tree/core/user_0/tree/enable
says tree.img ctl ls
nobody() { setpriv --reuid=65534 --clear-groups timeout "$patience" "$@"; }
nobody ls $tree/core >/tmp/out
fails nobody mkdir $tree/core/user_1
is_served
first=$(main_pid)
kill -9 "$first"
wait_for is_another "$first"
tree_has user_0/disk0
systemctl restart $unit
tree_has user_0/disk0
systemctl stop $unit
[ "$(show Result)" = success ]
fails grep $tree /proc/mounts
rm $state/tree.img
rm -r /run/systemd/system/$unit.d
systemctl daemon-reload
systemctl start $unit

step "saveconfig.json is not a configuration: the start fails once, and says why"
cp -p $file /tmp/good.json
echo nonsense >$file
fails systemctl restart $unit
[ "$(show ActiveState):$(show NRestarts)" = failed:0 ]
journal "$file"
install -o root -m 600 /tmp/good.json $file
fails systemctl restart $unit
journal "$file cannot be read: Permission denied; this process runs as the user $user"
chown $user $file
systemctl restart $unit
is_served

step "the service starts with the machine, without tcmu.conf and with the file that root's import has written"
systemctl stop $unit
mv /etc/tcmu/tcmu.conf /tmp/
rm $file
printf 'HANDLER vdisk_fileio {\n DEVICE d {\n  filename %s\n }\n}\nTARGET_DRIVER iscsi {\n enabled 1\n TARGET %s {\n  LUN 0 d\n  enabled 1\n }\n}\n' \
	/srv/images/disk1.img $target >/tmp/scst.conf
tcmuctl import-scst --scst-conf /tmp/scst.conf -o $file >/tmp/out 2>&1
[ "$(stat -c %U:%a $file)" = $user:600 ]
systemctl start $unit
is_served
mv /tmp/tcmu.conf /etc/tcmu/

step "an upgrade restarts the service and keeps it enabled"
pid=$(main_pid)
dpkg --force-unsafe-io -i /packages/new.deb >/tmp/out 2>&1
is_another "$pid"
enabled
is_served

step "after the removal of the package the service is stopped, and its files stay"
dpkg --force-unsafe-io -r tcmu-runner >/tmp/out 2>&1
fails active
[ "$(stat -c %U $file)" = $user ]
[ -e $state/disk0.img ]

step "after a new installation the service is enabled as before, and serves the same disks"
dpkg --force-unsafe-io -i /packages/new.deb >/tmp/out 2>&1
enabled
systemctl start $unit
is_served

step "a purge leaves only the images and the user"
dpkg --force-unsafe-io -P tcmu-runner >/tmp/out 2>&1
[ ! -e /etc/tcmu ]
[ ! -e /run/tcmu-runner-iscsi ]
[ "$(find $state -mindepth 1)" = $state/disk0.img ]
[ -z "$(find /etc/systemd/system /lib/systemd/system /usr/lib/sysusers.d /usr/lib/tmpfiles.d -name '*tcmu*')" ]
getent passwd $user >/tmp/out
