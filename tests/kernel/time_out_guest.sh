#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# guest: -m 1024 -p initiator
# time_out_guest.sh DAEMON HANDLER-PATH [SECONDS...]: measures how Linux's initiator with its default settings reacts
# to an outage, for several values of cmd_time_out, over LIO's iSCSI target and over tcm_loop. An outage is a daemon
# that was killed, a daemon that was stopped (SIGSTOP), or storage that hangs; it lasts for each of SECONDS. All
# devices have their outage at the same time, and each has a target and a session of its own, so that none disturbs
# another. The script prints a line for each outage and device, and checks the results at the end.
# shellcheck source=guest_lib.sh
. "$(dirname "$0")/guest_lib.sh"
shift 2
outages=("${@:-75}")
time_outs=(30 60 120 300 0)
size=$((8 << 20))
table=/tmp/table
declare -A disks

make_device() { # NAME TIME-OUT
	create 0 "$1" "file//tmp/storage/$1.img" $size
	echo "$2" >"$core/user_0/$1/attrib/cmd_time_out"
}

make_loop_disk() { # NUMBER NAME
	local loop=$tree/loopback/naa.50014050000001$1/tpgt_1
	mkdir -p "$loop/lun/lun_0"
	echo "naa.50014050000002$1" >"$loop/nexus"
	ln -s "$core/user_0/$2" "$loop/lun/lun_0/link"
	disk_of_loop() { disk_in "/sys/class/scsi_device/$(<"$loop/address"):0/device"; }
	wait_for disk_of_loop
	disks[$2]=$(disk_of_loop)
}

make_iscsi_disk() { # NAME
	local target=iqn.2026-11.test:$1
	local tpg=$tree/iscsi/$target/tpgt_1 session
	mkdir -p "$tpg/lun/lun_0" "$tpg/acls/$initiator"
	ln -s "$core/user_0/$1" "$tpg/lun/lun_0/link"
	mkdir -p "$tpg/acls/$initiator/lun_0"
	ln -s "$tpg/lun/lun_0" "$tpg/acls/$initiator/lun_0/link"
	echo 0 >"$tpg/attrib/authentication"
	mkdir -p "$tpg/np/127.0.0.1:3260"
	echo 1 >"$tpg/enable"
	iscsiadm -m discovery -t sendtargets -p 127.0.0.1 >/tmp/out 2>&1
	iscsiadm -m node -T "$target" -p 127.0.0.1 --login >/tmp/out 2>&1
	disk_of_session() {
		session=$(grep -lx "$target" /sys/class/iscsi_session/*/targetname) &&
			disk_in "$(echo "${session%/*}"/device/target*/*:0)"
	}
	wait_for disk_of_session
	disks[$1]=$(disk_of_session)
}

end_outage() { # KIND
	case $1 in
	killed) start_daemon ;;
	stopped) kill -CONT "$daemon_pid" ;;
	hung) thaw ;;
	esac
}

begin_outage() { # KIND
	case $1 in
	killed) kill_daemon ;;
	stopped) kill -STOP "$daemon_pid" ;;
	hung) freeze ;;
	esac
}

# An initiator that has given up a disk leaves it offline until an administrator changes that.
bring_online() {
	local name
	for name in "${!disks[@]}"; do
		echo running >"/sys/block/${disks[$name]##*/}/device/state"
	done
}

measure() { # KIND SECONDS
	local name arguments=()
	for name in "${!disks[@]}"; do
		arguments+=("$name=${disks[$name]}")
	done
	rm -f /tmp/begin /tmp/end
	python3 "$here/time_out_load.py" /tmp/begin /tmp/end "${arguments[@]}" >/tmp/load 2>&1 &
	local load=$!
	sleep 3
	date +%s.%N >/tmp/begin.new && mv /tmp/begin.new /tmp/begin
	begin_outage "$1"
	sleep "$2"
	end_outage "$1"
	date +%s.%N >/tmp/end.new && mv /tmp/end.new /tmp/end
	wait $load
	sed "s/^/$1 $2 /" /tmp/load | tee -a $table
	bring_online
}

load_target
modprobe -a tcm_loop iscsi_target_mod
make_storage
start_daemon
start_initiator
for i in "${!time_outs[@]}"; do
	make_device "loop-${time_outs[i]}" "${time_outs[i]}"
	make_loop_disk "0$i" "loop-${time_outs[i]}"
	make_device "iscsi-${time_outs[i]}" "${time_outs[i]}"
	make_iscsi_disk "iscsi-${time_outs[i]}"
done
head -n 1 "/sys/block/${disks[iscsi-30]##*/}/device/timeout" "/sys/class/iscsi_session"/session1/recovery_tmo
for seconds in "${outages[@]}"; do
	for kind in killed stopped hung; do
		step "$kind for $seconds s"
		measure $kind "$seconds"
	done
done

# With the daemon's default, initiators survive each outage that is not longer than their own time limits.
awk '$2 <= 75 && $3 ~ /-120$/ && $5 > 0 { print "an error with cmd_time_out=120: " $0; failed = 1 } END { exit failed }' $table
stop_daemon
