#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# deb.sh BUILD_DIR: builds the Debian package, unpacks it, and checks everything that the system relies on.
set -eu -o pipefail
build=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() {
	echo "FAIL: $*" >&2
	exit 1
}
for tool in dpkg-deb dpkg-shlibdeps cpack; do
	command -v $tool >/dev/null || { echo "SKIP: $tool is not installed"; exit 77; }
done
grep -q '^CMAKE_INSTALL_PREFIX:PATH=/usr$' "$build/CMakeCache.txt" || { echo "SKIP: the build is not configured for /usr"; exit 77; }

cpack -G DEB -B "$work" --config "$build/CPackConfig.cmake" >"$work/log" 2>&1 || { cat "$work/log"; fail "cpack failed"; }
deb=$(echo "$work"/tcmu-runner_*.deb)
root=$work/root
dpkg-deb -x "$deb" "$root"
dpkg-deb -e "$deb" "$work/control"
lib=usr/lib/$(dpkg-architecture -q DEB_HOST_MULTIARCH 2>/dev/null || gcc -print-multiarch)
unit=$(find "$root" -name tcmu-runner.service)
exports=$(find "$root" -name tcmu-runner-iscsi.service)

# --- the package contains these files and no others

while read -r path; do
	[ -f "$root/$path" ] || fail "/$path is not in the package"
done <<LIST
etc/logrotate.d/tcmu-runner
etc/tcmu/tcmu.conf
usr/bin/tcmu-runner
usr/bin/tcmuctl
usr/include/tcmur/filter.h
usr/include/tcmur/handler.h
usr/include/tcmur/queue.h
$lib/cmake/tcmu-runner/tcmu-runnerConfig.cmake
$lib/pkgconfig/tcmu-runner.pc
$lib/tcmu-runner/filter_delay.so
$lib/tcmu-runner/filter_error.so
$lib/tcmu-runner/handler_alloc.so
$lib/tcmu-runner/handler_block.so
$lib/tcmu-runner/handler_file.so
usr/share/bash-completion/completions/tcmu-runner
usr/share/bash-completion/completions/tcmuctl
usr/share/dbus-1/system-services/org.kernel.TCMUService1.service
usr/share/dbus-1/system.d/org.kernel.TCMUService1.conf
usr/share/doc/tcmu-runner/README.md
usr/share/doc/tcmu-runner/changelog.gz
usr/share/doc/tcmu-runner/copyright
usr/share/doc/tcmu-runner/exports-service.md
usr/share/doc/tcmu-runner/from-scst.md
usr/share/doc/tcmu-runner/from-tcmu-runner-1.x.md
usr/share/doc/tcmu-runner/template/filter.c
usr/share/doc/tcmu-runner/template/template.c
usr/share/doc/tcmu-runner/tutorial.md
usr/share/doc/tcmu-runner/writing-a-handler.md
usr/share/tcmu-runner/scripts/daemon.sh
usr/share/tcmu-runner/scripts/lio.sh
usr/share/tcmu-runner/scripts/status.sh
usr/share/tcmu-runner/scripts/tree.sh
usr/share/tcmu-runner/scripts/user_create.sh
usr/share/man/man5/tcmu.conf.5.gz
usr/share/man/man8/filter-delay.8.gz
usr/share/man/man8/filter-error.8.gz
usr/bin/tcmu-targetcli
usr/lib/sysusers.d/tcmu-runner-iscsi.conf
usr/lib/tmpfiles.d/tcmu-runner-iscsi.conf
usr/libexec/tcmu-runner/tcmu-targetcli-bus
usr/share/man/man8/tcmu-runner-iscsi.service.8.gz
usr/share/man/man8/tcmu-runner.8.gz
usr/share/man/man8/tcmu-targetcli.8.gz
usr/share/man/man8/tcmuctl.8.gz
usr/share/man/man8/tcmur-file.8.gz
usr/share/zsh/vendor-completions/_tcmu-runner
usr/share/zsh/vendor-completions/_tcmuctl
LIST
[ -n "$unit" ] || fail "the package has no tcmu-runner.service"
[ -n "$exports" ] || fail "the package has no tcmu-runner-iscsi.service"
places="etc/(tcmu|logrotate\.d)|(usr/)?lib/systemd/system|usr/lib/(sysusers|tmpfiles)\.d|usr/bin|usr/include/tcmur"
places="$places|usr/libexec/tcmu-runner|$lib/(cmake/tcmu-runner|pkgconfig|tcmu-runner)|usr/share/(bash-completion|dbus-1|doc|man|tcmu-runner|zsh)"
stray=$(cd "$root" && find . -type f | sed -E "\,^\./($places)/,d")
[ -z "$stray" ] || fail "files in unexpected places: $stray"
wrong=$(dpkg-deb -c "$deb" | sed '/ root\/root /d')
[ -z "$wrong" ] || fail "files that root does not own: $wrong"
wrong=$(find "$root" ! -type l -perm /022)
[ -z "$wrong" ] || fail "files to which other users may write: $wrong"

