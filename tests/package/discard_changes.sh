# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Tests of this folder source this file. It runs programs in a Debian system in a folder, and discards their changes.

# run_and_discard ROOT FILES SOURCE COMMAND...: runs COMMAND as root in the system below the folder ROOT. In this
# system, the files of the folder FILES are in /new, and the folder SOURCE is /src. All changes are kept in memory and
# discarded at the end. The function changes the root with pivot_root, because the kernel does not allow user namespaces
# in a chroot.
run_and_discard() {
	# shellcheck disable=SC2016 # the inner shell expands these
	unshare -m -p -f --kill-child bash -c '
		set -e
		lower=$1 files=$2 source=$3
		shift 3
		mount --make-rprivate /
		mount -t tmpfs tmpfs /mnt
		mkdir /mnt/upper /mnt/work /mnt/root
		mount -t overlay overlay -o "lowerdir=$lower,upperdir=/mnt/upper,workdir=/mnt/work" /mnt/root
		cd /mnt/root
		mkdir -p new src old
		cp "$files"/* new/
		mount --bind "$source" src
		mount -o remount,bind,ro src
		mount -t proc proc proc
		mount --rbind /dev dev
		pivot_root . old
		exec env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 \
			DEBIAN_FRONTEND=noninteractive chroot . sh -c "umount -l /old && rmdir /old && exec \"\$@\"" run_and_discard "$@"' \
		run_and_discard "$@"
}
