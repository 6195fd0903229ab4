# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # guest.sh reads and sets the variables that this file shares with it
# Sourced by guest.sh: the guest is a User-Mode Linux, which runs as an ordinary program at this machine's own speed and
# has one CPU. Sanitized programs cannot run in it, because their address space collides with its own.

kernel_name='User-Mode Linux'
kernel_factor=1
kernel_tries=1

# Compiles the ptrace() that the guest kernel needs on a CPU with AMX (uml_xstate.c), and sets $preload to it. Another
# CPU does not need it, so a missing compiler matters only on a CPU with AMX.
build_xstate() {
	preload=$GUEST_CACHE/uml_xstate.so
	[ "$preload" -ot "$here/uml_xstate.c" ] || return 0
	local new=$preload.$$
	if ${CC:-cc} -O2 -shared -fPIC -o "$new" "$here/uml_xstate.c" 2>/dev/null; then
		mv "$new" "$preload"
		return
	fi
	rm -f "$new"
	preload=
	! grep -qw amx_tile /proc/cpuinfo || {
		echo "guest.sh: User-Mode Linux needs tests/kernel/uml_xstate.c on this CPU, which has AMX, and the C compiler" \
			"'${CC:-cc}' could not compile it. Install a C compiler (package gcc), or name one in CC." >&2
		return 1
	}
}

# Sets $kernel to the folder of the unpacked kernel, and $modules.
take_kernel() {
	kernel=$(unpack user-mode-linux) || return
	modules=$(echo "$kernel"/usr/lib/uml/modules/*)
	build_xstate
}

# Prints the first lines of the guest's first process.
init_head() {
	echo "#!$busybox sh"
	echo "bb=$busybox"
	echo "\$bb insmod $modules/kernel/fs/overlayfs/overlay.ko"
}

# share_command DIR MOUNTPOINT [writable]: prints the command with which the first process mounts DIR of this machine.
share_command() {
	local mode=-r
	[ $# -lt 3 ] || mode=-w
	echo "\$bb mount $mode -t hostfs -o $1 hostfs $2"
}

# Replaces this shell by the guest, in a process group of its own. UML_PRELOAD names more libraries (amx.sh).
boot() {
	export TMPDIR=$run
	[ ! -w /dev/shm ] || TMPDIR=/dev/shm
	exec setsid env "LD_PRELOAD=${preload}${UML_PRELOAD:+:$UML_PRELOAD}" "$kernel/usr/bin/linux.uml" "mem=${memory}M" \
		"uml_dir=$run/" umid=uml root=/dev/root rootfstype=hostfs rootflags=/ ro "init=$run/init" con=null \
		con0=null,fd:1 ssl=null quiet panic=-1
}
