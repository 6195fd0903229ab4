#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# guest.sh [-m MB] [-t SECONDS] [-l DIR]... [-p PACKAGE]... SCRIPT [ARGS...]: runs SCRIPT as root of a guest with a kernel
# of its own.
#
# The guest's root is this machine's, read-only, under a memory file system, so SCRIPT finds the same paths and
# programs and can change nothing here. Each -l DIR is laid over that root, and so are the files of each -p PACKAGE
# (see packages_of). Prints what SCRIPT prints and returns its exit status; 77 where the guest kernel cannot be had, 124
# after SECONDS, 125 when the guest died.
# The kernel is User-Mode Linux (uml.sh), or with GUEST_KERNEL=stock|newer|PACKAGE one of Debian's, emulated (vm.sh):
# slower, of other versions, with two CPUs, and able to run sanitized programs. Kernel and a static busybox are taken from Debian's packages, unpacked once below GUEST_CACHE.
# GUEST_FACTOR, which SCRIPT sees too, says how much slower the guest may be than this machine: 1, emulated 4, or what
# the caller says. SECONDS is multiplied by it, and so are the times that SCRIPT allows.
set -eu
here=$(dirname "$(realpath "$0")")
# shellcheck source=packages.sh
. "$here/packages.sh"

memory=1024 limit=300 layers=() packages=''
while getopts m:t:l:p: option; do
	case $option in
	m) memory=$OPTARG ;;
	t) limit=$OPTARG ;;
	l) layers+=("$(realpath -e "$OPTARG")") ;;
	p) packages+=" $(packages_of "$OPTARG")" ;;
	*) exit 2 ;;
	esac
done
shift $((OPTIND - 1))
[ $# -ge 1 ] || { echo "usage: guest.sh [-m MB] [-t SECONDS] [-l DIR]... [-p PACKAGE]... SCRIPT [ARGS...]" >&2; exit 2; }
script=$(realpath -e "$1")
shift

busybox=$(unpack busybox-static)/usr/bin/busybox || exit 77
for package in $packages; do
	folder=$(unpack "$package") || exit 77
	layers+=("$folder")
done
if [ "${GUEST_KERNEL:-}" ]; then
	# shellcheck source=vm.sh
	. "$here/vm.sh"
else
	# shellcheck source=uml.sh
	. "$here/uml.sh"
fi
# Sets modules, the folder of the kernel's version.
take_kernel || exit 77
limit=$((limit * GUEST_FACTOR))
run=$(mktemp -d)
guest=''
# What runs the guest has its memory, and may have processes of its own that outlive it: the whole group is ended.
# shellcheck disable=SC2317 # called by the trap
finish() {
	[ -z "$guest" ] || kill -KILL -- "-$guest" 2>/dev/null || true
	rm -rf "$run"
}
trap finish EXIT
trap 'exit 130' INT TERM
: >"$run/output"

# overlayfs takes no layer that lies below another: each gets a mount of its own.
layer_mounts='' lower=''
for layer in "${layers[@]}"; do
	name=/mnt/layer${#lower}
	layer_mounts+="\$bb mkdir $name && $(share_command "$layer" "$name") || die 'no layer'"$'\n'
	lower+=$name:
done
root_mount="\$bb mkdir /mnt/host && $(share_command / /mnt/host) || die 'no root'"
version=${modules##*/}

# The first process: builds the root, then runs the script in it.
cat >"$run/init" <<INIT
$(init_head)
die() { \$bb echo "guest set-up: \$*" >/dev/console; \$bb poweroff -f; }
root=/mnt/root
\$bb mount -t tmpfs -o size=90% tmpfs /mnt && \$bb mkdir /mnt/upper /mnt/work \$root || die "no /mnt"
${layer_mounts}$root_mount
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

cat >"$run/main" <<MAIN
: >/run/guest/started
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TERM=dumb LANG=C.UTF-8
export GUEST_FACTOR=$GUEST_FACTOR TSAN_OPTIONS=$(printf %q "${TSAN_OPTIONS-}")
modprobe() { $busybox modprobe "\$@"; }
export -f modprobe
printf '#!%s sh\nexec %s modprobe "\$@"\n' "$busybox" "$busybox" >/run/modprobe
chmod +x /run/modprobe
echo /run/modprobe >/proc/sys/kernel/modprobe # what the kernel asks for by itself
ln -sfn /proc/self/fd /dev/fd
cd /
$(printf '%q ' "$script" "$@")
status=\$?
sync
echo \$status >/run/guest/status
exec $busybox sleep 1000000
MAIN

# Starts the guest, and returns when it has ended; $code is its own status then.
run_guest() {
	code=0
	boot </dev/null >"$run/console" 2>&1 &
	guest=$!
	# Ends the guest when its script has ended: a guest that shuts down by itself first flushes the disks that the script
	# left, which nobody serves any more. Also at its limit, and when this script is killed before it can.
	# shellcheck disable=SC2016 # the inner shell's own arguments
	setsid sh -c 'n=0
		while [ $n -lt "$1" ] && [ ! -s "$4/status" ] && kill -0 "$2" 2>/dev/null && kill -0 "$3" 2>/dev/null; do
			sleep 0.2
			n=$((n + 1))
		done
		kill -s KILL -- "-$3"' watch $((5 * limit)) $$ "$guest" "$run" </dev/null >/dev/null 2>&1 &
	{ wait "$guest" || code=$?; } 2>/dev/null # says nothing of how it ended
}
run_guest
# An emulated kernel dies now and then while it starts and patches its own code under its two CPUs. What is tested has no
# part in that.
if [ ! -e "$run/started" ] && [ "$code" -ne 137 ]; then
	echo "guest.sh: the guest died while it started; once more" >&2
	tail -n 3 "$run/console" >&2
	run_guest
fi

cat "$run/output"
if [ -s "$run/status" ]; then
	exit "$(cat "$run/status")"
elif [ "$code" -eq 137 ]; then
	echo "guest.sh: no end within $limit s" >&2
	exit 124
fi
echo "guest.sh: the guest died (status $code); its console ends in:" >&2
tail -n 25 "$run/console" >&2
exit 125
