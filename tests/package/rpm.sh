#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# rpm.sh BUILD_DIR: builds the RPM packages with cpack and from packaging/rpm/tcmu-runner.spec, and checks
# their licence, configuration files, scripts and contents. It does not install them, because this needs a system with
# RPM.
set -eu -o pipefail
source=$(realpath "$(dirname "$0")/../..")
build=$1
for tool in rpmbuild rpm cpack; do
	command -v $tool >/dev/null || { echo "SKIP: $tool is not installed"; exit 77; }
done
grep -q '^CMAKE_INSTALL_PREFIX:PATH=/usr$' "$build/CMakeCache.txt" || { echo "SKIP: the build is not configured for /usr"; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() {
	echo "FAIL: $*" >&2
	exit 1
}

# check_package PACKAGE: checks the properties that the packages of both ways of building must have. grep reads all lines,
# because pipefail would report an rpm that cannot write to a grep -q that has already ended.
check_package() {
	rpm -qp --qf '%{LICENSE}' "$1" | grep -x 'Apache-2.0' >/dev/null || fail "$1 does not have the licence Apache-2.0"
	rpm -qp --configfiles "$1" | grep -x /etc/tcmu/tcmu.conf >/dev/null || fail "$1: tcmu.conf is not marked as a configuration file"
	rpm -qp --scripts "$1" | grep 'tcmu-runner.service' >/dev/null || fail "$1: no script handles tcmu-runner.service"
	rpm -qlp "$1" >"$work/list"
	rpm -qp --scripts "$1" | grep 'tcmu-runner-iscsi.service' >/dev/null || fail "$1: no script handles tcmu-runner-iscsi.service"
	for file in /usr/bin/tcmu-runner /usr/lib/sysusers.d/tcmu-runner-iscsi.conf \
		/usr/lib/tmpfiles.d/tcmu-runner-iscsi.conf /usr/share/dbus-1/system.d/org.kernel.TCMUService1.conf; do
		grep -qx $file "$work/list" || fail "$1 lacks $file"
	done
	grep -q '/lib/systemd/system/tcmu-runner-iscsi.service$' "$work/list" || fail "$1 lacks the service for exports"
	grep -q '/handler_file.so$' "$work/list" || fail "$1 lacks the handler 'file'"
	grep -q 'licenses.*LICENSE$\|LICENSE$' "$work/list" || fail "$1 lacks the licence's text"
	! grep -qxE '/usr|/usr/bin|/usr/lib/(sysusers|tmpfiles).d|/etc' "$work/list" || fail "$1 contains folders of the system"
}

cpack -G RPM -B "$work/cpack" --config "$build/CPackConfig.cmake" >"$work/log" 2>&1 || { cat "$work/log"; fail "cpack failed"; }
check_package "$(echo "$work"/cpack/tcmu-runner-*.rpm)"

version=$(sed -n 's/^Version: *//p' "$source/packaging/rpm/tcmu-runner.spec")
mkdir -p "$work/rpm/SOURCES"
tar -C "$source" --exclude=./build --exclude=./.git --transform "s,^\.,tcmu-runner-$version," -czf \
	"$work/rpm/SOURCES/tcmu-runner-$version.tar.gz" .
# Systems that use RPM define these macros, but this system may lack them.
cat >"$work/macros" <<'MACROS'
%_unitdir /usr/lib/systemd/system
%cmake_build cmake --build build
%cmake_install DESTDIR=%{buildroot} cmake --install build
%cmake cmake -S . -B build -DCMAKE_INSTALL_LIBDIR=%{_libdir}
%systemd_post() systemctl preset %* || :
%systemd_preun() systemctl disable --now %* || :
%systemd_postun_with_restart() systemctl try-restart %* || :
%debug_package %{nil}
MACROS
macros=/dev/null
rpm --eval '%systemd_post' | grep '^%' >/dev/null && macros=$work/macros
rpmbuild --nodeps --load "$macros" --define "_topdir $work/rpm" -bb "$source/packaging/rpm/tcmu-runner.spec" \
	>"$work/log" 2>&1 || { tail -n 30 "$work/log"; fail "rpmbuild failed"; }
check_package "$(echo "$work"/rpm/RPMS/*/tcmu-runner-"$version"*.rpm)"
rpm -qlp "$work"/rpm/RPMS/*/tcmu-runner-devel-*.rpm | grep '/tcmur/handler.h$' >/dev/null || fail "the devel package lacks headers"
echo "both packages are as expected"
