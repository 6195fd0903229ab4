# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# Sourced by lio.sh: whether the daemon runs, what it says on D-Bus, and how long the kernel waits for it.

lock=${TCMU_LOCK:-/run/tcmu-runner/lock}

# lock_holder FILE: prints the id of the process that holds a lock on it, for as long as it lives, whatever kills it;
# fails when none does. /proc/locks shows that without taking the lock, which would be in the way of a daemon that
# starts.
lock_holder() (
	held=$(stat -c '%D %i' "$1" 2>/dev/null) || exit 1
	disk=$((0x${held% *}))
	file=$(printf '%02x:%02x:%s' $(((disk >> 8) & 0xfff)) $(((disk & 0xff) | ((disk >> 12) & 0xfff00))) "${held#* }")
	awk -v file="$file" '$2 != "->" && $6 == file { pid = $5 } END { if (!pid) exit 1; print pid }' /proc/locks
)

daemon_pid() { lock_holder "$lock"; }

# The tcmu-runner that came before this one may run too. It answers the kernel for every device, and refuses what it
# does not know; and the kernel takes the first answer that comes.
other_daemon_pid() { lock_holder /run/tcmu.lock; }

# The kernel waits without end for an answer to a device that comes or goes: only with a daemon is it asked to.
need_daemon() {
	daemon_pid >/dev/null || die "tcmu-runner is not running. Start it: systemctl start tcmu-runner, or ./run.sh --kernel"
}

# ask_bus METHOD NAME: what the bus itself says about a name, its words a line each.
ask_bus() {
	dbus-send --system --print-reply=literal --dest=org.freedesktop.DBus / "org.freedesktop.DBus.$1" "string:$2" 2>/dev/null |
		tr -s ' ' '\n'
}

# find_on_bus: $bus_address is where on the bus the daemon is: another one may own the name that it waits for.
bus_address=
find_on_bus() {
	pid=$(daemon_pid) || return 1
	for bus_address in $(ask_bus ListQueuedOwners org.kernel.TCMUService1 | grep '^:'); do
		! ask_bus GetConnectionUnixProcessID "$bus_address" | grep -qx "$pid" || return 0
	done
	bus_address=
	return 1
}

# on_bus PATH METHOD [ARGUMENT...]: calls the daemon, prints its answer.
on_bus() {
	path=$1 method=$2
	shift 2
	[ "$bus_address" ] || find_on_bus || return 1
	dbus-send --system --print-reply=literal --reply-timeout=5000 --dest="$bus_address" \
		"/org/kernel/TCMUService1$path" "$method" "$@" 2>&1
}

# ask_daemon: $report is what the daemon says of itself: the names of its handlers, and a line for each device. Fails
# if it does not answer.
report=
ask_daemon() {
	report=$(on_bus /Devices1 org.kernel.TCMUService1.Devices1.Report) || return 1
	report=$newline${report#   }$newline
}

# find_line KEY: $line is the rest of the line of $report that begins with KEY. Fails if there is none.
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

# need_handler HANDLER CONFIG: the daemon must have loaded the handler, and the handler must accept CONFIG.
need_handler() {
	find_on_bus || true # once for all that follows
	if ! ask_daemon; then
		warn "the daemon cannot be asked by D-Bus whether it has a handler '$1'"
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

# identity STORAGE: prints the serial number that the daemon would choose for it, or the reason why it chooses none.
# So a disk has the same name after a reboot, behind the kernel and behind the daemon's own iSCSI front end. The
# program is that of the running daemon, with its folders: it need not be installed.
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

# make_image CONFIG SIZE: creates the file that the handler "file" shall serve, unless something is there. The daemon
# itself creates no image that it has served before: the image may only be away. Here an administrator asks for a new
# disk.
make_image() {
	image=$(unescape "${1%%;*}")
	case $image in
	/*) ;;
	*)
		is_kernel || return 0 # only the daemon knows where its state folder is
		image=$(readlink "${lock%/*}/state")/$image
		;;
	esac
	# The daemon gives a better reason for a folder that is missing.
	if [ ! -d "${image%/*}" ] || [ -e "$image" ]; then
		return 0
	fi
	make_file "$image" || die "$image cannot be created"
	truncate -s "$2" "$image"
}

# state_of DEVICE: $state is its state in $report, and what it has done, or the reason where it has failed.
state_of() {
	state=
	find_line "device$tab$1$tab" || return 0
	state=${line%%"$tab"*} line=${line#*"$tab"}
	[ "$state" != served ] || state="served, ${line%%"$tab"*} commands"
	[ -z "${line#*"$tab"}" ] || state="$state: ${line#*"$tab"}"
}

# need_served DEVICE: which the kernel has enabled without waiting for an answer. Opening it may take a minute; the
# daemon hears of it at once.
need_served() {
	tries=0 state=
	while [ $tries -lt 10 ] || { [ $tries -lt 120 ] && [ "$state" = opening ]; }; do
		if ! ask_daemon; then
			warn "the daemon cannot be asked by D-Bus whether it serves $1"
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
	! pid=$(other_daemon_pid) || beside="; another tcmu-runner, process $pid, runs, too"
	die "$1 is not served: ${state:-its daemon does not say why, but in its log}$beside"
}

# refusal_of DEVICE: prints why the daemon has refused the device, if it says so.
refusal_of() {
	find_on_bus && ask_daemon && find_line "refused$tab$1$tab" && printf '%s\n' "$line"
}

# bounded COMMAND...: for what the kernel asks the daemon about. When no answer comes for a minute (5 s once a signal
# has come), or the daemon dies, the kernel is told to give up waiting, and to ask nothing until COMMAND has ended:
# that would only try again. Another tree asks nobody else.
bounded() {
	if ! is_kernel; then
		attempt "$@" || failed "$device was refused"
		return 0
	fi
	netlink=/sys/module/target_core_user/parameters
	given_up=
	whole "$@" >/dev/null 2>&1 &
	worker=$!
	tenths=0 patience=600
	while kill -0 "$worker" 2>/dev/null; do
		sleep 0.1 || true # a signal may end it
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
	wait "$worker" || give_reason
}

# The end of a script whose device was refused.
give_reason() {
	[ -z "$given_up" ] || die "the daemon did not answer; $device was refused; tcmu-runner's log says why"
	why=$(refusal_of "$device") || die "$device was refused; tcmu-runner's log says why"
	die "$device: $why"
}
