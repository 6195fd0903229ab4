#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# guest: -m 1024 -p bus -p initiator -p targetcli
# tutorial_guest.sh DAEMON HANDLER-PATH: prepares the guest as docs/tutorial.md expects it, and runs the commands of
# the document.
initiator=iqn.1993-08.org.debian:01:3d5a7e9c1b2
# shellcheck source=guest_lib.sh
. "$(dirname "$0")/guest_lib.sh"
build=$(realpath "$handlers/..")
root=$(realpath "$here/../..")

# run.sh finds the build under test, so it builds nothing.
mkdir -p /tmp/bin "$root/build"
printf '#!/bin/sh\n' >/tmp/bin/cmake
chmod +x /tmp/bin/cmake
PATH=/tmp/bin:$PATH
[ "$(realpath -m "$root/build/run")" = "$build" ] || {
	rm -rf "$root/build/run"
	ln -s "$build" "$root/build/run"
}
rm -f "$root/test_1"

modprobe target_core_file
mkdir -p /etc/target /etc/rtslib-fb-target
start_bus
start_initiator

cd "$root"
/usr/bin/python3 "$here/tutorial.py" docs/tutorial.md
no_kernel_error
