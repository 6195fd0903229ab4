# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# shellcheck disable=SC2034 # the scripts that source this file read the variables
# The scripts in the guest source this file; their first arguments are DAEMON HANDLER-PATH. It contains functions for
# the daemon, the kernel's target tree, the kernel's initiator, and the tests of a disk. A command that fails ends the
# script and shows the last output.
set -eEu -o pipefail
trap 'failed "${BASH_SOURCE[0]##*/}:$LINENO: $BASH_COMMAND"' ERR
daemon=$1 handlers=$2
here=$(dirname "$(realpath "$0")")
scripts=$(realpath "$here/../../scripts")
log=/tmp/daemon.log
tree=/sys/kernel/config/target
core=$tree/core
tpg=$tree/loopback/naa.5001405000000001/tpgt_1
parameters=/sys/module/target_core_user/parameters
: "${initiator:=iqn.2026-11.test:guest}"
shown_after_failure=(/tmp/out "$log") # The files that are shown after a failure.
daemon_pid=
decoded=''
: | tee "${shown_after_failure[@]}"

failed() { # WHERE: the place of the command that has failed
	echo "FAILED: $1"
	echo "$decoded"
	tail -n 30 "${shown_after_failure[@]}"
	dmesg | tail -n 25
}

step() { echo "== $* ($SECONDS s)"; }

now_ms() { echo $((${EPOCHREALTIME/./} / 1000)); }

# In a guest, starting a process takes 20 to 100 ms, and most guests spend most of their time on starting processes. The
# functions that are called often therefore start few processes or none.

exec {never}<> <(:) # nothing is ever written into this pipe
pause() { read -rt "$1" <&"$never" || :; } # SECONDS

# slowness: sets $slowness to the factor by which this guest now creates processes more slowly than a guest on an idle
# machine.
slowness() {
	local begin=${EPOCHREALTIME/./} i
	for ((i = 0; i < 20; i++)); do
		/bin/true
	done
	slowness=$(((${EPOCHREALTIME/./} - begin) / 500000 + 1))
}
slowness
[ "$GUEST_FACTOR" -ge $slowness ] || GUEST_FACTOR=$slowness
echo "times are multiplied by $GUEST_FACTOR"
patience=$((60 * GUEST_FACTOR)) # In seconds. A wait that takes longer counts as a hang.

# wait_for COMMAND...: repeats the command until it succeeds, or until $patience has passed. A command that starts
# processes takes long, so about two thirds of the time are left to those for which it waits.
wait_for() {
	local begin=$SECONDS start pause
	while :; do
		start=${EPOCHREALTIME/./}
		! "$@" >/dev/null 2>&1 || return 0
		pause=$((2 * (${EPOCHREALTIME/./} - start)))
		pause=$((pause < 100000 ? 100000 : pause > 900000 ? 900000 : pause))
		pause "0.$pause"
		[ $((SECONDS - begin)) -le "$patience" ] || {
			echo "no success within $patience s: $*"
			return 1
		}
	done
}

# logged PATTERN [FILE]: tells whether a line of the daemon's log, or of FILE, matches the extended regular expression
logged() {
	local line
	while IFS= read -r line; do
		[[ ! $line =~ $1 ]] || return 0
	done <"${2-$log}"
	return 1
}

fails() { ! "$@" >/tmp/out 2>&1; } # COMMAND...

wait_all() { # PIDS...: waits for them; each must succeed
	local pid
	for pid; do wait "$pid"; done
}

no_kernel_error() {
	if dmesg | grep -E 'I/O error|conn error|detected conn|timed out|BUG|WARNING|soft lockup|TCMU.*(broken|error)'; then
		echo "the kernel has logged an error"
		return 1
	fi
}

# --- the daemon ---

start_daemon() { # starts the daemon, and returns when it serves
	: >$log
	"$daemon" --handler-path "$handlers" --state-dir /tmp/state >>$log 2>&1 &
	daemon_pid=$!
	wait_for logged "serving the kernel's devices"
}

stop_daemon() {
	kill "$daemon_pid"
	wait "$daemon_pid" # the function returns the daemon's exit status
}

kill_daemon() {
	kill -9 "$daemon_pid"
	wait "$daemon_pid" 2>/dev/null || true
}

# --- the state of a machine after its start ---

