#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# alua_guest.sh DAEMON HANDLER-PATH: tests target port groups over tcm_loop. It compares what initiators see with
# the kernel's configfs, and what an initiator sets with the state that the kernel has afterwards.
# shellcheck source=guest_lib.sh
. "$(dirname "$0")/guest_lib.sh"
device=$core/user_0/disk
alua=$device/alua
second=${tpg%_1}_2

generic() { # TPG: prints the sg device of its LUN 0
	set -- "/sys/class/scsi_device/$(<"$1/address"):0/device/scsi_generic"/*
	[ -e "$1" ] && echo "/dev/${1##*/}"
}

link() { # TPG
	mkdir -p "$1/lun/lun_0"
	ln -s "$device" "$1/lun/lun_0/link"
	wait_for generic "$1"
}

set_group() { # GROUP FILE VALUE
	echo "$3" >"$alua/$1/$2"
}

group_is() { # GROUP FILE VALUE
	[ "$(<"$alua/$1/$2")" = "$3" ]
}

# --- the contents of configfs, in the form in which sg_rtpg prints them

supports() { echo "$(<"$group/alua_support_$1")"; }

print_group() { # PORTS
	printf '  target port group id : 0x%x , Pref=%d, Rtpg_fmt=0\n' "$(<"$group/tg_pt_gp_id")" "$(<"$group/preferred")"
	printf '    target port group asymmetric access state : 0x%02x\n' "$(<"$group/alua_access_state")"
	printf '    T_SUP : %d, O_SUP : %d, LBD_SUP : %d, U_SUP : %d, S_SUP : %d, AN_SUP : %d, AO_SUP : %d\n' \
		"$(supports transitioning)" "$(supports offline)" "$(supports lba_dependent)" "$(supports unavailable)" \
		"$(supports standby)" "$(supports active_nonoptimized)" "$(supports active_optimized)"
	case $(<"$group/alua_access_status") in
	None) echo '    status code : 0x00' ;;
	*Explicit*) echo '    status code : 0x01' ;;
	*Implicit*) echo '    status code : 0x02' ;;
	esac
	printf '    vendor unique status : 0x00\n    target port count : %02x\n    Relative target port ids:\n' $#
	printf '      0x%02x\n' "$@"
}

