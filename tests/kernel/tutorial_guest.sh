#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Runs in the guest: tutorial_guest.sh BUILD. Makes it the machine that docs/tutorial.md takes for granted.
set -eu
build=$1
here=$(dirname "$(realpath "$0")")
root=$(realpath "$here/../..")

# What run.sh would build is the build under test.
mkdir -p /tmp/bin "$root/build"
printf '#!/bin/sh\n' >/tmp/bin/cmake
chmod +x /tmp/bin/cmake
PATH=/tmp/bin:$PATH
[ "$(realpath -m "$root/build/run")" = "$build" ] || {
	rm -rf "$root/build/run"
	ln -s "$build" "$root/build/run"
}
rm -f "$root/test_1"

modprobe -a sd_mod target_core_file iscsi_tcp # iscsid looks for the last
rm -f /usr/share/dbus-1/system-services/*
mkdir -p /run/dbus /run/lock/iscsi /etc/iscsi /etc/target /etc/rtslib-fb-target
getent passwd messagebus >/dev/null || echo messagebus:x:990:990::/nonexistent:/usr/sbin/nologin >>/etc/passwd
dbus-uuidgen --ensure
dbus-daemon --system --fork
echo "InitiatorName=iqn.1993-08.org.debian:01:3d5a7e9c1b2" >/etc/iscsi/initiatorname.iscsi
iscsid -f >/tmp/iscsid.log 2>&1 &

cd "$root"
code=0
/usr/bin/python3 "$here/tutorial.py" docs/tutorial.md || code=$?
if dmesg | grep -E 'I/O error|conn error|BUG|WARNING|soft lockup'; then
	echo "the kernel complained"
	code=1
fi
exit $code
