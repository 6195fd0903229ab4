#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# install.sh BUILD_DIR: configures the tree for /usr/local, installs it below a folder of its own, checks where the
# files are, and uninstalls it. A tcmu.conf that an administrator has changed must survive both.
set -eu
source=$(realpath "$(dirname "$0")/../..")
compiler=$(sed -n 's/^CMAKE_C_COMPILER:[A-Z]*=//p' "$1/CMakeCache.txt")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() {
	echo "FAIL: $*" >&2
	exit 1
}
quietly() { "$@" >"$work/log" 2>&1 || { tail -n 30 "$work/log"; fail "$*"; }; }
files() { (cd "$work/root" && find . -type f -o -type l) | sort; }

quietly cmake -S "$source" -B "$work/b" -DCMAKE_C_COMPILER="$compiler" -DBUILD_TESTING=OFF
grep -q '^CMAKE_INSTALL_PREFIX:PATH=/usr/local$' "$work/b/CMakeCache.txt" || fail "the default prefix is not /usr/local"
quietly cmake --build "$work/b" -j "$(nproc)"
DESTDIR=$work/root
export DESTDIR
quietly cmake --install "$work/b"
for file in usr/local/bin/tcmu-runner usr/local/etc/tcmu/tcmu.conf usr/local/lib/systemd/system/tcmu-runner.service \
	usr/local/lib/systemd/system/tcmu-runner-iscsi.service usr/local/lib/sysusers.d/tcmu-runner-iscsi.conf \
	usr/local/lib/tmpfiles.d/tcmu-runner-iscsi.conf \
	usr/local/share/dbus-1/system-services/org.kernel.TCMUService1.service \
	etc/dbus-1/system.d/org.kernel.TCMUService1.conf; do
	[ -f "$work/root/$file" ] || fail "/$file is not installed"
done
wrong=$(files | sed -e '\,^\./usr/local/,d' -e '\,^\./etc/dbus-1/system\.d/,d')
[ -z "$wrong" ] || fail "outside of /usr/local: $wrong"
"$work/root/usr/local/bin/tcmu-runner" --help | grep -q /usr/local/etc/tcmu/tcmu.conf ||
	fail "the daemon does not read the installed tcmu.conf"

grep -q '^d /usr/local/etc/tcmu/iscsi ' "$work/root/usr/local/lib/tmpfiles.d/tcmu-runner-iscsi.conf" ||
	fail "the folder of saveconfig.json is elsewhere"
grep -q -- '--saveconfig /usr/local/etc/tcmu/iscsi/saveconfig.json' \
	"$work/root/usr/local/lib/systemd/system/tcmu-runner-iscsi.service" || fail "the service has another saveconfig.json"

# This tcmu.conf belongs to an administrator.
conf=$work/root/usr/local/etc/tcmu/tcmu.conf
echo '# mine' >>"$conf"
quietly cmake --install "$work/b"
[ "$(tail -n 1 "$conf")" = '# mine' ] || fail "a second installation overwrites tcmu.conf"
quietly cmake --build "$work/b" --target uninstall
left=$(files)
[ "$left" = ./usr/local/etc/tcmu/tcmu.conf ] || fail "uninstall leaves: $left"

# Without a file of an administrator, nothing may be left after the uninstallation.
rm "$conf"
quietly cmake --install "$work/b"
quietly cmake --build "$work/b" --target uninstall
left=$(files)
[ -z "$left" ] || fail "uninstall leaves: $left"
[ ! -d "$work/root/usr/local/etc/tcmu" ] || fail "uninstall leaves the folder of tcmu.conf"
echo "all files are in the right places, and the uninstallation removes them"
