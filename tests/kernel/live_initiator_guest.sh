#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# guest: -m 1536 -p initiator
# live_initiator_guest.sh DAEMON HANDLER-PATH TCMUCTL ROUNDS: the kernel's initiator uses disks of a daemon of an
# ordinary user, while tcmuctl changes the targets. fio verifies a disk of the target that changes and a disk of another
# one, and neither may notice what does not concern it. The swap of two LUNs is repeated ROUNDS times.
# shellcheck source=guest_lib.sh
. "$(dirname "$0")/guest_lib.sh"
# shellcheck source=live_lib.sh
. "$here/live_lib.sh"
rounds=$4
target=iqn.2026-11.com.example:live
quiet=iqn.2026-11.com.example:quiet
acl=$target/tpgt_1/$initiator
serial() { printf '%s0000000-52de-4a38-9d1a-0c4e5f3d1b01' "$1"; } # DISK: prints the serial number of the disk a, b, c, d or e

write_configuration() {
	local name
	mkdir -p $live
	truncate -s 16M $live/a $live/e $live/quiet
	for name in b c d; do
		python3 "$here/live_reader.py" mark $live/$name "$(serial $name)" 4
	done
	python3 - "$initiator" $target $quiet >$saveconfig <<'PYTHON'
import json, sys
initiator, target, quiet = sys.argv[1:]
disk = lambda name, mib: {"plugin": "user", "name": name, "config": f"file//tmp/live/{name}", "size": mib << 20,
                          "wwn": f"{name[0]}0000000-52de-4a38-9d1a-0c4e5f3d1b01" if len(name) == 1 else None}
def tpg(*names, **account):
    return {"tag": 1, "enable": True, "attributes": {"authentication": int(bool(account))},
            "portals": [{"ip_address": "127.0.0.1", "port": 3260}],
            "luns": [{"index": i, "storage_object": f"/backstores/user/{name}"} for i, name in enumerate(names)],
            "node_acls": [{"node_wwn": initiator, **account, "mapped_luns": [
                {"index": i, "tpg_lun": i, "write_protect": False} for i in range(len(names))]}]}
objects = [disk("a", 16), disk("b", 4), disk("c", 4), disk("d", 4), disk("e", 16), disk("quiet", 16)]
del objects[-1]["wwn"]
json.dump({"storage_objects": objects, "targets": [
    {"fabric": "iscsi", "wwn": target, "tpgs": [tpg("a", "b", chap_userid="alice", chap_password="first-secret-1")]},
    {"fabric": "iscsi", "wwn": quiet, "tpgs": [tpg("quiet")]}]}, sys.stdout)
PYTHON
}

# --- fio verifies a disk in rounds, until a file ends it ---

verify_until_end() { # NAME DISK
	while [ ! -e "/tmp/$1.end" ]; do
		fio --name=verify --filename="$2" --rw=randrw --bsrange=4k-64k --iodepth=4 --ioengine=libaio --direct=1 \
			--verify=crc32c --verify_fatal=1 --verify_backlog=32 --size=4M --rate_iops=70 \
			--output="/tmp/$1.fio" || return
		: >"/tmp/$1.round"
	done
}

end_verification() { # NAME PID: ends verify_until_end after one more round
	rm -f "/tmp/$1.round"
	wait_for test -e "/tmp/$1.round" -o ! -d "/proc/$2"
	: >"/tmp/$1.end"
	wait "$2" || {
		cat "/tmp/$1.fio"
		return 1
	}
}

# --- the messages of the initiator's kernel ---

count_messages() { dmesg | grep -c "$1" || true; } # PATTERN: prints how many lines of the kernel's log match
has_new_message() { [ "$(count_messages "$1")" -gt "$2" ]; } # PATTERN BEFORE

tsih_of() { # TARGET
	ctl sessions "$1" --json | python3 -c 'import json, sys
print(*(s["tsih"] for service in json.load(sys.stdin)["services"] for s in service["sessions"]))'
}

same_session() { [ "$(tsih_of $target)" = "$tsih" ]; }