load_target() {
	mkdir -p /tmp/state
	printf '#!/bin/sh\nexec "%s" --handler-path "%s" --state-dir /tmp/state "$@"\n' "$daemon" "$handlers" >/tmp/tcmu-runner
	chmod +x /tmp/tcmu-runner
	export TCMU_RUNNER=/tmp/tcmu-runner # the scripts use this program
	modprobe -a target_core_user sd_mod
	mountpoint -q /sys/kernel/config || mount -t configfs configfs /sys/kernel/config
}

load_loop() { # loads tcm_loop, which makes a disk for each LUN of $tpg
	modprobe tcm_loop
	mkdir -p $tpg
	echo naa.5001405000000002 >$tpg/nexus
}

allow_bus_name() { cp "$here/../../packaging/org.kernel.TCMUService1.conf" /etc/dbus-1/system.d/; }

# Creates the user of the system bus, whom a package that is only unpacked, and not installed, has not created.
make_bus_user() {
	getent passwd messagebus >/dev/null || echo messagebus:x:990:990::/nonexistent:/usr/sbin/nologin >>/etc/passwd
}

start_bus() {
	rm -f /usr/share/dbus-1/system-services/*
	mkdir -p /run/dbus
	make_bus_user
	dbus-uuidgen --ensure
	dbus-daemon --system --fork
}

start_initiator() {
	modprobe -a iscsi_tcp sd_mod
	mkdir -p /etc/iscsi /run/lock/iscsi
	echo "InitiatorName=$initiator" >/etc/iscsi/initiatorname.iscsi
	# iscsid needs its own process group, because it signals the whole group when it ends
	setsid iscsid -f >/tmp/iscsid.log 2>&1 &
	iscsid_pid=$!
	wait_for grep ISCSIADM_ABSTRACT /proc/net/unix
}

# --- devices, by plain writes to configfs ---

configure() { # HBA NAME CONFIG SIZE [MORE]
	mkdir -p "$core/user_$1/$2"
	echo "dev_config=$3,dev_size=$4,hw_max_sectors=2048${5:+,$5}" >"$core/user_$1/$2/control"
}

enable() { # HBA NAME
	timeout "$patience" sh -c "echo 1 >$core/user_$1/$2/enable"
}

create() { # HBA NAME CONFIG SIZE [MORE]
	configure "$@"
	enable "$1" "$2"
}

remove() { # HBA NAME
	timeout "$patience" rmdir "$core/user_$1/$2"
}

map() { # HBA NAME LUN
	mkdir "$tpg/lun/lun_$3"
	ln -s "$core/user_$1/$2" "$tpg/lun/lun_$3/link"
	wait_for loop_disk "$3"
}

unmap() { # LUN
	rm "$tpg/lun/lun_$1/link"
	rmdir "$tpg/lun/lun_$1"
}

# Prints a value of the daemon's report about the device on D-Bus.
value_of() { # HBA NAME KEY
	dbus-send --system --print-reply --dest=org.kernel.TCMUService1 /org/kernel/TCMUService1/Devices1 \
		org.kernel.TCMUService1.Devices1.List |
		awk -v device="\"user_$1/$2\"" -v wanted="\"$3\"" '
			$1 == "string" { key = $2 }
			$1 == "variant" { value[key] = $3 }
			$1 == "]" && value["\"name\""] == device { print value[wanted] }
			$1 == "]" { delete value }'
}

# --- disks ---

make_storage() { # makes /tmp/storage, a file system that can be frozen; each write to it then blocks its thread
	modprobe brd rd_size=131072 rd_nr=1
	mkfs.ext4 -q /dev/ram0
	mkdir -p /tmp/storage
	mount /dev/ram0 /tmp/storage
}
freeze() { fsfreeze --freeze /tmp/storage; }
thaw() { fsfreeze --unfreeze /tmp/storage; }

disk_in() { # FOLDER of a SCSI device: prints its block device
	set -- "$1"/block/*
	[ -e "$1" ] && echo "/dev/${1##*/}"
}

loop_disk() { disk_in "/sys/class/scsi_device/$(<$tpg/address):$1/device"; } # LUN

iscsi_disk() { disk_in "$(echo /sys/class/iscsi_session/session*/device/target*/*:"$1")"; } # LUN

iscsi_disks() { iscsi_disk $(($1 - 1)); } # COUNT: tells whether this many disks exist

ready() { # DISK: waits until all unit attentions have been reported
	sg_turs --number=3 "$1" >/dev/null 2>&1 || sg_turs "$1"
}

