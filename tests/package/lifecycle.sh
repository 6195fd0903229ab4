#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# lifecycle.sh BUILD_DIR: does with each Debian package of this tree what administrators do with packages: install,
# upgrade from Debian's 1.5, downgrade, remove, purge, install again. There are two packages, because cpack makes one
# from the build folder, and debhelper builds another one from the source.
#
# This script makes the packages and a Debian system in a folder. For each package, it then runs lifecycle_steps.sh in
# this system, which does the steps and checks each of them. The changes of these steps are discarded.
set -eu -o pipefail
here=$(dirname "$(realpath "$0")")
SOURCE=$(realpath "$here/../..")
build=$(realpath "$1")
CHROOTS=$(realpath -m "${PORTABILITY_CACHE:-$SOURCE/build/portability}") # where chroot.sh keeps the systems
. "$here/../portability/chroot.sh"
. "$here/discard_changes.sh"

# skip REASON: ends the test as "skipped", because this machine lacks something.
skip() {
	echo "SKIP: $1"
	exit 77
}

# quietly COMMAND...: runs the command, and shows the end of its output if it fails, which ends the test.
quietly() { "$@" >"$work/log" 2>&1 || { tail -n 30 "$work/log"; exit 1; }; }

check_machine() {
	reason=$(chroot_possible) || skip "$reason"
	grep -q '^CMAKE_INSTALL_PREFIX:PATH=/usr$' "$build/CMakeCache.txt" || skip "the build is not configured for /usr"
	. /etc/os-release
	[ "$ID" = debian ] || skip "this machine is not Debian, which has the package 1.5"
}

# Makes the system $name, with everything on which either version depends, so that the steps need only dpkg. The folder
# /debs in the system has the packages of version 1.5, which are not installed.
make_system() {
	name=lifecycle-$VERSION_CODENAME
	chroot_make "$name" "$VERSION_CODENAME" || skip "the chroot cannot be made"
	chroot_install "$name" dbus cron logrotate systemd libtcmu2 tcmu-runner liburing2 libfuse3-3 libjson-glib-1.0-0 \
		libisal2 libnl-genl-3-200 libkmod2 || skip "packages cannot be installed"
	chroot_run "$name" sh -c 'test -d /debs && exit
		mkdir /debs.new && cd /debs.new && apt-get -qq -o APT::Sandbox::User=root download tcmu-runner libtcmu2 &&
		dpkg -P tcmu-runner libtcmu2 && mv /debs.new /debs' >/dev/null 2>&1 ||
		skip "Debian's tcmu-runner cannot be fetched"
}

# Makes the packages of this tree: $work/debs/cpack.deb and, where debhelper is installed, $work/debs/debhelper.deb.
make_packages() {
	mkdir "$work/debs"
	quietly cpack -G DEB -B "$work/cpack" --config "$build/CPackConfig.cmake"
	cp "$work"/cpack/tcmu-runner_*.deb "$work/debs/cpack.deb"
	if ! command -v dh >/dev/null; then
		echo "The package of debhelper is not tested, because debhelper is not installed"
		return 0
	fi
	quietly "$SOURCE/packaging/build-deb.sh" "$work/debhelper" -us -uc -b -d -Pnocheck
	cp "$work"/debhelper/tcmu-runner_*.deb "$work/debs/debhelper.deb"
}

check_machine
make_system
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
make_packages
for deb in "$work"/debs/*.deb; do
	echo "== ${deb##*/}"
	# In the system, /new is the folder with the new packages, and /src is the folder of this script.
	run_and_discard "$CHROOTS/$name" "$work/debs" "$here" sh /src/lifecycle_steps.sh "/new/${deb##*/}" /debs
done
