#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# guest.sh [-m MB] [-l DIR]... [-p PACKAGE]... SCRIPT [ARGS...]: runs SCRIPT as root of a guest with a kernel of its
# own.
#
# The guest's root is this machine's root, read-only, below a file system in memory. SCRIPT therefore finds the same
# paths and programs, and it cannot change anything on this machine. Each -l DIR is laid over that root, and so are
# the files of each -p PACKAGE (see packages_of). guest.sh prints what SCRIPT prints and returns SCRIPT's exit status.
# It returns 77 with a reason if there is no guest kernel or none starts, 124 if the guest had to be ended after half
# an hour, and 125 if the guest ended without a status.
#
# The kernel is User-Mode Linux (uml.sh). If it is not available or does not start on this machine, guest.sh says so
# and uses the emulated stock kernel. With GUEST_KERNEL=stock|newer|PACKAGE it uses one of Debian's kernels from the
# beginning, emulated (vm.sh): such a guest is slower, has two CPUs, and can run sanitized programs. The kernel and a
# static busybox come from Debian's packages, which are unpacked once below GUEST_CACHE. GUEST_FACTOR says how much
# slower the guest may be than User-Mode Linux on an idle machine: 1, or 4 if it is emulated, or the value that the
# caller sets. SCRIPT sees it as well. The half hour and the time limits in SCRIPT are multiplied by it. guest_lib.sh
# raises it in the guest if the machine proves to be slower.
set -eu
here=$(dirname "$(realpath "$0")")
# shellcheck source=packages.sh
. "$here/packages.sh"

memory=1024 seconds=1800 layers=() packages=''
while getopts m:l:p: option; do
	case $option in
	m) memory=$OPTARG ;;
	l) layers+=("$(realpath -e "$OPTARG")") ;;
	p) packages+=" $(packages_of "$OPTARG")" ;;
	*) exit 2 ;;
	esac
done
shift $((OPTIND - 1))
[ $# -ge 1 ] || { echo "usage: guest.sh [-m MB] [-l DIR]... [-p PACKAGE]... SCRIPT [ARGS...]" >&2; exit 2; }
script=$(realpath -e "$1")
shift
case $script in
/run/* | /dev/* | /proc/* | /sys/*) # the guest mounts file systems of its own here
	echo "SKIP: a guest does not see $script, because it has a ${script%"${script#/*/}"} of its own; use another folder"
	exit 77
	;;
esac

busybox=$(unpack busybox-static)/usr/bin/busybox || exit 77
for package in $packages; do
	folder=$(unpack "$package") || exit 77
	layers+=("$folder")
done
run=$(mktemp -d)
guest='' factor=${GUEST_FACTOR-}
# The program that runs the guest may have processes of its own that outlive it, so the whole group is ended.
# shellcheck disable=SC2317 # called by the trap
finish() {
	[ -z "$guest" ] || kill -KILL "$chooser" -- "-$guest" 2>/dev/null || true
	rm -rf "$run"
}
trap finish EXIT
trap 'exit 130' INT TERM

# Loads the functions for the kernel: uml.sh or vm.sh.
use_kernel() {
	# shellcheck source=uml.sh
	. "$here/$1.sh"
	take_kernel || return
	GUEST_FACTOR=${factor:-$kernel_factor}
	limit=$((seconds * GUEST_FACTOR))
}

