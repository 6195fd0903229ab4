#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# targetcli_steps.sh: targetcli.sh runs this script as root in a system whose changes are discarded. Never run it
# directly on a machine.
set -eu
[ -f /packages.txt ] || { echo "this is not a system of the tests"; exit 2; }
dpkg -i /new/new.deb >/tmp/log 2>&1 || { cat /tmp/log; exit 1; }
getent passwd tester >/dev/null || useradd --create-home tester

# Every user may open /dev/fuse, as udev arranges on most machines. This mount is visible in this system only.
mkdir /tmp/dev
mount -t tmpfs -o mode=755 tmpfs /tmp/dev
mknod -m 666 /tmp/dev/fuse c 10 229
mount --bind /tmp/dev/fuse /dev/fuse

# use USER: as this user, starts a daemon with a tree and runs targetcli on it, from the first disk to the saved
# configuration.
use() {
	port=$((20000 + $(id -u "$1") % 10000))
	echo "-- as $1"
	# shellcheck disable=SC2016 # the inner shell expands these
	setpriv --reuid="$1" --regid="$1" --init-groups env HOME="$(getent passwd "$1" | cut -d: -f6)" sh -eu -c '
		port=$1 target=iqn.2026-11.com.example:$(id -un)
		cd "$HOME"
		rm -rf tree scratch disk.img
		mkdir tree scratch
		XDG_RUNTIME_DIR=$HOME/scratch XDG_STATE_HOME=$HOME/scratch
		export XDG_RUNTIME_DIR XDG_STATE_HOME TCMU_TARGETCLI_FOLDER="$HOME/scratch/private"
		export TCMU_SOCKET="$HOME/scratch/run/control"
		tcmu-runner --tree "$HOME/tree" --saveconfig "$HOME/scratch/saveconfig.json" --run-dir "$HOME/scratch/run" \
			--state-dir "$HOME/scratch/state" >scratch/log 2>&1 &
		daemon=$!
		trap "kill $daemon 2>/dev/null; wait $daemon || true" EXIT
		until tcmuctl status >scratch/status 2>&1; do
			kill -0 $daemon || { cat scratch/log; exit 1; }
			sleep 0.2
		done
		run() { tcmu-targetcli "$@" >scratch/out 2>&1 || { cat scratch/out scratch/log; echo "failed: $*"; exit 1; }; }
		run set global auto_add_default_portal=false
		run /backstores/user:file create disk 16M "$HOME/disk.img"
		run /iscsi create $target
		run /iscsi/$target/tpg1/portals create 127.0.0.1 $port
		run /iscsi/$target/tpg1/luns create /backstores/user:file/disk
		run /iscsi/$target/tpg1 set attribute generate_node_acls=1
		run ls
		grep -q "disk.img (16.0MiB) activated" scratch/out || { cat scratch/out; exit 1; }
		iscsi-inq iscsi://127.0.0.1:$port/$target/0 >scratch/out
		run saveconfig
		grep -q "the daemon has saved its configuration, too" scratch/out || { cat scratch/out; exit 1; }
		grep -q $target scratch/saveconfig.json
		run /iscsi delete $target
		[ -z "$(ls -A tree/iscsi | grep iqn || true)" ]' use "$port"
}
use root
use tester
dpkg -P tcmu-runner >/tmp/log 2>&1
echo "tcmu-targetcli works as it is installed"