verify() { # DISK OPTIONS...: writes at random places, reads the data back and compares it
	local disk=$1
	shift
	fio --name=verify --filename="$disk" --rw=randrw --bsrange=4k-64k --iodepth=8 --ioengine=libaio --direct=1 \
		--verify=crc32c --verify_fatal=1 --verify_backlog=32 --size=8M \
		--output-format=json --output=/tmp/fio.json "$@" >/tmp/out 2>&1 || {
		tail -n 5 /tmp/fio.json
		return 1
	}
}

# load_on DISK: returns when a process reads or writes the disk.
io_count() { read -r reads _ _ _ writes _ <"/sys/block/${1##*/}/stat"; } # DISK
has_load() { io_count "$1" && [ $((reads + writes)) -ge $(($2 + 10)) ]; } # DISK BEFORE
load_on() {
	local reads writes
	io_count "$1"
	wait_for has_load "$1" $((reads + writes))
}

busy() { [[ $(<"/sys/block/${1##*/}/inflight") == *[1-9]* ]]; } # DISK: tells whether I/O is in flight

use_disk() { # DISK: uses it with dd and fio, with a file system, and with trim
	local files=/usr/include/linux/netfilter
	dd if=/dev/urandom of=/tmp/random bs=1M count=4 status=none
	dd if=/tmp/random of="$1" bs=1M oflag=direct status=none
	dd if="$1" bs=1M count=4 iflag=direct status=none | cmp - /tmp/random
	verify "$1"
	mkfs.ext4 -q -F "$1"
	mount "$1" /mnt
	cp -a $files /mnt/
	umount /mnt
	echo 3 >/proc/sys/vm/drop_caches
	mount "$1" /mnt
	diff -r --no-dereference $files /mnt/netfilter
	rm -r /mnt/netfilter
	fstrim /mnt
	umount /mnt
	fsck.ext4 -f -n "$1" >/tmp/out 2>&1
}

understood() { # COMMAND...: must succeed without a warning; sets $decoded to its output
	decoded=$("$@" 2>&1)
	[[ ! ${decoded,,} =~ malformed|truncated|too\ short|unexpected|invalid|bad\ |only\ hex|error: ]]
}

# Each page that is listed can be read and decoded.
check_identity() { # DISK
	local page pages control
	ready "$1"
	understood sg_inq "$1"
	[[ $decoded == *LIO-ORG* ]]
	pages=$(sg_vpd --page=0 --raw "$1" | od -An -v -tx1 -j4)
	[ "$(wc -w <<<"$pages")" -ge 7 ]
	for page in $pages; do
		understood sg_vpd --page="0x$page" "$1"
	done
	understood sg_readcap "$1"
	understood sg_readcap --long "$1"
	for control in 0 1 2; do # the current, changeable and default values
		understood sg_modes --all --control=$control "$1"
		[[ $decoded == *Caching* ]]
	done
	fails sg_modes --all --control=3 "$1" # there are no saved values
	understood sg_opcodes "$1"
	[[ $decoded == *'Read(16)'* ]]
	understood sg_opcodes --tmf "$1"
	understood sg_logs --all "$1"
	understood sg_luns "$1"
	understood sg_requests "$1"
}

longest_wait() { # prints the milliseconds that fio has waited for its slowest I/O
	python3 -c 'import json
job = json.load(open("/tmp/fio.json"))["jobs"][0]
print(int(max(job[way]["clat_ns"]["max"] for way in ("read", "write")) / 1e6))'
}

# No I/O may fail, and each must be answered within a second after the new start. On a busy machine the time is
# longer, and the test may be repeated a few times.
survives_restart() { # DISK STOP
	local down gap fio
	for _ in 1 2 3 4; do
		step "restart: $2, under load on $1"
		# this rate leaves CPU time for the start of the daemon
		verify "$1" --time_based --runtime=$((4 + 2 * GUEST_FACTOR)) --rate_iops=200 &
		fio=$!
		load_on "$1"
		down=$(now_ms)
		$2
		sleep 1
		down=$(($(now_ms) - down))
		start_daemon
		slowness
		wait $fio
		gap=$(($(longest_wait) - down))
		echo "down for $down ms, and $gap ms until all was served again; at most $slowness s are allowed"
		no_kernel_error
		[ $gap -ge $((1000 * slowness)) ] || break
	done
	[ $gap -lt $((1000 * slowness)) ]
}
