#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Builds tcmu-runner and serves a file and a memory disk over iSCSI on this machine.
#   ./run.sh            two LUNs on 127.0.0.1:3260
#   ./run.sh --kernel   the kernel's LIO instead (docs/tutorial.md), as root; relative paths start in the current folder
#   ./run.sh -- ARGS    the daemon with these arguments instead
set -eu
started_in=$PWD
cd "$(dirname "$0")"
. scripts/packages.sh

# This daemon is not installed: the system bus must be told that it may have its name.
allow_bus_name() {
	policy=dbus-1/system.d/org.kernel.TCMUService1.conf
	if [ ! -e /etc/$policy ] && [ ! -e /usr/share/$policy ]; then
		cp packaging/org.kernel.TCMUService1.conf /etc/$policy
		echo "Wrote /etc/$policy"
		dbus-send --system --dest=org.freedesktop.DBus / org.freedesktop.DBus.ReloadConfig
	fi
}

case ${1-} in
'' | --) ;;
--kernel)
	[ "$(id -u)" -eq 0 ] || {
		echo "run.sh --kernel: only root may serve the kernel" >&2
		exit 1
	}
	;;
*)
	sed -n '3,6s/^# *//p' "$0"
	[ "$1" = -h ] || [ "$1" = --help ]
	exit
	;;
esac

# shellcheck disable=SC2086
install_packages $BUILD_PACKAGES
cmake --preset run
cmake --build --preset run

daemon=build/run/runner/tcmu-runner
case ${1-} in
--kernel)
	allow_bus_name
	echo "Handlers: $("$daemon" --handler-path build/run/handlers --dump-handlers | sed -n 's/^name=//p' | paste -s -d ' ' -)"
	exec "$daemon" --handler-path build/run/handlers --state-dir "$started_in"
	;;
--)
	shift
	exec "$daemon" --handler-path build/run/handlers "$@"
	;;
esac
state=build/state
mkdir -p "$state"

cat <<'TEXT'

Two disks on 127.0.0.1:3260, target iqn.2026-11.io.tcmu-runner:demo:
  LUN 0  file/demo.img  1 GiB, sparse, kept in build/state
  LUN 1  alloc/demo     256 MiB of memory, gone when this stops
In another terminal, with libiscsi's tools (apt-get install libiscsi-bin qemu-utils qemu-block-extra):
  iscsi-ls -s iscsi://127.0.0.1:3260
  iscsi-inq iscsi://127.0.0.1:3260/iqn.2026-11.io.tcmu-runner:demo/0
  qemu-img info iscsi://127.0.0.1:3260/iqn.2026-11.io.tcmu-runner:demo/0
or with the kernel's initiator (apt-get install open-iscsi; as root):
  iscsiadm -m discovery -t sendtargets -p 127.0.0.1
  iscsiadm -m node -T iqn.2026-11.io.tcmu-runner:demo -p 127.0.0.1 --login
  lsblk --scsi
  iscsiadm -m node -T iqn.2026-11.io.tcmu-runner:demo -p 127.0.0.1 --logout
Ctrl-C stops it.

TEXT
exec "$daemon" --handler-path build/run/handlers --state-dir "$state" \
	--export file/demo.img,size=1G,name=demo --export alloc/demo,size=256M,name=demo
