#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# qemu_img.sh file|alloc|block: qemu-img writes an ext4 image to a LUN of this handler and reads it back. The image and
# the copy must be equal, with and without HeaderDigest, and with blocks of 512 and 4096 bytes. (libiscsi has no
# DataDigest; tests/kernel tests DataDigest.)
set -eu -o pipefail
here=$(dirname "$(realpath "$0")")
# shellcheck source=daemon.sh
. "$here/daemon.sh"
handler=$1
size=64M
loop=

cleanup() { [ -z "$loop" ] || losetup -d "$loop"; }

make_image() {
	mkdir "$work/tree"
	cp -r /usr/include/linux "$work/tree/"
	truncate -s $size "$work/image"
	PATH=$PATH:/usr/sbin:/sbin mkfs.ext4 -q -F -d "$work/tree" "$work/image"
}

# Prints the argument of --export for the block size $1. The handler block gets its own loop device.
print_export() {
	case $handler in
	alloc) echo "alloc/disk,size=$size,block_size=$1" ;;
	file)
		echo "file/$disk,size=$size,create,block_size=$1"
		;;
	block) echo "block/$loop" ;;
	esac
}

attach_loop() { # BLOCK-SIZE
	truncate -s $size "$disk"
	loop=$(losetup --find --show --sector-size "$1" "$disk" 2>"$work/losetup.log") ||
		skip "no loop device: $(cat "$work/losetup.log")"
}

detach_loop() {
	losetup -d "$loop"
	loop=
}

round_trip() { # BLOCK-SIZE DIGEST
	disk=$work/disk.$1.$2 # a new name, because storage that was served before is not created again
	[ "$handler" != block ] || attach_loop "$1"
	start_daemon --export "$(print_export "$1")" --iqn iqn.2026-11.io.tcmu-runner:disk
	lun="driver=raw,file.driver=iscsi,file.transport=tcp,file.portal=127.0.0.1:$port,file.lun=0"
	lun+=",file.target=iqn.2026-11.io.tcmu-runner:disk,file.header-digest=$2"
	timeout 60 qemu-img convert -n -f raw --target-image-opts "$work/image" "$lun"
	timeout 60 qemu-img convert --image-opts -O raw "$lun" "$work/back"
	cmp "$work/image" "$work/back" || fail "the data that was read back differs: $handler, $1, $2"
	stop_daemon
	if [ "$handler" != alloc ]; then
		cmp "$work/image" "$disk" || fail "the backing store differs: $handler, $1, $2"
	fi
	[ "$handler" != block ] || detach_loop
}

for tool in qemu-img mkfs.ext4; do
	PATH=$PATH:/usr/sbin:/sbin command -v $tool >/dev/null || skip "$tool is not installed"
done
if [ "$handler" = block ] && { [ "$(id -u)" -ne 0 ] || [ ! -e /dev/loop-control ]; }; then
	skip "loop devices need root and /dev/loop-control"
fi
make_image
for block_size in 512 4096; do
	for digest in none crc32c; do
		round_trip $block_size $digest
	done
done