# --- the changes ---

reload_a_changed_file() {
	step "a reload adds a LUN"
	local before
	before=$(count_messages 'LUN assignments on this target have changed')
	edit 't["luns"].append({"index": 2, "storage_object": "/backstores/user/c"})' \
		'a["mapped_luns"].append({"index": 2, "tpg_lun": 2, "write_protect": False})'
	ctl reload
	[ -z "$(ctl diff)" ]
	wait_for has_new_message 'LUN assignments on this target have changed' "$before"
	rescan
	wait_for disk_of $target 2
	python3 "$here/live_reader.py" check "$(disk_of $target 1)" "$(disk_of $target 2)"
	same_session
}

add_luns() {
	step "tcmuctl adds a LUN"
	ctl map $target d --initiator "$initiator" --lun 3
	ctl map $target e --initiator "$initiator" --lun 4
	rescan
	wait_for disk_of $target 4
	python3 "$here/live_reader.py" check "$(disk_of $target 3)"
	understood sg_vpd --page=sn "$(disk_of $target 4)"
	[[ $decoded == *"$(serial e)"* ]]
	same_session
}

remove_a_lun() {
	step "a LUN is removed under I/O"
	local disk sum load
	disk=$(disk_of $target 4)
	fio --name=load --filename="$disk" --rw=randwrite --bsrange=4k-64k --iodepth=8 --ioengine=libaio --direct=1 \
		--time_based --runtime=100000 --size=8M --output=/tmp/load.fio &
	load=$!
	load_on "$disk"
	ctl unmap $target e
	sum=$(sha256sum $live/e)
	fails wait "$load"
	fails dd if="$disk" of=/dev/null bs=4k count=1 iflag=direct
	ctl delete e
	[ "$(sha256sum $live/e)" = "$sum" ]
	echo 1 >"/sys/block/${disk##*/}/device/delete"
	rescan
	fails disk_of $target 4
	python3 "$here/live_reader.py" check "$(disk_of $target 1)" "$(disk_of $target 3)"
	same_session
}

swap() { # reload|steps: swaps two LUNs by reload, or by one command after the other
	local second=$((3 - first))
	if [ "$1" = reload ]; then
		ctl save >/dev/null
		edit "numbers = {1: $second, 2: $first} if $first == 1 else {1: 1, 2: 2}" \
			'for m in a["mapped_luns"]: m["tpg_lun"] = numbers.get(m["index"], m["tpg_lun"])'
		ctl reload
	else
		ctl unmap $target --lun 1 --initiator "$initiator"
		ctl unmap $target --lun 2 --initiator "$initiator"
		ctl create "$acl/lun_1" --to "$target/tpgt_1/lun_$second"
		ctl create "$acl/lun_2" --to "$target/tpgt_1/lun_$first"
	fi
	first=$second
}

swap_luns() {
	step "two LUNs are swapped $rounds times while they are read"
	local first=1 reader round
	python3 "$here/live_reader.py" read /tmp/reader.end "$(disk_of $target 1)" "$(disk_of $target 2)" >/tmp/reader 2>&1 &
	reader=$!
	wait_for test -e /tmp/reader.end.reading -o ! -d /proc/$reader
	for ((round = 0; round < rounds; round++)); do
		swap "$([ $((round % 2)) = 0 ] && echo reload || echo steps)"
		wait_for test -e /tmp/reader.end.swapped -o ! -d /proc/$reader
	done
	: >/tmp/reader.end
	wait $reader || {
		cat /tmp/reader
		return 1
	}
	cat /tmp/reader
	rescan
	python3 "$here/live_reader.py" check "$(disk_of $target 1)" "$(disk_of $target 2)"
	[ $first = 1 ] || swap steps
	rescan
	same_session
}

