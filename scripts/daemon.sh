# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# shellcheck disable=SC2154 # the scripts that source lio.sh set the variables that are not set here
# lio.sh sources this file. The functions find out whether the daemon runs, ask it over D-Bus, and limit how long the
# kernel waits for it.

lock=${TCMU_LOCK:-/run/tcmu-runner/lock}

# lock_holder FILE: prints the ID of the process that holds a lock on FILE, and fails if no process does. The lock
# ends with the process, however the process ends. The function reads /proc/locks and does not try to take the lock, because
# this could prevent a daemon from starting at the same time.
lock_holder() (
	held=$(stat -c '%D %i' "$1" 2>/dev/null) || exit 1
	disk=$((0x${held% *}))
	file=$(printf '%02x:%02x:%s' $(((disk >> 8) & 0xfff)) $(((disk & 0xff) | ((disk >> 12) & 0xfff00))) "${held#* }")
	awk -v file="$file" '$2 != "->" && $6 == file { pid = $5 } END { if (!pid) exit 1; print pid }' /proc/locks
)

# daemon_pid: prints the process ID of the daemon. Fails if no daemon runs.
daemon_pid() { lock_holder "$lock"; }

# other_daemon_pid: prints the process ID of a tcmu-runner of version 1, which may run as well. Version 1 answers the
# kernel's events for every device, and refuses the devices that it does not know. The kernel uses the first answer.
other_daemon_pid() { lock_holder /run/tcmu.lock; }

# need_daemon: ends the script unless a daemon runs. After an event the kernel waits for the daemon's answer without a
# time limit, so the scripts cause events only while a daemon runs.
need_daemon() {
	daemon_pid >/dev/null || die "tcmu-runner is not running. Start it with: systemctl start tcmu-runner, or ./run.sh --kernel"
}

# ask_bus METHOD NAME: asks the bus itself about a name, and prints each word of the answer on its own line.
ask_bus() {
	dbus-send --system --print-reply=literal --dest=org.freedesktop.DBus / "org.freedesktop.DBus.$1" "string:$2" 2>/dev/null |
		tr -s ' ' '\n'
}

# find_on_bus: sets $bus_address to the daemon's unique name on the bus. The well-known name does not help, because
# another daemon may own it while ours waits for it.
bus_address=
find_on_bus() {
	pid=$(daemon_pid) || return 1
	for bus_address in $(ask_bus ListQueuedOwners org.kernel.TCMUService1 | grep '^:'); do
		! ask_bus GetConnectionUnixProcessID "$bus_address" | grep -qx "$pid" || return 0
	done
	bus_address=
	return 1
}

# on_bus PATH METHOD [ARGUMENT...]: calls a method of the daemon and prints the answer.
on_bus() {
	path=$1 method=$2
	shift 2
	[ "$bus_address" ] || find_on_bus || return 1
	dbus-send --system --print-reply=literal --reply-timeout=5000 --dest="$bus_address" \
		"/org/kernel/TCMUService1$path" "$method" "$@" 2>&1
}

# ask_daemon: sets $report to the daemon's report: the names of its handlers, and one line for each device. Fails if
# the daemon does not answer.
report=
ask_daemon() {
	report=$(on_bus /Devices1 org.kernel.TCMUService1.Devices1.Report) || return 1
	report=$newline${report#   }$newline
}

# find_line KEY: finds the line of $report that begins with KEY, and sets $line to the rest of that line. Fails if
# there is no such line.
newline='
'
tab=$(printf '\t')
find_line() {
	line=${report#*"$newline$1"}
	[ "$line" != "$report" ] || return 1
	line=${line%%"$newline"*}
}

# handlers: prints the names of the handlers that the daemon has loaded, in one line.
handlers() { find_line 'handlers ' && printf '%s\n' "$line" | tr ' ' '\n' | sort | paste -s -d ' ' -; }

# need_handler HANDLER CONFIG: ends the script unless the daemon has loaded the handler and the handler accepts
# CONFIG.
need_handler() {
	find_on_bus || true # The calls that follow use the same address.
	if ! ask_daemon; then
		warn "the daemon does not answer on D-Bus, so it is not known whether it has a handler '$1'"
		return 0
	fi
	loaded=$(handlers)
	case " $loaded " in
	*" $1 "*) ;;
	*) die "the daemon has no handler '$1'; it has: $loaded" ;;
	esac
	answer=$(on_bus "/$1" org.kernel.TCMUService1.CheckConfig "string:$1/$2") || die "$answer"
	case $answer in
	*'boolean true'*) ;;
	*) die "handler '$1' refuses '$2': ${answer#*boolean false   }" ;;
	esac
}

