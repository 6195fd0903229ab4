#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# targetcli.sh BUILD_DIR: installs the package in a Debian system in a folder, and runs its tcmu-targetcli with Debian's
# targetcli there, as root and as an ordinary user (targetcli_steps.sh).
set -eu -o pipefail
here=$(dirname "$(realpath "$0")")
build=$(realpath "$1")
SOURCE=$(realpath "$here/../..")
CHROOTS=$(realpath -m "${PORTABILITY_CACHE:-$SOURCE/build/portability}")
. "$here/../portability/chroot.sh"
. "$here/discard_changes.sh"
reason=$(chroot_possible) || { echo "SKIP: $reason"; exit 77; }
[ -c /dev/fuse ] || { echo "SKIP: this machine has no /dev/fuse"; exit 77; }
grep -q '^CMAKE_INSTALL_PREFIX:PATH=/usr$' "$build/CMakeCache.txt" || { echo "SKIP: the build is not configured for /usr"; exit 77; }
. /etc/os-release
[ "$ID" = debian ] || { echo "SKIP: this machine is not Debian"; exit 77; }

name=targetcli-$VERSION_CODENAME
chroot_make "$name" "$VERSION_CODENAME" || { echo "SKIP: the chroot cannot be made"; exit 77; }
# Installs everything on which the package depends, so that the steps need only dpkg.
chroot_install "$name" systemd dbus-daemon fuse3 targetcli-fb libiscsi-bin liburing2 libfuse3-3 libjson-glib-1.0-0 libisal2 \
	libnl-genl-3-200 libkmod2 || { echo "SKIP: packages cannot be installed"; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cpack -G DEB -B "$work/cpack" --config "$build/CPackConfig.cmake" >"$work/log" 2>&1 || { cat "$work/log"; exit 1; }
mkdir "$work/debs"
mv "$work"/cpack/tcmu-runner_*.deb "$work/debs/new.deb"
run_and_discard "$CHROOTS/$name" "$work/debs" "$here" sh /src/targetcli_steps.sh
