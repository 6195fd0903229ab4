# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Sourced by guest.sh: the guest as a User-Mode Linux, which runs as an ordinary program, at the machine's own speed, on
# one CPU. Sanitized programs do not start in it: their address space collides with its own.

: "${GUEST_FACTOR:=1}"

take_kernel() {
	kernel=$(unpack user-mode-linux) || return
	modules=$(echo "$kernel"/usr/lib/uml/modules/*)
}

# What the first process starts with.
init_head() {
	echo "#!$busybox sh"
	echo "bb=$busybox"
	echo "\$bb insmod $modules/kernel/fs/overlayfs/overlay.ko"
}

# share_command DIR MOUNTPOINT [writable]: what it runs to mount a folder of this machine.
share_command() {
	local mode=-r
	[ $# -lt 3 ] || mode=-w
	echo "\$bb mount $mode -t hostfs -o $1 hostfs $2"
}

# Becomes the guest, in a process group of its own.
boot() {
	export TMPDIR=$run
	[ ! -w /dev/shm ] || TMPDIR=/dev/shm
	exec setsid "$kernel/usr/bin/linux.uml" "mem=${memory}M" "uml_dir=$run/" umid=uml root=/dev/root \
		rootfstype=hostfs rootflags=/ ro "init=$run/init" con=null con0=null,fd:1 ssl=null quiet panic=-1
}
