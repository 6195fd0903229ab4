#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# guest.sh [-m MB] [-t SECONDS] [-l DIR]... SCRIPT [ARGS...]: runs SCRIPT as root of a User-Mode Linux guest.
#
# The guest's root is this machine's, read-only, under a memory file system, so SCRIPT finds the same paths and
# programs and can change nothing here. Each -l DIR is laid over that root. Prints what SCRIPT prints and returns its
# exit status; 77 where the guest kernel cannot be had, 124 after SECONDS, 125 when the guest died.
# The kernel and a static busybox are taken from Debian's packages, unpacked once below GUEST_CACHE.
set -eu
here=$(dirname "$(realpath "$0")")
# shellcheck source=packages.sh
. "$here/packages.sh"

memory=1024 limit=300 layers=()
while getopts m:t:l: option; do
	case $option in
	m) memory=$OPTARG ;;
	t) limit=$OPTARG ;;
	l) layers+=("$(realpath -e "$OPTARG")") ;;
	*) exit 2 ;;
	esac
done
shift $((OPTIND - 1))
[ $# -ge 1 ] || { echo "usage: guest.sh [-m MB] [-t SECONDS] [-l DIR]... SCRIPT [ARGS...]" >&2; exit 2; }

kernel=$(unpack user-mode-linux) && busybox=$(unpack busybox-static)/usr/bin/busybox || exit 77
modules=$(echo "$kernel"/usr/lib/uml/modules/*)
run=$(mktemp -d)
uml=''
# The kernel's processes are the guest's memory: if it is killed they stay, so its whole process group is ended.
# shellcheck disable=SC2317 # called by the trap
finish() {
	[ -z "$uml" ] || kill -KILL -- "-$uml" 2>/dev/null || true
	rm -rf "$run"
}
trap finish EXIT
trap 'exit 130' INT TERM
: >"$run/output"

# overlayfs takes no layer that lies below another: each gets a mount of its own.
layer_mounts='' lower=''
for layer in "${layers[@]}"; do
	name=/mnt/layer${#lower}
	layer_mounts+="bb mkdir $name && bb mount -r -t hostfs -o $layer hostfs $name || die 'no layer'"$'\n'
	lower+=$name:
done

# The first process: builds the root, then runs the script in it. Both host folders come in by hostfs.
cat >"$run/init" <<INIT
#!$busybox sh
bb() { $busybox "\$@"; }
die() { bb echo "guest set-up: \$*" >/dev/console; bb poweroff -f; }
root=/mnt/root
bb mount -t tmpfs -o size=90% tmpfs /mnt && bb mkdir /mnt/upper /mnt/work \$root || die "no /mnt"
${layer_mounts}bb insmod $modules/kernel/fs/overlayfs/overlay.ko
bb mount -t overlay -o lowerdir=$lower/,upperdir=/mnt/upper,workdir=/mnt/work overlay \$root || die "no overlay"
bb mount -t proc proc \$root/proc
bb mount -t sysfs sysfs \$root/sys
bb mount -t devtmpfs devtmpfs \$root/dev
bb mkdir -p \$root/dev/shm \$root/dev/pts
bb mount -t tmpfs -o mode=1777 tmpfs \$root/dev/shm
bb mount -t devpts devpts \$root/dev/pts
bb mount -t tmpfs -o mode=755 tmpfs \$root/run
bb mkdir -p \$root/run/guest \$root/run/lock \$root/lib/modules/${modules##*/}
bb mount -t hostfs -o $run hostfs \$root/run/guest || die "no hostfs"
bb mount -r -t hostfs -o $modules hostfs \$root/lib/modules/${modules##*/} || die "no modules"
bb hostname guest
bb ifconfig lo 127.0.0.1 up
exec bb chroot \$root /bin/bash /run/guest/main </dev/null >>\$root/run/guest/output 2>&1
INIT
sed -i "s|^exec bb|exec $busybox|" "$run/init"

script=$(realpath -e "$1")
shift
cat >"$run/main" <<MAIN
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TERM=dumb LANG=C.UTF-8
modprobe() { $busybox modprobe "\$@"; }
export -f modprobe
ln -sfn /proc/self/fd /dev/fd
cd /
$(printf '%q ' "$script" "$@")
echo \$? >/run/guest/status
sync
$busybox poweroff -f
MAIN
chmod +x "$run/init"

memory_dir=$run
[ ! -w /dev/shm ] || memory_dir=/dev/shm
code=0
TMPDIR=$memory_dir setsid "$kernel/usr/bin/linux.uml" "mem=${memory}M" "uml_dir=$run/" umid=uml root=/dev/root \
	rootfstype=hostfs rootflags=/ ro "init=$run/init" con=null con0=null,fd:1 ssl=null quiet panic=-1 \
	</dev/null >"$run/console" 2>&1 &
uml=$!
# Ends the guest at its limit, and also when this script is killed before it can.
# shellcheck disable=SC2016 # the inner shell's own arguments
setsid sh -c 'n=0
	while [ $n -lt "$1" ] && kill -0 "$2" 2>/dev/null && kill -0 "$3" 2>/dev/null; do sleep 1; n=$((n + 1)); done
	kill -s KILL -- "-$3"' watch "$limit" $$ "$uml" </dev/null >/dev/null 2>&1 &
wait "$uml" || code=$?

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
