#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Builds tcmu-runner and serves a file and a memory disk over iSCSI on this machine.
#   ./run.sh            two LUNs on 127.0.0.1:3260
#   ./run.sh -- ARGS    the daemon with these arguments instead
set -eu
cd "$(dirname "$0")"
. scripts/packages.sh

case ${1-} in
'' | --) ;;
*)
	sed -n '3,5s/^# *//p' "$0"
	[ "$1" = -h ] || [ "$1" = --help ]
	exit
	;;
esac
[ $# -eq 0 ] || shift

# shellcheck disable=SC2086
install_packages $BUILD_PACKAGES
cmake --preset run
cmake --build --preset run

daemon=build/run/runner/tcmu-runner
state=build/state
mkdir -p "$state"
if [ $# -gt 0 ]; then
	exec "$daemon" --handler-path build/run/handlers "$@"
fi

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
