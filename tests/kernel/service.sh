#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# service.sh BUILD_DIR: runs the Debian package with systemd, D-Bus and the real kernel, in a guest (guest.sh). The
# package is built for /usr and without sanitizers.
set -eu
here=$(dirname "$(realpath "$0")")
for tool in dpkg-deb dpkg-shlibdeps systemctl busctl dbus-daemon setpriv; do
	command -v $tool >/dev/null || { echo "SKIP: $tool is not installed"; exit 77; }
done
grep -q '^CMAKE_INSTALL_PREFIX:PATH=/usr$' "$1/CMakeCache.txt" || { echo "SKIP: the build is not configured for /usr"; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cpack -G DEB -B "$work" --config "$1/CPackConfig.cmake" >"$work/log" 2>&1 || { cat "$work/log"; exit 1; }
chmod 755 "$work"
dpkg-deb -x "$work"/*.deb "$work/root"
# In the guest, /lib is a link to usr/lib, which a folder of a layer must not hide.
[ ! -d "$work/root/lib" ] || { cp -a "$work/root/lib/." "$work/root/usr/lib/" && rm -r "$work/root/lib"; }
"$here/guest.sh" -m 1024 -p systemd -p bus -p dbus -l "$work/root" "$here/service_guest.sh"
