# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # guest.sh reads and sets the variables that this file shares with it
# Sourced by guest.sh: the guest is an emulated machine (qemu without KVM) with two CPUs and one of Debian's kernels.
# GUEST_KERNEL=stock is the kernel that linux-image-amd64 stands for, GUEST_KERNEL=newer is the newest one that apt
# knows beside it, and any other value is the name of a package. The guest reaches folders of this machine by 9p.

kernel_name="the emulated kernel '$GUEST_KERNEL'"
kernel_factor=4
# An emulated kernel sometimes dies while it patches its own code with two CPUs. This has nothing to do with a test.
kernel_tries=2

# Prints the newest linux-image-VERSION-amd64 metapackage.
newer_kernel() {
	apt-cache pkgnames linux-image- | sed -n '/^linux-image-[0-9]*\.[0-9]*-amd64$/p' | sort -V | tail -n 1
}

# Prints the package that holds the image. A metapackage only depends on it.
kernel_package() {
	local package=$GUEST_KERNEL
	case $package in
	stock) package=linux-image-amd64 ;;
	newer) package=$(newer_kernel) ;;
	esac
	case $package in
	'' | linux-image-*.*.*) echo "$package" ;;
	*) apt-cache depends "$package" 2>/dev/null | sed -n 's/^ *Depends: \(linux-image-[0-9].*\)/\1/p' | head -n 1 ;;
	esac
}

# Sets $qemu, the command. Where qemu is not installed, it is unpacked with the libraries that this machine lacks.
take_qemu() {
	qemu=(qemu-system-x86_64)
	! command -v qemu-system-x86_64 >/dev/null || return 0
	local package folder libraries='' packages
	packages=$(apt-get -qq -s install --no-install-recommends qemu-system-x86 | sed -n 's/^Inst \([^ ]*\).*/\1/p')
	[ "$packages" ] || { echo "SKIP: apt knows no qemu-system-x86" >&2; return 1; }
	for package in $packages; do
		folder=$(unpack "$package") || return
		libraries+=$folder/usr/lib/x86_64-linux-gnu:
	done
	folder=$(unpack qemu-system-x86)
	qemu=(env "LD_LIBRARY_PATH=$libraries" "QEMU_MODULE_DIR=$(unpack qemu-system-common)/usr/lib/x86_64-linux-gnu/qemu"
		"$folder/usr/bin/qemu-system-x86_64" -L "$(unpack seabios)/usr/share/seabios" -L "$(unpack qemu-system-data)/usr/share/qemu")
}

# Writes the indexes of the modules, including the binary ones. Without these, libkmod, which the daemon uses, finds
# no module, and busybox's depmod does not write them.
index_modules() {
	[ -e "$modules/modules.dep.bin" ] ||
		(exec -a depmod "$(unpack kmod)/usr/bin/kmod" -b "$kernel/usr" "${modules##*/}")
}

# Sets $kernel to the folder of the unpacked kernel, $modules and $qemu.
take_kernel() {
	local package
	package=$(kernel_package)
	[ "$package" ] || { echo "SKIP: apt knows no kernel $GUEST_KERNEL" >&2; return 1; }
	kernel=$(unpack "$package") || return
	modules=$(echo "$kernel"/usr/lib/modules/*)
	index_modules || return
	echo "guest kernel: ${modules##*/}"
	take_qemu
}

# Prints the first lines of the guest's first process.
init_head() {
	cat <<'HEAD'
#!/bin/busybox sh
bb=/bin/busybox
$bb mount -t proc proc /proc
$bb mount -t devtmpfs devtmpfs /dev
$bb modprobe -a virtio_pci 9pnet_virtio 9p overlay
HEAD
}

share_tag() { # DIR
	echo "d$(echo "$1" | md5sum | cut -c 1-16)" # a tag must begin with a letter
}

# share_command DIR MOUNTPOINT [writable]: prints the command with which the first process mounts DIR of this machine.
share_command() {
	local mode=ro,cache=loose
	[ $# -lt 3 ] || mode=rw
	echo "\$bb mount -t 9p -o $mode,trans=virtio,version=9p2000.L,msize=512000 $(share_tag "$1") $2"
}

# Builds the first file system: the first process, busybox, and the modules that are needed to mount the root.
make_initramfs() {
	local tree=$run/tree version=${modules##*/} file
	mkdir -p "$tree/bin" "$tree/dev" "$tree/proc" "$tree/mnt" "$tree/lib/modules/$version"
	cp "$busybox" "$tree/bin/busybox"
	cp "$run/init" "$tree/init"
	cp "$modules"/modules.* "$tree/lib/modules/$version"
	# shellcheck disable=SC2013 # names of modules have no blanks
	for file in $(sed -nE '/\/(virtio_pci|9pnet_virtio|9p|overlay)\.ko/s/://p' "$modules/modules.dep"); do
		mkdir -p "$tree/lib/modules/$version/${file%/*}"
		cp "$modules/$file" "$tree/lib/modules/$version/$file"
	done
	(cd "$tree" && find . | "$busybox" cpio -o -H newc) >"$run/initramfs"
	rm -r "$tree"
}

# Replaces this shell by the guest, in a process group of its own.
boot() {
	local share options=() kernel_options="console=ttyS0 quiet panic=-1 mitigations=off random.trust_cpu=on audit=0"
	make_initramfs
	for share in / "${layers[@]}" "$modules"; do
		options+=(-virtfs "local,path=$share,security_model=none,readonly=on,multidevs=remap,mount_tag=$(share_tag "$share")")
	done
	exec setsid "${qemu[@]}" -accel tcg,thread=multi -cpu max -smp 2 -m "$memory" -M pc,usb=off \
		-nodefaults -no-user-config -display none -no-reboot -serial stdio -device virtio-rng-pci \
		-kernel "$kernel"/boot/vmlinuz-* -initrd "$run/initramfs" \
		-append "$kernel_options apparmor=0 selinux=0 nowatchdog no_timer_check tsc=reliable" \
		-virtfs "local,path=$run,security_model=none,mount_tag=$(share_tag "$run")" "${options[@]}"
}

choose_cpu() { :; } # The guest has two CPUs.