size_is() { [ "$(</sys/block/"${1##*/}"/size)" -eq "$2" ]; } # DISK SECTORS

resize() {
	step "a disk grows"
	local disk before
	disk=$(disk_of $target 0)
	before=$(count_messages 'apacity data has changed')
	ctl resize a 32M
	wait_for has_new_message 'apacity data has changed' "$before"
	rescan
	wait_for size_is "$disk" 65536
	verify "$disk" --offset=16M --size=1M
	same_session
}

protected_is() { [ "$(</sys/block/"${1##*/}"/ro)" -eq "$2" ]; } # DISK 0|1

protect() {
	step "a LUN is write-protected"
	local disk
	disk=$(disk_of $target 3)
	ctl set "$acl/lun_3" write_protect 1
	fails dd if="$live/d" of="$disk" bs=4k count=1 oflag=direct
	python3 "$here/live_reader.py" check "$disk"
	rescan
	wait_for protected_is "$disk" 1
	ctl set "$acl/lun_3" write_protect 0
	rescan
	wait_for protected_is "$disk" 0
	dd if="$live/d" of="$disk" bs=4k count=1 oflag=direct
	same_session
}

portals() {
	step "a portal is added and removed"
	ctl create $target/tpgt_1/127.0.0.1:3261
	iscsiadm -m discovery -t sendtargets -p 127.0.0.1:3261 -o nonpersistent >/tmp/out
	grep -qxF "127.0.0.1:3261,1 $target" /tmp/out
	grep -qxF "127.0.0.1:3260,1 $target" /tmp/out
	ctl delete $target/tpgt_1/127.0.0.1:3261
	fails iscsiadm -m discovery -t sendtargets -p 127.0.0.1:3261 -o nonpersistent
	same_session
}

kick() {
	step "kick: the initiator logs in again, and fio does not notice"
	ctl kick "$tsih"
	wait_for is_other_session
	tsih=$(tsih_of $target)
}
is_other_session() { local now; now=$(tsih_of $target) && [ "$now" ] && [ "$now" != "$tsih" ]; }

change_account() {
	step "the CHAP secret is changed"
	echo second-secret-2 >/tmp/secret
	chmod 600 /tmp/secret
	ctl set "$acl" auth/password --file /tmp/secret
	same_session
	dd if="$(disk_of $target 0)" of=/dev/null bs=4k count=1 iflag=direct
	log_out $target
	fails log_in $target
	set_account $target alice second-secret-2
	log_in $target
	wait_for disk_of $target 3
	tsih=$(tsih_of $target)
}

delete_the_acl() {
	step "the ACL is removed, and created again"
	ctl save >/dev/null
	ctl delete "$acl" --recursive
	[ -z "$(tsih_of $target)" ]
	log_out $target || true # unless the initiator has given up by itself
	fails log_in $target
	fails ctl reload
	ctl reload --discard
	log_in $target
	wait_for disk_of $target 3
	python3 "$here/live_reader.py" check "$(disk_of $target 1)" "$(disk_of $target 2)" "$(disk_of $target 3)"
}

step "start"
write_configuration
copy_programs
start_live 3260
start_initiator
iscsiadm -m discovery -t sendtargets -p 127.0.0.1 >/tmp/out
set_account $target alice first-secret-1
log_in $target
log_in $quiet
for each in "$target 0" "$target 1" "$quiet 0"; do
	# shellcheck disable=SC2086 # two words
	wait_for disk_of $each
done
tsih=$(tsih_of $target)
quiet_tsih=$(tsih_of $quiet)
verify_until_end quiet "$(disk_of $quiet 0)" &
quiet_pid=$!
verify_until_end live "$(disk_of $target 0)" &
live_pid=$!

reload_a_changed_file
add_luns
remove_a_lun
swap_luns
resize
protect
portals
kick
step "fio on the target that was changed has noticed nothing"
end_verification live $live_pid
change_account
delete_the_acl
step "fio on the other target has noticed nothing"
end_verification quiet $quiet_pid
[ "$(tsih_of $quiet)" = "$quiet_tsih" ]
cmp -n $((16 << 20)) $live/quiet "$(disk_of $quiet 0)"

step "stop"
log_out $target
log_out $quiet
kill "$iscsid_pid"
stop_daemon
fails grep -E 'error|FATAL|assert' $log
