#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# lifecycle.sh BUILD_DIR: takes the package of the build folder (made by cpack) and the package that debhelper builds
# through what administrators do: install, upgrade from Debian's 1.5, downgrade, remove, purge, install again. After
# each step it checks the state of the unit and looks for files that were left behind (lifecycle_steps.sh). It works
# in a chroot whose changes are discarded.
set -eu -o pipefail
here=$(dirname "$(realpath "$0")")
SOURCE=$(realpath "$here/../..")
build=$(realpath "$1")
CHROOTS=$(realpath -m "${PORTABILITY_CACHE:-$SOURCE/build/portability}")
. "$here/../portability/chroot.sh"
. "$here/forgetful.sh"
reason=$(chroot_possible) || { echo "SKIP: $reason"; exit 77; }
grep -q '^CMAKE_INSTALL_PREFIX:PATH=/usr$' "$build/CMakeCache.txt" || { echo "SKIP: not built for /usr"; exit 77; }
. /etc/os-release
[ "$ID" = debian ] || { echo "SKIP: this machine is not Debian, which has the package 1.5"; exit 77; }

name=lifecycle-$VERSION_CODENAME
chroot_make "$name" "$VERSION_CODENAME" || { echo "SKIP: no chroot"; exit 77; }
# Everything that either version depends on is installed here, so that only dpkg is needed later. The old version is
# removed at once.
chroot_install "$name" dbus cron logrotate systemd libtcmu2 tcmu-runner liburing2 libfuse3-3 libjson-glib-1.0-0 libisal2 libnl-genl-3-200 libkmod2 ||
	{ echo "SKIP: packages cannot be installed"; exit 77; }
chroot_run "$name" sh -c 'test -d /debs && exit
	mkdir /debs.new && cd /debs.new && apt-get -qq -o APT::Sandbox::User=root download tcmu-runner libtcmu2 &&
	dpkg -P tcmu-runner libtcmu2 && mv /debs.new /debs' >/dev/null 2>&1 ||
	{ echo "SKIP: Debian's tcmu-runner cannot be fetched"; exit 77; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cpack -G DEB -B "$work/cpack" --config "$build/CPackConfig.cmake" >"$work/log" 2>&1 || { cat "$work/log"; exit 1; }
mkdir "$work/debs"
cp "$work"/cpack/tcmu-runner_*.deb "$work/debs/cpack.deb"
if command -v dh >/dev/null; then
	"$SOURCE/packaging/build-deb.sh" "$work/debhelper" -us -uc -b -d -Pnocheck >"$work/log" 2>&1 ||
		{ tail -n 30 "$work/log"; exit 1; }
	cp "$work"/debhelper/tcmu-runner_*.deb "$work/debs/debhelper.deb"
else
	echo "Left out: the package of debhelper, which is not installed"
fi

for deb in "$work"/debs/*.deb; do
	echo "== ${deb##*/}"
	forgetful "$CHROOTS/$name" "$work/debs" "$here" sh /src/lifecycle_steps.sh "/new/${deb##*/}" /debs
done
