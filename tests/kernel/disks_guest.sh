#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# guest: -m 1536 -p bus -p initiator -p lvm
# disks_guest.sh DAEMON HANDLER-PATH [all]: serves disks of each handler, with blocks of 512 and of 4096 bytes,
# through LIO's iSCSI target and through tcm_loop at the same time. The test uses each disk through one of these front
# ends, or with "all" through both. Then it resizes one disk, and restarts the daemon while an initiator uses the disk.
# shellcheck source=guest_lib.sh
. "$(dirname "$0")/guest_lib.sh"
all=${3-}
size=$((64 << 20))
iqn=iqn.2026-11.com.test:disks

configs=() blocks=() # The configuration and block size of LUN N.
front_ends=(iSCSI tcm_loop)

# Makes the loop devices, and the logical volumes on a loop device, that the disks of the handler block use.
make_block_devices() {
	modprobe -a loop dm_mod
	printf 'activation {\n udev_sync=0\n udev_rules=0\n}\n' >/etc/lvm/lvmlocal.conf # there is no udev here
	for disk in loop0 loop1 volume; do
		truncate -s $((size + (4 << 20))) /tmp/$disk.img
	done
	losetup /dev/loop0 /tmp/loop0.img
	losetup /dev/loop1 /tmp/loop1.img
	losetup /dev/loop2 /tmp/volume.img
	pvcreate -q /dev/loop2
	vgcreate -q vg /dev/loop2
	lvcreate -q -y -Wn -L 32M -n lv0 vg
	lvcreate -q -y -Wn -L 32M -n lv1 vg
} >/tmp/out 2>&1

add_disk() { # CONFIG BLOCK-SIZE SIZE: adds a disk as the next LUN of both fabrics
	local lun=${#configs[@]}
	configs+=("$1") blocks+=("$2")
	create "$lun" disk "$1" "$3" "hw_block_size=$2,max_data_area_mb=64"
	map "$lun" disk "$lun"
	add_iscsi_lun "$lun"
}

# Makes the device a LUN of the iSCSI target. target_setup.sh does the same, but takes longer.
add_iscsi_lun() { # LUN
	local portal_group=$tree/iscsi/$iqn/tpgt_1
	local acl=$portal_group/acls/$initiator/lun_$1
	mkdir "$portal_group/lun/lun_$1" "$acl"
	ln -s "$core/user_$1/disk" "$portal_group/lun/lun_$1/link"
	ln -s "$portal_group/lun/lun_$1" "$acl/link"
}

add_disks() {
	local block
	for block in 512 4096; do
		local n=$((block / 4096))
		add_disk "file/disk$n.img" $block $size
		add_disk "alloc/disk$n" $block $size
		add_disk "block//dev/loop$n" $block $((size + (4 << 20)))
		add_disk "block//dev/vg/lv$n" $block $((32 << 20))
	done
}

log_in() {
	start_initiator
	iscsiadm -m discovery -t sendtargets -p 127.0.0.1 --login
	wait_for iscsi_disks ${#configs[@]}
}

# Data that is written through one fabric must be read through the other.
check_same_medium() { # DISK DISK
	dd if=/dev/urandom of=/tmp/random bs=1M count=4 status=none
	dd if=/tmp/random of="$1" bs=1M oflag=direct status=none
	dd if="$2" bs=1M count=4 iflag=direct status=none | cmp - /tmp/random
}

# I/O of 1 MiB must be one command in the ring.
check_large_io() { # LUN DISK
	local before
	[ "$(cat "/sys/block/${2#/dev/}/queue/max_sectors_kb")" -ge 1024 ]
	ready "$2"
	before=$(value_of "$1" disk commands)
	dd if=/dev/zero of="$2" bs=1M count=4 oflag=direct status=none
	dd if="$2" of=/dev/null bs=1M count=4 iflag=direct status=none
	[ $(($(value_of "$1" disk commands) - before)) -eq 8 ]
}

has_new_size() { [ "$(blockdev --getsize64 "$1")" -eq $((size + (32 << 20))) ]; } # DISK

# The new size is visible through the first fabric, whose initiator is notified and scans again when it is asked to.
resize() {
	local disk lun=0
	disk=$(iscsi_disk $lun)
	echo $((size + (32 << 20))) >$core/user_$lun/disk/attrib/dev_size
	fails sg_turs -v "$disk"
	grep -q 'Capacity data has changed' /tmp/out
	fails has_new_size "$disk"
	iscsiadm -m session --rescan >/tmp/out
	wait_for has_new_size "$disk"
	fails sh -c "echo $size >$core/user_$lun/disk/attrib/dev_size"
	[ "$(cat $core/user_$lun/disk/attrib/dev_size)" -eq $((size + (32 << 20))) ]
	dd if=/dev/zero of="$disk" bs=1M count=1 seek=$(((size >> 20) + 31)) oflag=direct status=none
}

load_target
load_loop
make_block_devices
allow_bus_name
start_bus
start_daemon
modprobe iscsi_target_mod
mkdir -p /etc/iscsi
echo "InitiatorName=$initiator" >/etc/iscsi/initiatorname.iscsi
"$scripts/target_create.sh" $iqn 127.0.0.1:3260
add_disks
log_in
for lun in "${!configs[@]}"; do
	disks=("$(iscsi_disk "$lun")" "$(loop_disk "$lun")")
	check_same_medium "${disks[@]}"
	for front_end in "${!front_ends[@]}"; do
		[ "$all" ] || [ $(((lun + lun / 4) % 2)) -eq "$front_end" ] || continue
		step "${configs[lun]}, blocks of ${blocks[lun]} bytes, as ${disks[front_end]} by ${front_ends[front_end]}"
		[ "$(blockdev --getss "${disks[front_end]}")" -eq "${blocks[lun]}" ]
		case $all$lun in
		[0167] | all*) check_identity "${disks[front_end]}" ;; # each handler, block size and front end
		esac
		check_large_io "$lun" "${disks[front_end]}"
		use_disk "${disks[front_end]}"
	done
done
step "the disk is resized"
resize
for stop in stop_daemon kill_daemon; do
	survives_restart "$(iscsi_disk 0)" $stop
done
no_kernel_error