# identity STORAGE: prints the serial number that the daemon would choose for the storage, or the reason why it
# chooses none. With this number a disk has the same name after a reboot, and the same name behind both front ends.
# The function runs the program of the running daemon with the same folders, so the program need not be installed.
identity() {
	if [ -n "${TCMU_RUNNER-}" ] || ! pid=$(daemon_pid); then
		"${TCMU_RUNNER:-tcmu-runner}" --identity "$1" 2>&1
		return
	fi
	storage=$1
	set --
	for option in handler-path state-dir; do
		value=$(tr '\0' '\n' <"/proc/$pid/cmdline" | sed -n "/^--$option\$/{n;p;q;}; s/^--$option=//p")
		[ -z "$value" ] || set -- "$@" "--$option" "$value"
	done
	"/proc/$pid/exe" "$@" --identity "$storage" 2>&1
}

# make_image CONFIG SIZE: creates the file for the handler "file" unless the file exists. The daemon itself does not
# create a file again that it has served before: the file may still exist, in a file system that is not mounted now.
# Here the administrator asks for a new disk.
make_image() {
	image=$(unescape "${1%%;*}")
	case $image in
	/*) ;;
	*)
		is_kernel || return 0 # only the daemon knows where its state folder is
		image=$(readlink "${lock%/*}/state")/$image
		;;
	esac
	# If the folder is missing, the daemon refuses the device with a better reason than this script could give.
	if [ ! -d "${image%/*}" ] || [ -e "$image" ]; then
		return 0
	fi
	make_file "$image" || die "$image cannot be created"
	truncate -s "$2" "$image"
}

# state_of DEVICE: sets $state to the device's state in $report, followed by the number of its commands and by what is
# wrong with its storage, or by the reason of a failure.
state_of() {
	state=
	find_line "device$tab$1$tab" || return 0
	state=${line%%"$tab"*} line=${line#*"$tab"}
	[ "$state" != served ] || state="served, ${line%%"$tab"*} commands"
	[ -z "${line#*"$tab"}" ] || state="$state: ${line#*"$tab"}"
}

# need_served DEVICE: waits until the daemon serves the device, and ends the script if it does not. This is for a
# device that the kernel has enabled without waiting for the daemon's answer. The daemon learns about the device at
# once, but opening the storage may take a minute.
need_served() {
	tries=0 state=
	while [ $tries -lt 10 ] || { [ $tries -lt 120 ] && [ "$state" = opening ]; }; do
		if ! ask_daemon; then
			warn "the daemon does not answer on D-Bus, so it is not known whether it serves $1"
			return 0
		fi
		state_of "$1"
		case $state in
		served*) return 0 ;;
		failed*) break ;;
		esac
		sleep 0.5
		tries=$((tries + 1))
	done
	beside=
	! pid=$(other_daemon_pid) || beside="; another tcmu-runner, process $pid, runs as well"
	die "$1 is not served: ${state:-the daemon reports no reason; see its log}$beside"
}

# refusal_of DEVICE: prints the daemon's reason for refusing the device. Fails if the daemon reports none.
refusal_of() {
	find_on_bus && ask_daemon && find_line "refused$tab$1$tab" && printf '%s\n' "$line"
}

# with_time_limit COMMAND...: runs a command during which the kernel sends an event to the daemon and waits for the
# answer. If no answer comes within a minute (or within 5 s after a signal), or if the daemon ends, the function makes
# the kernel stop waiting. Until COMMAND has ended, the kernel then sends no further event, because it would wait again.
# In the tree of a daemon, no event is sent over netlink, so there is no time limit.
with_time_limit() {
	if ! is_kernel; then
		attempt "$@" || die_with_reason "$device was refused"
		return 0
	fi
	netlink=/sys/module/target_core_user/parameters
	given_up=
	without_signals "$@" >/dev/null 2>&1 &
	worker=$!
	tenths=0 patience=600
	while kill -0 "$worker" 2>/dev/null; do
		sleep 0.1 || true # a signal may end the sleep
		tenths=$((tenths + 1))
		[ -z "$caught" ] || patience=50
		if [ $((tenths % 10)) -eq 0 ] && [ -z "$given_up" ] &&
			{ [ $tenths -ge $patience ] || ! daemon_pid >/dev/null; }; then
			given_up=yes
			echo 1 >$netlink/block_netlink
			echo 1 >$netlink/reset_netlink
		fi
	done
	[ -z "$given_up" ] || echo 0 >$netlink/block_netlink
	wait "$worker" || die_with_refusal
}

# die_with_refusal: ends the script after the daemon has refused $device, and prints the reason as far as it is known.
die_with_refusal() {
	[ -z "$given_up" ] || die "the daemon did not answer in time, so $device was refused; see the log of tcmu-runner"
	why=$(refusal_of "$device") || die "$device was refused; see the log of tcmu-runner for the reason"
	die "$device: $why"
}
