#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# lifecycle_steps.sh NEW_DEB OLD_DEBS: lifecycle.sh runs this script as root in a chroot whose changes are discarded.
# Never run it directly on a machine, because it installs and removes packages.
set -eu
new=$1 old=$2
[ -f /packages.txt ] || { echo "this is not a chroot of the tests"; exit 2; }
unit=/etc/systemd/system/multi-user.target.wants/tcmu-runner.service
exports=/etc/systemd/system/multi-user.target.wants/tcmu-runner-iscsi.service
failures=0

fail() {
	echo "FAIL: $step: $*"
	failures=$((failures + 1))
}
# step WORDS...: prints what the script tests next.
step() {
	step=$*
	echo "-- $step"
}
quietly() { "$@" >/tmp/log 2>&1 || { cat /tmp/log; fail "$*"; }; }
exists() { [ -e "$1" ] || [ -L "$1" ]; }
check_present() { for file in "$@"; do exists "$file" || fail "$file is missing"; done; }
check_absent() { for file in "$@"; do ! exists "$file" || fail "$file was not removed"; done; }
check_enabled() { [ -L $unit ] || fail "the unit is not enabled"; }
check_disabled() { [ ! -L $unit ] || fail "the unit is enabled"; }
version() { dpkg-query -W -f '${Version}' tcmu-runner 2>/dev/null; }
# Prints the files of the system, except those that dpkg and apt write for themselves.
snapshot() {
	find / -xdev \( -path /proc -o -path /dev -o -path /src -o -path /tmp -o -path /new -o -path /var/lib/dpkg \
		-o -path /var/cache -o -path /var/lib/apt -o -path /var/log/dpkg.log -o -path /var/log/apt \) -prune -o -print | sort
}
check_new_version() {
	case $(version) in 2.*) ;; *) fail "the version is $(version)" ;; esac
	check_present /usr/bin/tcmu-runner /etc/tcmu/tcmu.conf /etc/logrotate.d/tcmu-runner
	check_absent /etc/init.d/tcmu-runner /etc/dbus-1/system.d/tcmu-runner.conf /etc/rc2.d/S01tcmu-runner /etc/rc0.d/K01tcmu-runner
	[ "$(stat -c %U:%G:%a /etc/tcmu/iscsi)" = tcmu-runner-iscsi:tcmu-runner-iscsi:700 ] || fail "/etc/tcmu/iscsi has another owner or mode"
	/usr/bin/tcmu-runner --dump-handlers | grep -qx 'name=file' || fail "the daemon does not load its handlers"
	# An administrator may change configuration files, so they do not count.
	wrong=$(dpkg -V tcmu-runner | grep -v ' c /etc/' || true)
	[ -z "$wrong" ] || fail "dpkg -V: $wrong"
}
check_old_version() {
	case $(version) in 1.5.*) ;; *) fail "the version is $(version)" ;; esac
	check_present /usr/bin/tcmu-runner /etc/init.d/tcmu-runner /etc/tcmu/tcmu.conf /etc/dbus-1/system.d/tcmu-runner.conf
	check_absent /usr/share/tcmu-runner /usr/include/tcmur
}
install_new() { quietly dpkg -i --force-confold "$new"; }
install_old() { quietly dpkg -i --force-confold --force-downgrade "$old"/*.deb; }

snapshot >/tmp/before

step install
install_new
check_new_version
check_enabled
[ ! -L $exports ] || fail "the service for exports is enabled"

step 'the daemon without TCMU in the kernel ends with status 69'
status=0
/usr/bin/tcmu-runner --kernel >/tmp/log 2>&1 || status=$?
[ $status -eq 69 ] || fail "status $status: $(cat /tmp/log)"
grep -rqx 'RestartPreventExitStatus=69' /lib/systemd/system/tcmu-runner.service || fail "the unit tries again"

step remove
quietly systemctl enable tcmu-runner-iscsi.service
echo '{}' >/etc/tcmu/iscsi/saveconfig.json
quietly dpkg -r tcmu-runner
check_present /etc/tcmu/iscsi/saveconfig.json
check_absent /usr/bin/tcmu-runner /usr/share/tcmu-runner /lib/systemd/system/tcmu-runner.service
check_present /etc/tcmu/tcmu.conf

step 'install again'
install_new
check_new_version
check_enabled
check_present $exports /etc/tcmu/iscsi/saveconfig.json

step purge
touch /var/log/tcmu-runner.log /var/log/tcmu-runner-iscsi.log /var/log/tcmu-runner-iscsi.log.1
mkdir -p /etc/tcmu/iscsi/backup /var/lib/tcmu-runner-iscsi
touch /etc/tcmu/iscsi/backup/saveconfig-1.json
for file in disk.img-0123456789abcdef01234567.state inventories-0123456789abcdef01234567.lock inventories inventories.old \
	machine-id; do
	touch "/var/lib/tcmu-runner-iscsi/$file"
done
quietly dpkg -P tcmu-runner
snapshot >/tmp/after
left=$(diff /tmp/before /tmp/after | grep '^[<>]' || true)
[ -z "$left" ] || fail "left or lost: $left"

step 'purge keeps disk images'
install_new
mkdir -p /var/lib/tcmu-runner /var/lib/tcmu-runner-iscsi
echo data | tee /var/lib/tcmu-runner/disk.img >/var/lib/tcmu-runner-iscsi/disk.img
quietly dpkg -P tcmu-runner
check_present /var/lib/tcmu-runner/disk.img /var/lib/tcmu-runner-iscsi/disk.img
rm -r /var/lib/tcmu-runner /var/lib/tcmu-runner-iscsi
getent passwd tcmu-runner-iscsi >/tmp/log || fail "the user that owns images is gone"

step 'upgrade from 1.5'
install_old
check_old_version
check_enabled
install_new
check_new_version
check_enabled

step 'downgrade to 1.5'
install_old
check_old_version
check_enabled

step 'upgrade again, remove, purge'
install_new
check_new_version
check_enabled
quietly dpkg -r tcmu-runner
quietly dpkg -P tcmu-runner
quietly dpkg -P libtcmu2
check_disabled
snapshot >/tmp/after
left=$(diff /tmp/before /tmp/after | grep '^[<>]' || true)
[ -z "$left" ] || fail "left or lost: $left"

step 'a disabled unit stays disabled, and changed configuration stays'
install_old
rm $unit # this is what systemctl disable does
check_disabled
echo 'log_level = 4' >>/etc/tcmu/tcmu.conf
install_new
check_new_version
check_disabled
tail -n 1 /etc/tcmu/tcmu.conf | grep -qx 'log_level = 4' || fail "tcmu.conf was overwritten"
quietly dpkg -P tcmu-runner libtcmu2

step 'remove 1.5 but do not purge it, then install'
install_old
quietly dpkg -r tcmu-runner
install_new
check_new_version
check_enabled
quietly dpkg -P tcmu-runner libtcmu2

step 'dpkg refuses to break ceph-iscsi'
mkdir -p /tmp/ceph/DEBIAN
printf '%s\n' 'Package: ceph-iscsi' 'Version: 3.5-3' 'Architecture: all' 'Maintainer: test <test@tcmu-runner.invalid>' \
	'Depends: tcmu-runner (>= 1.4.0)' 'Description: a stand-in' >/tmp/ceph/DEBIAN/control
quietly dpkg-deb -b /tmp/ceph /tmp/ceph.deb
install_old
quietly dpkg -i /tmp/ceph.deb
! dpkg -i --force-confold "$new" >/tmp/log 2>&1 || fail "the upgrade breaks ceph-iscsi"
grep -q ceph-iscsi /tmp/log || fail "dpkg does not name ceph-iscsi: $(cat /tmp/log)"
check_old_version
check_enabled

[ $failures -eq 0 ] || { echo "$failures failures"; exit 1; }
echo "all as expected"
