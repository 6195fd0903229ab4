#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# service.sh BUILD_DIR: installs the Debian package of the build folder in a guest (tests/kernel/guest.sh) with the real
# systemd, and does with the service for exports what an administrator does (service_guest.sh). Nothing is installed or
# started on this machine. The build is for /usr and without sanitizers.
set -eu
here=$(dirname "$(realpath "$0")")
for tool in dpkg-deb dpkg-shlibdeps systemctl systemd-sysusers dbus-daemon iscsi-inq iscsi-ls; do
	command -v $tool >/dev/null || { echo "SKIP: $tool is not installed"; exit 77; }
done
[ -x /lib/systemd/systemd ] || { echo "SKIP: systemd is not installed, and the guest has this machine's programs"; exit 77; }
grep -q '^CMAKE_INSTALL_PREFIX:PATH=/usr$' "$1/CMakeCache.txt" || { echo "SKIP: the build is not configured for /usr"; exit 77; }
! getent passwd tcmu-runner-iscsi >/dev/null || { echo "SKIP: the package is installed on this machine"; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cpack -G DEB -B "$work" --config "$1/CPackConfig.cmake" >"$work/log" 2>&1 || { cat "$work/log"; exit 1; }
chmod 755 "$work"
mkdir -p "$work/root/packages"
cp "$work"/tcmu-runner_*.deb "$work/root/packages/new.deb"
"$here/../kernel/guest.sh" -m 1024 -l "$work/root" "$here/service_guest.sh"
