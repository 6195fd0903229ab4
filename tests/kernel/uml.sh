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

# --- the CPU of a guest ---

# The guest's kernel and its programs are processes of this machine that take turns, at each system call and page fault.
# A turn that passes to another CPU takes twice as long, so all processes of a guest share one CPU, as long as the guest
# runs: the CPU with the fewest guests. The guest with number N on a CPU holds a lock on the file cpu-CPU.N.

# Prints the CPUs that this shell may use.
usable_cpus() {
	local range
	for range in $(sed -n 's/^Cpus_allowed_list://p' /proc/self/status | tr , ' '); do
		seq "${range%-*}" "${range#*-}"
	done
}

# Takes a lower number than $number on any CPU, preferably on $cpu, and sets $number, $cpu and $held. Fails if none is
# free.
take_lower_number() {
	local n c lock
	for ((n = 0; n < number; n++)); do
		for c in $cpu $cpus; do
			exec {lock}>"$GUEST_CACHE/cpu-$c.$n"
			if flock -n "$lock"; then
				[ -z "$held" ] || exec {held}>&-
				held=$lock number=$n cpu=$c
				return
			fi
			exec {lock}>&-
		done
	done
	return 1
}

# Moves all processes of $guest to $cpu.
move_guest() {
	local file line
	for file in /proc/"$guest"/stat /proc/[0-9]*/stat; do
		{ read -r line <"$file"; } 2>/dev/null || continue
		# After the name of the program come the state, the parent and the process group.
		[[ ! ${line##*) } =~ ^.\ [0-9]+\ $guest\  ]] || taskset -cp "$cpu" "${file//[!0-9]/}" >/dev/null 2>&1 || true
	done
}

# Runs in the background until $guest has ended. When other guests end, it moves this one to a CPU with fewer guests.
choose_cpu() {
	local number=16 cpu='' held='' cpus never
	exec {never}<> <(:) # nothing is ever written into this pipe
	cpus=$(usable_cpus)
	while kill -0 "$guest" 2>/dev/null; do
		! take_lower_number || move_guest
		read -rt 2 <&"$never" || true
	done
}