# --- the control information of the package

field() { dpkg-deb -f "$deb" "$1"; }
[ "$(field Package)" = tcmu-runner ] || fail "the name of the package is $(field Package)"
field Breaks | grep -qw ceph-iscsi || fail "Breaks does not contain ceph-iscsi: $(field Breaks)"
for name in Conflicts Replaces Provides; do
	[ -z "$(field $name)" ] || fail "the package must have no field $name, but it has: $(field $name)"
done
for package in libc6 libglib2.0-0 libjson-glib-1.0-0 liburing2 init-system-helpers systemd; do
	field Depends | grep -qE "(^|, )$package" || fail "Depends lacks $package: $(field Depends)"
done
(cd "$root" && find etc -type f -printf '/%p\n') | sort | diff "$work/control/conffiles" - || fail "conffiles differs from the files in /etc"
for script in preinst postinst prerm postrm; do
	[ -x "$work/control/$script" ] || fail "$script is not executable"
done

# --- the maintainer scripts, run with programs that only print their arguments

mkdir "$work/fakes"
for program in deb-systemd-helper deb-systemd-invoke systemctl systemd-sysusers systemd-tmpfiles dpkg-maintscript-helper \
	update-rc.d; do
	# shellcheck disable=SC2016 # the written script expands these
	printf '#!/bin/sh\necho %s "$@" >>%s/calls\n[ "$2" != was-enabled ] || [ "$3" = tcmu-runner.service ]\n' $program "$work" \
		>"$work/fakes/$program"
	chmod +x "$work/fakes/$program"
done
PATH=$work/fakes:$PATH "$work/control/postinst" configure ''
grep -q 'deb-systemd-helper enable tcmu-runner.service' "$work/calls" || fail "postinst does not enable the unit"
! grep -qE '(enable|start) tcmu-runner-iscsi.service' "$work/calls" ||
	fail "postinst enables or starts the service for exports"
grep -q 'systemd-sysusers tcmu-runner-iscsi.conf' "$work/calls" || fail "postinst does not create the user"
PATH=$work/fakes:$PATH "$work/control/prerm" upgrade 2.0.1
! grep -q stop "$work/calls" || fail "prerm stops the service during an upgrade"
PATH=$work/fakes:$PATH "$work/control/prerm" remove
[ ! -d /run/systemd/system ] || grep -q 'deb-systemd-invoke stop tcmu-runner.service tcmu-runner-iscsi.service' "$work/calls" ||
	fail "prerm does not stop the service"

# --- the contents of the files

# The hardening is visible in the headers and symbols of the program.
readelf -hldsW "$root/usr/bin/tcmu-runner" >"$work/elf"
grep -q GNU_RELRO "$work/elf" || fail "the program is not linked with RELRO"
grep -q BIND_NOW "$work/elf" || fail "the program is not linked with BIND_NOW"
grep -q 'Type: *DYN' "$work/elf" || fail "the program is not position-independent"
# A build with sanitizers has the sanitizers' checks instead.
if ! grep -qE '^TCMUR_SANITIZE:.*=.' "$build/CMakeCache.txt"; then
	grep -q __stack_chk_fail "$work/elf" || fail "the program has no stack protector"
	grep -qE '__[a-z]+_chk' "$work/elf" || fail "the program has no fortified functions"
