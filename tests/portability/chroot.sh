# SPDX-License-Identifier: Apache-2.0
# matrix.sh and tests of tests/package source this file. It makes Debian systems in folders (chroots), and runs commands
# in them. The caller sets CHROOTS, the folder that keeps them from one run to the next.
# shellcheck shell=bash
# shellcheck disable=SC2153 # CHROOTS is the caller's

# chroot_possible: whether this machine can make chroots. Prints the reason if it cannot.
chroot_possible() {
	local tool
	[ "$(id -u)" -eq 0 ] || { echo "only root can make a chroot"; return 1; }
	for tool in debootstrap unshare apt-get; do
		command -v $tool >/dev/null || { echo "there is no $tool"; return 1; }
	done
	unshare -m -p -f true 2>/dev/null || { echo "this machine does not allow new namespaces"; return 1; }
}

# chroot_mirror: prints the mirror of Debian that this machine's apt uses.
chroot_mirror() {
	# shellcheck disable=SC2016 # apt expands this
	apt-get indextargets --format '$(SITE)' 'Created-By: Packages' 'Origin: Debian' 2>/dev/null | sed -n '1s,/*$,,p'
}

# chroot_make NAME SUITE: makes a minimal Debian in CHROOTS/NAME unless it is there. The first one of a suite is kept as
# CHROOTS/SUITE.tar, from which the others are unpacked.
chroot_make() {
	local root=$CHROOTS/$1 base=$CHROOTS/$2.tar mirror
	[ ! -d "$root" ] || return 0
	mkdir -p "$CHROOTS"
	rm -rf "$root.partial"
	echo "Making a minimal Debian $2 in $root"
	if [ -f "$base" ]; then
		mkdir "$root.partial"
		tar -C "$root.partial" -xpf "$base" || return
	else
		mirror=$(chroot_mirror)
		[ -n "$mirror" ] || { echo "this machine's apt names no mirror of Debian"; return 1; }
		debootstrap --variant=minbase --include=ca-certificates "$2" "$root.partial" "$mirror" >"$root.log" 2>&1 || {
			tail -n 3 "$root.log"
			return 1
		}
		chroot_configure "$root.partial"
		tar -C "$root.partial" --one-file-system -cpf "$base.partial" . && mv "$base.partial" "$base"
	fi
	mv "$root.partial" "$root"
}

# chroot_configure ROOT: apt asks nothing and installs nothing that is only recommended, and no service starts.
chroot_configure() {
	cat >"$1/etc/apt/apt.conf.d/90portability" <<-CONF
		APT::Install-Recommends "false";
		Acquire::Languages "none";
		Acquire::Check-Valid-Until "false";
		DPkg::Options:: "--force-unsafe-io";
	CONF
	printf '#!/bin/sh\nexit 101\n' >"$1/usr/sbin/policy-rc.d"
	chmod 755 "$1/usr/sbin/policy-rc.d"
}

# chroot_run NAME COMMAND...: runs COMMAND in CHROOTS/NAME, in namespaces that end with it. If SOURCE is set, this
# folder of the machine appears as /src there, read-only.
chroot_run() {
	local root=$CHROOTS/$1
	shift
	cp /etc/resolv.conf "$root/etc/resolv.conf"
	mkdir -p "$root/src"
	# shellcheck disable=SC2016 # the inner shell expands these
	SOURCE=${SOURCE-} unshare -m -p -f --kill-child sh -c '
		root=$1
		shift
		mount --make-rprivate /
		mount -t proc proc "$root/proc"
		mount -t sysfs -o ro sysfs "$root/sys"
		mount --rbind /dev "$root/dev"
		[ -z "$SOURCE" ] || { mount --bind "$SOURCE" "$root/src" && mount -o remount,bind,ro "$root/src"; } || exit
		exec env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 \
			DEBIAN_FRONTEND=noninteractive chroot "$root" "$@"' chroot_run "$root" "$@"
}

# chroot_install NAME PACKAGE...: installs the packages that are missing. The list of packages is stored, so that a
# second run does not ask the mirror.
chroot_install() {
	local root=$CHROOTS/$1 packages
	shift
	packages=$(printf '%s\n' "$@" | sort -u)
	[ "$packages" != "$(cat "$root/packages.txt" 2>/dev/null)" ] || return 0
	# shellcheck disable=SC2086 # one word for each package
	if ! chroot_run "${root##*/}" apt-get update -q >>"$root.log" 2>&1 ||
		! chroot_run "${root##*/}" apt-get install -y -q $packages >>"$root.log" 2>&1; then
		tail -n 5 "$root.log"
		return 1
	fi
	chroot_run "${root##*/}" apt-get clean
	printf '%s\n' "$packages" >"$root/packages.txt"
}