configured() {
	local group member ports
	echo 'Report target port groups:'
	for group in "$alua"/*; do
		ports=()
		for member in $(tr -d '\0' <"$group/members"); do
			member=${member/#iSCSI/iscsi} # the name of the fabric's folder
			ports+=("$(<"$tree/${member%/*}/lun/${member##*/}/statistics/scsi_port/indx")")
		done
		[ ${#ports[@]} -eq 0 ] || print_group "${ports[@]}"
	done
}

reported() { sg_rtpg --decode "$@" | sed 's/ (.*)//'; } # [OPTIONS] SG

agrees() { configured | diff - <(reported "$disk") >/tmp/out; }

designators() { # Prints the designators of the port as "NUMBER GROUP", each if it is reported.
	sg_vpd --page=di "$disk" | sed -n 's/.*\(Relative target port\|Target port group\): \(0x.*\)/\2/p' | xargs
}

designators_are() { [ "$(designators)" = "$1" ]; }

tpgs_is() { sg_inq "$disk" | grep "TPGS=$1" >/tmp/out; }

# Prints which of the commands that report and set groups are listed as supported.
listed() {
	ready "$disk"
	sg_opcodes "$disk" | grep -c 'target port groups' || true
}

# counts the changes that the first port has reported
count_state_changes() { dmesg | grep -c 'sd 0:0:1:0: Asymmetric access state changed' || true; }

has_new_state_change() { # BEFORE
	sg_turs "$disk" || true
	[ "$(count_state_changes)" -gt "$1" ]
}

# SG: the kernel refuses most commands in this state
in_standby() { fails sg_turs --verbose "$1" && grep 'standby state' /tmp/out; }

refused() { # OPTIONS...: the exit status is ignored, because it does not tell the reason
	sg_stpg "$@" "$disk" >/tmp/out 2>&1
	grep -q 'Illegal request' /tmp/out
}

# --- what the initiator itself reads, if its kernel has ALUA

access_state() { cat "/sys/class/scsi_device/$(<$tpg/address):0/device/access_state"; }

access_state_is() { [ "$(access_state)" = "$1" ]; }

load_target
load_loop
modprobe sg
initiator_reads=
! modprobe scsi_dh_alua 2>/dev/null || initiator_reads=yes
mkdir -p "$second"
echo naa.5001405000000003 >"$second/nexus"
start_daemon
create 0 disk alloc/disk $((1 << 20))

step "one port is in the kernel's default group"
link $tpg
disk=$(generic $tpg)
port=$(<$tpg/lun/lun_0/statistics/scsi_port/indx)
# The number that the designators contain while there is one port. Newer kernels give the designators of tcm_loop no
# number.
only=0x0
[ "$port" -eq 0 ] || only="$(printf 0x%x "$port") 0x0"
# The initiator's kernel has read this when it found the disk. It was the first command that the daemon got for the
# disk.
[ "$(od -An -tx1 -j5 -N1 "/sys/class/scsi_device/$(<$tpg/address):0/device/inquiry")" = ' 30' ] # TPGS is 3
designators_are "$only"
ready "$disk"
agrees
[ "$(listed)" -eq 2 ]
[ -z "$initiator_reads" ] || access_state_is active/optimized

step "the initiator is notified of changed states"
for state in 1 2 3 15 0; do
	set_group default_tg_pt_gp alua_access_state $state
	wait_for agrees
done
set_group default_tg_pt_gp implicit_trans_secs 60
wait_for agrees
reported --extended "$disk" | grep 'Implicit transition time: 60' >/tmp/out
ready "$disk"
if [ "$initiator_reads" ]; then
	set_group default_tg_pt_gp alua_access_state 1
	sg_turs "$disk" || sg_turs "$disk" || true
	wait_for access_state_is active/non-optimized
	set_group default_tg_pt_gp alua_access_state 0
	sg_turs "$disk" || sg_turs "$disk" || true
	wait_for access_state_is active/optimized
fi

step "a second port joins the same group"
link "$second"
wait_for agrees
wait_for designators_are 0x0

step "the second port moves to its own group"
mkdir "$alua/b"
set_group b tg_pt_gp_id 4660
echo b >"$second/lun/lun_0/alua_tg_pt_gp"
wait_for agrees
wait_for designators_are ''
set_group b preferred 1
wait_for agrees
ready "$disk"
# The initiator notices the change although it does not ask. The daemon reports the change also to the port of the
# other group; the kernel does not.
before=$(count_state_changes)
set_group b alua_access_state 2
wait_for has_new_state_change "$before"
ready "$disk"
agrees
reported "$disk" | grep 'state : 0x02' >/tmp/out
wait_for in_standby "$(generic "$second")"

step "an initiator sets states"
sg_stpg --tp=4660 --state=ao "$disk"
group_is b alua_access_state 0
group_is b alua_access_status 'Altered by Explicit STPG'
ready "$disk"
agrees
grep -q 'changed target port group 4660 to state 0' $log
set_group b alua_support_standby 0
wait_for agrees
ready "$disk"
refused --tp=4660 --state=s
group_is b alua_access_state 0
set_group b alua_access_type 1
wait_for agrees
ready "$disk"
refused --tp=4660 --state=an
group_is b alua_access_state 0

step "initiators may not set states, and then ALUA is switched off"
set_group default_tg_pt_gp alua_access_type 1
wait_for tpgs_is 1
[ "$(listed)" -eq 1 ]
set_group default_tg_pt_gp alua_access_type 0
set_group b alua_access_type 0
wait_for tpgs_is 0
[ "$(listed)" -eq 0 ]
fails sg_rtpg "$disk"
set_group default_tg_pt_gp alua_access_type 3
wait_for tpgs_is 3
echo 0 >$device/attrib/alua_support
wait_for tpgs_is 0
echo 1 >$device/attrib/alua_support
wait_for tpgs_is 3

step "the designators of a device ignore a disabled port"
rm "$second/lun/lun_0/link"
wait_for designators_are "$only"
modprobe iscsi_target_mod
remote=$tree/iscsi/iqn.2026-11.test:remote/tpgt_1
mkdir -p "$remote/lun/lun_3"
ln -s "$device" "$remote/lun/lun_3/link"
echo b >"$remote/lun/lun_3/alua_tg_pt_gp"
wait_for agrees
configured | grep 0x1234 >/tmp/out
designators_are "$only"
mkdir "$remote/np/127.0.0.1:3260"
echo 1 >"$remote/enable"
wait_for designators_are ''
echo 0 >"$remote/enable"
wait_for designators_are "$only"

step "the daemon is restarted"
stop_daemon
set_group b preferred 0
set_group b alua_access_type 3
set_group default_tg_pt_gp alua_access_state 1
start_daemon
ready "$disk"
agrees
kill_daemon
set_group b alua_access_state 1
start_daemon
ready "$disk"
agrees

step "a group and the device are removed"
rm "$remote/lun/lun_3/link"
rmdir "$alua/b"
wait_for agrees
designators_are "$only"
rm $tpg/lun/lun_0/link
remove 0 disk
wait_for logged 'user_0/disk.*closed'
fails grep 'target port group' $log
stop_daemon
no_kernel_error
