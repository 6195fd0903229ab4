#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# guest: -m 1024 -p initiator
# scst_guest.sh DAEMON HANDLER-PATH TCMUCTL: imports the example of SCST's HOWTO
# (tests/tcmuctl/import/scst-howto), and serves it with the daemon of an ordinary user. The kernel's initiator uses the
# disks under a name that has its own group and under another name, and tries an address that initiators.deny refuses.
# shellcheck source=guest_lib.sh
. "$(dirname "$0")/guest_lib.sh"
# shellcheck source=live_lib.sh
. "$here/live_lib.sh"
fixture=$(realpath "$here/../tcmuctl/import/scst-howto")
target=iqn.2007-05.com.example:storage.disk1
backup=iqn.1993-08.org.debian:01:backup
allowed=192.168.22.2 refused=192.168.22.4

import() {
	local file name size options=()
	mkdir -p $live
	for file in scst.conf iscsi-scstd.conf initiators.allow initiators.deny; do
		sed "s|@DIR@|$live|g" "$fixture/$file" >"$live/$file"
		options+=("--${file/./-}" "$live/$file")
	done
	while read -r name size; do
		truncate -s "$size" "$live/$name"
	done <"$fixture/disks"
	echo "this is vdisk0" | dd of=$live/vdisk0.img conv=notrunc status=none
	echo "this is vdisk1" | dd of=$live/vdisk1.img conv=notrunc status=none
	copy_programs
	"$tcmuctl" import-scst "${options[@]}" -o $saveconfig
	chown $user:$user $saveconfig
}

use_name() { # NAME: sets the name of the initiator for the sessions that follow
	node $target -o delete 2>/dev/null || true
	iscsiadm -m iface -I as -o delete 2>/dev/null || true
	iscsiadm -m iface -I as -o new
	iscsiadm -m iface -I as -o update -n iface.transport_name -v tcp
	iscsiadm -m iface -I as -o update -n iface.initiatorname -v "$1"
}

discover() { # ADDRESS: prints the targets that discovery shows there
	local pair database="iscsiadm -m discoverydb -t sendtargets -I as -p $1"
	$database -o delete >/dev/null 2>&1 || true
	$database -o new >/dev/null
	for pair in authmethod=CHAP username=finder password=findersecret12; do
		$database -o update -n "discovery.sendtargets.auth.${pair%%=*}" -v "${pair#*=}"
	done
	$database --discover
}

log_in_at() { # ADDRESS: logs in with the accounts of iscsi-scstd.conf
	node $target -I as -p "$1" -o new >/dev/null
	set_account $target joe joessecret123
	node $target -o update -n node.session.auth.username_in -v target
	node $target -o update -n node.session.auth.password_in -v targetsecret12
	node $target -I as -p "$1" --login
}

check_disk() { # LUN TEXT SECTORS RO: compares the disk's first text, size and write protection
	local disk
	wait_for disk_of $target "$1"
	disk=$(disk_of $target "$1")
	[[ $(dd if="$disk" bs=4k count=1 iflag=direct status=none | head -n 1) == "$2" ]]
	[ "$(<"/sys/block/${disk##*/}/size")" -eq "$3" ]
	[ "$(<"/sys/block/${disk##*/}/ro")" -eq "$4" ]
}

check_luns() { # LUNS...
	local lun luns=()
	for lun in "$(session_of $target)"/device/target*/[0-9]*; do
		luns+=("${lun##*:}")
	done
	[ "${luns[*]}" = "$*" ]
}

step "import and start"
ip address add $allowed/32 dev lo
ip address add $refused/32 dev lo
import
start_live 3260
cat $log
[ -z "$(ctl diff)" ]
start_initiator

step "the initiator that has its own group logs in"
use_name $backup
discover $allowed >/tmp/found
grep -F "$allowed:3260,1 $target" /tmp/found
log_in_at $allowed
check_disk 0 'this is vdisk1' 1952 1
check_disk 5 'this is vdisk0' 131072 1
check_luns 0 5
fails dd if=/dev/zero of="$(disk_of $target 5)" bs=4k count=1 oflag=direct
log_out $target

step "another initiator sees the LUNs of the group Default"
use_name "$initiator"
log_in_at $allowed
check_disk 0 'this is vdisk0' 131072 0
check_disk 1 'this is vdisk1' 1952 1
check_luns 0 1
fails dd if=/dev/zero of="$(disk_of $target 1)" bs=4k count=1 oflag=direct
verify "$(disk_of $target 0)" --size=1M --offset=1M
log_out $target

step "addresses in initiators.deny are refused"
use_name $backup
for address in $refused 127.0.0.1; do
	discover "$address" >/tmp/found 2>&1 || true
	fails grep -F $target /tmp/found
	fails log_in_at "$address"
	node $target -o delete
done
log_in_at $allowed # the refusal at another address has no effect here
log_out $target

step "stop"
kill "$iscsid_pid"
stop_daemon
fails grep 'I/O error' <(dmesg)