fi

! grep -rlE '@[A-Za-z_]+@' "$root/etc" "$root/usr/share/dbus-1" "$unit" "$exports" "$root/usr/lib/tmpfiles.d" ||
	fail "these files contain a placeholder"
grep -qx 'ExecStart=/usr/bin/tcmu-runner' "$unit" || fail "ExecStart of $unit is not /usr/bin/tcmu-runner"
grep -q -- '--saveconfig /etc/tcmu/iscsi/saveconfig.json' "$exports" || fail "ExecStart of $exports does not read /etc/tcmu/iscsi/saveconfig.json"
grep -qx 'd /etc/tcmu/iscsi 0700 tcmu-runner-iscsi tcmu-runner-iscsi -' "$root/usr/lib/tmpfiles.d/tcmu-runner-iscsi.conf" ||
	fail "tmpfiles.d does not create the folder of saveconfig.json"
! grep -rlF "$build" "$root/etc" "$root/usr/share" "$root/$lib/cmake" "$root/$lib/pkgconfig" "$unit" ||
	fail "these files contain the path of the build folder"
"$root/usr/bin/tcmu-runner" --handler-path "$root/$lib/tcmu-runner" --dump-handlers >"$work/dump"
for handler in alloc block file null; do
	grep -qx "name=$handler" "$work/dump" || fail "the packaged daemon does not load the handler $handler"
done
for filter in delay error; do
	grep -qx "filter=$filter" "$work/dump" || fail "the packaged daemon does not load the filter $filter"
done
read -r cflags < <(PKG_CONFIG_PATH=$root/$lib/pkgconfig pkg-config --cflags tcmu-runner)
[ -f "${cflags#-I}/tcmur/handler.h" ] || fail "pkg-config prints $cflags, where there is no tcmur/handler.h"
# test.sh may have unpacked the program without systemd's units, which it needs.
if command -v systemd-analyze >/dev/null && [ -e /lib/systemd/system/sysinit.target ]; then
	mkdir "$work/unit"
	# verify_unit UNIT EXPOSURE: systemd must understand all settings of the unit, and the exposure that systemd
	# computes must not be larger than EXPOSURE (100: not hardened at all).
	verify_unit() {
		local name=${1##*/}
		sed -E 's|^(Exec[A-Za-z]*=)[^ ]*|\1/bin/true|' "$1" >"$work/unit/$name"
		systemd-analyze verify --man=no "$work/unit/$name" >"$work/log" 2>&1 || fail "$name: $(cat "$work/log")"
		[ ! -s "$work/log" ] || fail "$name: $(cat "$work/log")"
		systemd-analyze security --offline=true --threshold="$2" "$work/unit/$name" >"$work/log" ||
			fail "$name is less hardened than before: $(tail -n 1 "$work/log")"
	}
	verify_unit "$unit" 50
	verify_unit "$exports" 30
fi
if command -v lintian >/dev/null; then
	# lintian does not know that every version of ceph-iscsi needs a handler rbd, and that cpack does not use
	# debhelper.
	lintian --allow-root --fail-on error,warning "$deb" \
		--suppress-tags breaks-without-version,maintainer-script-should-not-use-dpkg-maintscript-helper \
		>"$work/log" 2>&1 || fail "lintian: $(cat "$work/log")"
fi

# --- cmake --install must keep a file that an administrator has changed

mkdir -p "$work/staged/etc/tcmu"
echo '# mine' >"$work/staged/etc/tcmu/tcmu.conf"
DESTDIR=$work/staged cmake --install "$build" >"$work/log" 2>&1 || { cat "$work/log"; fail "cmake --install failed"; }
[ "$(cat "$work/staged/etc/tcmu/tcmu.conf")" = '# mine' ] || fail "cmake --install overwrites tcmu.conf"
cmp -s "$work/staged/usr/share/dbus-1/system.d/org.kernel.TCMUService1.conf" \
	"$root/usr/share/dbus-1/system.d/org.kernel.TCMUService1.conf" || fail "cmake --install does not install the policy of the package"
