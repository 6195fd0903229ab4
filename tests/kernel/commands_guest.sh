#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# guest: -m 1024
# commands_guest.sh DAEMON HANDLER-PATH [all|few [COMMAND...]]: tests the commands that are neither READ nor WRITE,
# from two initiators (two tcm_loop hosts), and the contents of the medium after them. With "all", it uses each
# handler and block size.
# shellcheck source=guest_lib.sh
. "$(dirname "$0")/guest_lib.sh"
all=${3-few}
shift $(($# < 3 ? $# : 3))
other_tpg=$tree/loopback/naa.5001405000000003/tpgt_1
model=/tmp/model # The file with the contents that the medium must have.
area=$((1 << 20)) # The number of bytes that are compared.
declare -i bs blocks # The block size of the disk, and its number of blocks.

# Exit statuses of the sg_* programs.
ILLEGAL=5 INVALID_OPCODE=9 MISCOMPARE=14 OUT_OF_RANGE=22 CONFLICT=24

says() { # STATUS COMMAND...: the command must end with this status
	local expected=$1 status=0
	shift
	"$@" >/tmp/out 2>&1 || status=$?
	[ $status -eq "$expected" ]
}

# --- the model: a file that is changed in the same way as the disk ---

model_write() { # FILE LBA [BLOCKS]
	dd if="$1" of=$model bs=$bs seek="$2" ${3:+count="$3"} conv=notrunc status=none
}

check_medium() { # the medium must have the contents of the model
	# shellcheck disable=SC2086 # an operand or nothing
	dd if="$medium" bs=128k count=$((area >> 17)) $uncached status=none | cmp - $model
}

write_new_contents() { # fills the whole area with new contents
	head -c $area /dev/urandom >$model
	dd if=$model of="$disk" bs=128k oflag=direct status=none
	head -c $bs /dev/urandom >/tmp/block
	check_medium
}

# --- commands ---

test_write_same() {
	write_new_contents
	sg_write_same --10 --in=/tmp/block --lba=3 --num=7 "$disk"
	for lba in {3..9}; do model_write /tmp/block "$lba"; done
	check_medium
	sg_write_same --16 --in=/tmp/block --lba=20 --num=1 "$disk"
	model_write /tmp/block 20
	check_medium
	sg_write_same --16 --ndob --lba=32 --num=32 "$disk"
	model_write /dev/zero 32 32
	check_medium
	sg_write_same --16 --unmap --lba=64 --num=64 "$disk"
	model_write /dev/zero 64 64
	check_medium
	says $OUT_OF_RANGE sg_write_same --16 --in=/tmp/block --lba=$((blocks - 1)) --num=2 "$disk"
	says $ILLEGAL sg_write_same --10 --in=/tmp/block --lba=0 --num=1 --anchor "$disk"
	check_medium
}

test_unmap() {
	write_new_contents
	sg_unmap --force --lba=16,0x40 --num=16,64 "$disk"
	model_write /dev/zero 16 16
	model_write /dev/zero 64 64
	check_medium
	understood sg_get_lba_status --lba=64 "$disk"
	[[ $decoded == *$unmapped* ]]
	understood sg_get_lba_status --lba=0 "$disk"
	[[ $decoded == *mapped* ]]
	says $OUT_OF_RANGE sg_unmap --force --lba=$blocks --num=1 "$disk"
	check_medium
}

test_compare_and_write() {
	write_new_contents
	dd if=$model of=/tmp/old bs=$bs skip=5 count=2 status=none
	head -c $((2 * bs)) /dev/urandom >/tmp/new
	says $MISCOMPARE sg_compare_and_write --in=/tmp/new --inw=/tmp/old --lba=5 --num=2 --xferlen=$((4 * bs)) "$disk"
	check_medium
	sg_compare_and_write --in=/tmp/old --inw=/tmp/new --lba=5 --num=2 --xferlen=$((4 * bs)) "$disk"
	model_write /tmp/new 5
	check_medium
	says $MISCOMPARE sg_compare_and_write --in=/tmp/old --inw=/tmp/new --lba=5 --num=2 --xferlen=$((4 * bs)) "$disk"
	check_medium
}

test_verify() {
	write_new_contents
	sg_verify --lba=0 --count=128 "$disk"
	dd if=$model of=/tmp/old bs=$bs skip=7 count=3 status=none
	for option in '' --16; do
		# shellcheck disable=SC2086 # an option or nothing
		sg_verify $option --lba=7 --count=3 --ndo=$((3 * bs)) --in=/tmp/old "$disk"
		# shellcheck disable=SC2086
		says $MISCOMPARE sg_verify $option --lba=8 --count=3 --ndo=$((3 * bs)) --in=/tmp/old "$disk"
	done
	says $OUT_OF_RANGE sg_verify --lba=$blocks --count=1 "$disk"
	head -c $((2 * bs)) /dev/urandom >/tmp/new
	sg_write_verify --lba=9 --num=2 --ilen=$((2 * bs)) --in=/tmp/new "$disk"
	model_write /tmp/new 9
	check_medium
}

test_synchronize() {
	write_new_contents
	sg_sync "$disk"
	sg_sync --16 --lba=1 --count=8 "$disk"
	sg_sync --immed "$disk"
	says $OUT_OF_RANGE sg_sync --16 --lba=$blocks --count=1 "$disk"
	check_medium
}

test_format() {
	write_new_contents
	says $ILLEGAL sg_format --format --quick --wait --fmtpinfo=2 "$disk" # the disk has no protection information
	says $ILLEGAL sg_format --resize --quick --count=$((blocks * 2)) "$disk"
	check_medium
	sg_format --format --quick --wait "$disk" >/tmp/out
	model_write /dev/zero 0 $((area / bs))
	check_medium
}

test_refused() {
	write_new_contents
	says $INVALID_OPCODE sg_write_x --atomic=0 --in=/tmp/block --lba=0 --num=1 --bs=$bs "$disk"
	says $INVALID_OPCODE sg_sanitize --quick --block --wait "$disk"
	says $INVALID_OPCODE sg_read_buffer "$disk"
	check_medium
}

# The kernel itself executes these commands, so the daemon never sees them.
test_reservations() {
	write_new_contents
	sg_persist --out --register --param-sark=a1 "$disk" >/tmp/out
	sg_persist --out --register --param-sark=b2 "$other" >/tmp/out
	understood sg_persist --in --read-keys "$other"
	[[ $decoded == *0xa1*0xb2* ]]
	sg_persist --out --reserve --param-rk=a1 --prout-type=1 "$disk" >/tmp/out
	says $CONFLICT sg_write_same --10 --in=/tmp/block --lba=0 --num=1 "$other"
	says $CONFLICT sg_unmap --force --lba=16 --num=16 "$other"
	check_medium
	sg_turs "$other"
	dd if="$other" of=/dev/null bs=64k count=1 iflag=direct status=none
	sg_write_same --10 --in=/tmp/block --lba=0 --num=1 "$disk"
	model_write /tmp/block 0
	check_medium
	sg_persist --out --preempt --param-rk=b2 --param-sark=a1 --prout-type=1 "$other" >/tmp/out
	ready "$disk"
	says $CONFLICT sg_write_same --10 --in=/tmp/block --lba=1 --num=1 "$disk"
	check_medium
	sg_persist --out --clear --param-rk=b2 "$other" >/tmp/out
	ready "$disk"
	sg_write_same --10 --in=/tmp/block --lba=1 --num=1 "$disk"
	model_write /tmp/block 1
	check_medium
}

# The kernel notifies the daemon of the reset, under load. The initiator repeats the commands that the reset has
# aborted.
test_reset() {
	dmesg --clear
	verify "$disk" --time_based --runtime=$((3 * GUEST_FACTOR)) &
	fio=$!
	load_on "$disk"
	sg_reset --no-escalate --device "$other"
	wait $fio
	dmesg | grep -q 'device reset occurred'
	no_kernel_error
}

open_disk() { # HANDLER BLOCK-SIZE
	bs=$2 size=$((32 << 20)) uncached='' unmapped='blocks:         64  deallocated'
	blocks=$((size / bs))
	case $1 in
	file) config=file/disk$bs medium=/tmp/state/disk$bs ;;
	alloc) config=alloc/disk$bs ;;
	block)
		truncate -s $size /tmp/block$bs.img
		# "unmapped" is empty if the contents of unmapped blocks are unknown.
		config=block/$(losetup --find --show /tmp/block$bs.img) medium=/tmp/block$bs.img unmapped=mapped
		;;
	esac
	configure 0 disk "$config" $size "hw_block_size=$bs"
	echo 1 >$core/user_0/disk/attrib/tmr_notification
	enable 0 disk
	map 0 disk 0
	mkdir $other_tpg/lun/lun_0
	ln -s $core/user_0/disk $other_tpg/lun/lun_0/link
	disk=$(loop_disk 0)
	wait_for other_disk
	other=$(other_disk)
	[ "$1" != alloc ] || medium=$other uncached=iflag=direct
	ready "$disk"
	ready "$other"
}

other_disk() { disk_in "/sys/class/scsi_device/$(cat $other_tpg/address):0/device"; }

close_disk() {
	unmap 0
	rm $other_tpg/lun/lun_0/link
	rmdir $other_tpg/lun/lun_0
	remove 0 disk
}

load_target
mkdir -p "$(cat $tree/dbroot)/pr" # The kernel stores registrations in this folder.
modprobe -a sg loop
load_loop
mkdir -p $other_tpg
echo naa.5001405000000004 >$other_tpg/nexus
start_daemon
commands=${*:-write_same unmap compare_and_write verify synchronize format refused reservations reset}
kinds=(file/512 alloc/4096)
[ "$all" = few ] || kinds=({file,alloc,block}/{512,4096})
for kind in "${kinds[@]}"; do
	step "$kind"
	open_disk "${kind%/*}" "${kind#*/}"
	for command in $commands; do
		step "$kind: $command"
		"test_$command"
	done
	close_disk
done
stop_daemon
no_kernel_error
