#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# both_roots.sh SCRIPTS: runs the scripts with the kernel's target tree (as root, with a daemon that serves the
# kernel) or with the tree of a daemon (TCMU_CONFIGFS=FOLDER, as any user). Arguments, output and refusals must be the
# same with both.
set -eu
scripts=$1
tree=${TCMU_CONFIGFS:-/sys/kernel/config/target}
work=$(mktemp -d)
server=
trap 'rm -rf "$work"; [ -z "$server" ] || kill $server 2>/dev/null || true' EXIT
initiator=iqn.2026-11.com.test:both
iqn=iqn.2026-11.com.test:roots
echo "InitiatorName=IQN.2026-11.com.test:Both" >"$work/initiator"
export TCMU_INITIATOR_NAME="$work/initiator"

failed() {
	echo "FAILED in $tree: $*"
	cat "$work/out" "$work/err"
	exit 1
}
listing() { find "$tree" -name statistics -prune -o -print 2>/dev/null | sort; }
run() { # SCRIPT ARGUMENTS...
	script=$1
	shift
	"$scripts/$script" "$@" >"$work/out" 2>"$work/err"
}
works() { # OUTPUT SCRIPT ARGUMENTS...
	expected=$1
	shift
	run "$@" || failed "$*"
	[ "$(cat "$work/out")" = "$expected" ] || failed "$*: the output is not '$expected'"
	[ ! -s "$work/err" ] || failed "$*: it prints something on standard error"
}
refuses() { # REASON SCRIPT ARGUMENTS...: the script must fail with an error of one line, and change nothing
	reason=$1
	shift
	listing >"$work/before"
	! run "$@" || failed "$* was not refused"
	[ "$(wc -l <"$work/err")" -eq 1 ] || failed "$*: the error is not one line"
	grep -q "^\[ERROR\] .*$reason" "$work/err" || failed "$*: the reason is not '$reason'"
	listing | cmp -s - "$work/before" || failed "$*: something has changed"
}
says() { # LINE that status.sh must print
	run status.sh || failed status.sh
	grep -qx "  $1" "$work/out" || failed "status.sh does not say '$1'"
}

works "[INFO] Your backstore directory: user_0/a" user_create.sh alloc a 1M
works "[INFO] Your backstore directory: user_1/b" user_create.sh file b 1048576 "$work/my~20disk.img"
[ -f "$work/my disk.img" ] || failed "the image was not created"
refuses 'user_0/a already exists' user_create.sh alloc a 1M
refuses "folder\|No such file" user_create.sh file c 1M "$work/none/c.img"
refuses 'Write' user_create.sh file c 1M "$work/my disk.img"
works "Your backstore path: fileio_0/f" file_create.sh "$work/f.img" f 1M
refuses 'already served as fileio_0/f' file_create.sh "$work/f.img" g 1M
says 'user_0/a  alloc/a  1048576 bytes, enabled, served, 0 commands, LUNs: 0'
says "fileio_0/f  $work/f.img  1048576 bytes, enabled.*, LUNs: 0"

refuses 'not an iSCSI name' target_create.sh disks
refuses 'no port' target_create.sh $iqn 127.0.0.1
port=$(python3 -c 'import socket
with socket.create_server(("127.0.0.1", 0)) as server:
    print(server.getsockname()[1])')
works "[INFO] Target $iqn created
[INFO] Portal: 127.0.0.1:$port" target_create.sh IQN.2026-11.com.test:Roots "127.0.0.1:$port"
refuses 'exists' target_create.sh $iqn
# The following process uses a port.
: >"$work/server"
python3 -c 'import socket, time
with socket.create_server(("127.0.0.1", 0)) as server:
    print(server.getsockname()[1], flush=True)
    time.sleep(1000)' >"$work/server" &
server=$!
until [ -s "$work/server" ]; do
	kill -0 $server
	sleep 0.1
done
used=$(cat "$work/server")
refuses "127.0.0.1:$used.*\(used by\|listens there\)" target_create.sh $iqn:2 "127.0.0.1:$used"
{ kill $server && wait $server; } 2>/dev/null || true
server=
works "[INFO] LUN 0: user_0/a
[INFO] Mapped LUN 0: $initiator" target_setup.sh $iqn user_0/a
works "[INFO] LUN 1: fileio_0/f
[INFO] Mapped LUN 1: $initiator" target_setup.sh $iqn fileio_0/f
refuses 'already LUN 0 of' target_setup.sh $iqn user_0/a
refuses 'no.* device' target_setup.sh $iqn user_7/none
refuses 'in use' user_delete.sh a
refuses 'in use' file_delete.sh fileio_0/f
refuses 'has LUNs' target_delete.sh $iqn
says "  LUN 0: user_0/a"
says "  LUN 1: fileio_0/f"
says "  initiator $initiator, not logged in"
says "$iqn tpgt_1, enabled"

works "[INFO] LUN 0 removed: user_0/a" target_teardown.sh $iqn user_0/a
refuses 'not a LUN' target_teardown.sh $iqn user_0/a
works "[INFO] LUN 1 removed: fileio_0/f" target_teardown.sh --force $iqn fileio_0/f
works "[INFO] Target $iqn deleted" target_delete.sh $iqn
refuses 'no target' target_delete.sh $iqn
works "[INFO] user_0/a deleted" user_delete.sh a
works "[INFO] user_1/b deleted" user_delete.sh user_1/b
works "[INFO] fileio_0/f deleted" file_delete.sh f
refuses 'no.* device' user_delete.sh a
{ [ -f "$work/my disk.img" ] && [ -f "$work/f.img" ]; } || failed "a file was deleted"
echo "all as expected in $tree"