# Writes the guest's first process, which builds the root and then runs $run/main in it.
write_init() {
	local layer name layer_mounts='' lower='' version=${modules##*/}
	# overlayfs refuses a layer that lies inside another layer, so each layer gets a mount of its own.
	for layer in "${layers[@]}"; do
		name=/mnt/layer${#lower}
		layer_mounts+="\$bb mkdir $name && $(share_command "$layer" "$name") || die 'no layer'"$'\n'
		lower+=$name:
	done
	cat >"$run/init" <<INIT
$(init_head)
die() { \$bb echo "guest set-up: \$*" >/dev/console; \$bb poweroff -f; }
root=/mnt/root
\$bb mount -t tmpfs -o size=90% tmpfs /mnt && \$bb mkdir /mnt/upper /mnt/work \$root || die "no /mnt"
$layer_mounts
\$bb mkdir /mnt/host && $(share_command / /mnt/host) || die 'no root'
\$bb mount -t overlay -o lowerdir=$lower/mnt/host,upperdir=/mnt/upper,workdir=/mnt/work overlay \$root || die "no overlay"
\$bb mount -t proc proc \$root/proc
\$bb mount -t sysfs sysfs \$root/sys
\$bb mount -t devtmpfs devtmpfs \$root/dev
\$bb mkdir -p \$root/dev/shm \$root/dev/pts
\$bb mount -t tmpfs -o mode=1777 tmpfs \$root/dev/shm
\$bb mount -t devpts devpts \$root/dev/pts
\$bb mount -t tmpfs -o mode=755 tmpfs \$root/run
\$bb mkdir -p \$root/run/guest \$root/run/lock \$root/lib/modules/$version
$(share_command "$run" "\$root/run/guest" writable) || die "no shared folder"
$(share_command "$modules" "\$root/lib/modules/$version") || die "no modules"
\$bb hostname guest
\$bb ifconfig lo 127.0.0.1 up
exec \$bb chroot \$root /bin/bash /run/guest/main </dev/null >>\$root/run/guest/output 2>&1
INIT
	chmod +x "$run/init"
}

# write_main SCRIPT ARGS...: writes the shell script that runs SCRIPT and reports its status.
write_main() {
	cat >"$run/main" <<MAIN
: >/run/guest/started
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TERM=dumb LANG=C.UTF-8
export GUEST_FACTOR=$GUEST_FACTOR TSAN_OPTIONS=$(printf %q "${TSAN_OPTIONS-}")
modprobe() { $busybox modprobe "\$@"; }
export -f modprobe
printf '#!%s sh\nexec %s modprobe "\$@"\n' "$busybox" "$busybox" >/run/modprobe
chmod +x /run/modprobe
echo /run/modprobe >/proc/sys/kernel/modprobe # the kernel loads modules with this program
ln -sfn /proc/self/fd /dev/fd
cd /
$(printf '%q ' "$@")
status=\$?
sync
echo \$status >/run/guest/status
exec $busybox sleep 1000000
MAIN
}

# Starts the guest, and returns when it has ended; $code is then the guest program's own status.
run_guest() {
	code=0
	: >"$run/output"
	boot </dev/null >"$run/console" 2>&1 &
	guest=$!
	choose_cpu </dev/null >/dev/null 2>&1 &
	chooser=$!
	disown $chooser # so that the shell does not report its end
	# Ends the guest when its script has ended. If the guest shut down by itself, it would first write its caches
	# to the disks that the script left, which no daemon serves any more. Also ends the guest at its time limit,
	# and if this script is killed earlier.
	# shellcheck disable=SC2016 # the inner shell expands these
	setsid sh -c 'n=0
		while [ $n -lt "$1" ] && [ ! -s "$4/status" ] && kill -0 "$2" 2>/dev/null && kill -0 "$3" 2>/dev/null; do
			sleep 0.2
			n=$((n + 1))
		done
		kill -s KILL -- "-$3"' watch $((5 * limit)) $$ "$guest" "$run" </dev/null >/dev/null 2>&1 &
	{ wait "$guest" || code=$?; } 2>/dev/null # this hides the shell's message about the end of the process
}

# Returns whether the guest has ended before its script began, for a reason outside this script.
did_not_start() { [ ! -e "$run/started" ] && [ "$code" -ne 137 ] && ! grep -q 'guest set-up:' "$run/console"; }

# Prints the line of the console that best explains why the guest has not started.
console_reason() {
	local line
	line=$({ grep -aim 1 'panic' "$run/console" || grep -a '[^[:space:]]' "$run/console" | tail -n 1; } | tr -d '\r')
	echo "status $code${line:+, \"${line:0:160}\"}"
}

# try_guest SCRIPT ARGS...: runs the guest; if it does not start, tries again up to $kernel_tries times.
try_guest() {
	local try
	write_init
	write_main "$@"
	for ((try = 0; try < kernel_tries; try++)); do
		run_guest
		did_not_start || return 0
		echo "guest.sh: $kernel_name did not start ($(console_reason))" >&2
	done
	return 1
}

# Emulated guests that replace User-Mode Linux run one after the other, because each needs the whole machine.
try_emulated_instead() {
	GUEST_KERNEL=stock
	use_kernel vm || return
	echo "guest.sh: uses $kernel_name instead of User-Mode Linux" >&2
	exec 8>"$GUEST_CACHE/emulated.lock"
	flock 8
	try_guest "$@"
}

if [ "${GUEST_KERNEL:-}" ]; then
	use_kernel vm || exit 77
	try_guest "$script" "$@" || { echo "SKIP: $kernel_name does not start on this machine"; exit 77; }
elif ! use_kernel uml || ! try_guest "$script" "$@"; then
	try_emulated_instead "$script" "$@" || { echo "SKIP: neither User-Mode Linux nor an emulated kernel starts here"; exit 77; }
fi

cat "$run/output"
if [ -s "$run/status" ]; then
	exit "$(cat "$run/status")"
elif [ "$code" -eq 137 ]; then
	echo "guest.sh: the guest did not end within $limit s and was killed" >&2
	exit 124
fi
echo "guest.sh: the guest died (status $code); its console ends in:" >&2
tail -n 25 "$run/console" >&2
exit 125
