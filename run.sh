#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Builds tcmu-runner and serves a file and a memory disk over iSCSI on this machine.
#   ./run.sh            serves two LUNs on 127.0.0.1:3260
#   ./run.sh --kernel   runs the daemon for the kernel's LIO instead (docs/tutorial.md); needs root
#   ./run.sh -- ARGS    runs the daemon with these arguments instead
# Relative paths in ARGS begin in the current folder.
set -eu
started_in=$PWD
cd "$(dirname "$0")"
here=$PWD
. scripts/packages.sh

# The daemon is not installed, so the system bus does not yet allow the daemon to own its name.
allow_bus_name() {
	policy=dbus-1/system.d/org.kernel.TCMUService1.conf
	[ ! -e /etc/$policy ] && [ ! -e /usr/share/$policy ] || return 0
	[ -d /etc/dbus-1/system.d ] || {
		echo "run.sh: this machine has no D-Bus; targetcli cannot list the handlers, everything else works" >&2
		return 0
	}
	cp packaging/org.kernel.TCMUService1.conf /etc/$policy
	echo "Wrote /etc/$policy"
	dbus-send --system --dest=org.freedesktop.DBus / org.freedesktop.DBus.ReloadConfig ||
		echo "run.sh: the system bus did not read its policy again; restart it if targetcli finds no handlers" >&2
}

# daemon_listens PID: whether a socket of this process listens on 127.0.0.1:3260. The kernel prints the address in the
# machine's byte order.
daemon_listens() {
	inode=$(awk '$2 ~ /^(0100007F|7F000001):0CBC$/ && $4 == "0A" { print $10; exit }' /proc/net/tcp)
	# shellcheck disable=SC2010,SC2012 # names of this folder are numbers
	[ -n "$inode" ] && ls -l "/proc/$1/fd" 2>/dev/null | grep -qF "socket:[$inode]"
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
	sed -n '3,7s/^# *//p' "$0"
	[ "$1" = -h ] || [ "$1" = --help ]
	exit
	;;
esac

# shellcheck disable=SC2086
install_packages $BUILD_PACKAGES
cmake --preset run
cmake --build --preset run

daemon=$here/build/run/runner/tcmu-runner
handlers=$here/build/run/handlers
case ${1-} in
--kernel)
	allow_bus_name
	echo "Handlers: $("$daemon" --handler-path "$handlers" --dump-handlers | sed -n 's/^name=//p' | paste -s -d ' ' -)"
	exec "$daemon" --handler-path "$handlers" --state-dir "$started_in"
	;;
--)
	shift
	cd "$started_in"
	exec "$daemon" --handler-path "$handlers" "$@"
	;;
esac
state=$here/build/state
mkdir -p "$state"
cd "$state"
"$daemon" --handler-path "$handlers" --state-dir "$state" --iqn iqn.2026-11.io.tcmu-runner:demo \
	--export "file/demo.img,size=1G,create,lun=0" --export alloc/demo,size=256M,lun=1 &
pid=$!
interrupted=
trap 'interrupted=yes; kill -TERM $pid 2>/dev/null || true' INT TERM
until daemon_listens $pid; do
	# The daemon has ended, and has printed the reason.
	kill -0 $pid 2>/dev/null || { wait $pid; exit; }
	sleep 0.1
done

cat <<TEXT

Two disks on 127.0.0.1:3260, target iqn.2026-11.io.tcmu-runner:demo:
  LUN 0  file/demo.img  1 GiB, sparse, kept in build/state
  LUN 1  alloc/demo     256 MiB of memory, lost when this stops
In another terminal, with libiscsi's tools (apt-get install libiscsi-bin qemu-utils qemu-block-extra):
  iscsi-ls -s iscsi://127.0.0.1:3260
  iscsi-inq iscsi://127.0.0.1:3260/iqn.2026-11.io.tcmu-runner:demo/0
  qemu-img info iscsi://127.0.0.1:3260/iqn.2026-11.io.tcmu-runner:demo/0
or with the kernel's initiator (apt-get install open-iscsi; as root):
  iscsiadm -m discovery -t sendtargets -p 127.0.0.1
  iscsiadm -m node -T iqn.2026-11.io.tcmu-runner:demo -p 127.0.0.1 --login
  lsblk --scsi
  iscsiadm -m node -T iqn.2026-11.io.tcmu-runner:demo -p 127.0.0.1 --logout
To look at the daemon and to change its disks and targets:
  $here/build/run/tools/tcmuctl/tcmuctl status
Ctrl-C stops it.

TEXT
# A signal ends the first wait. The second one waits for the daemon, which has received the signal, too.
status=0
wait $pid || status=$?
if [ -n "$interrupted" ]; then
	status=0
	wait $pid || status=$?
fi
exit $status
