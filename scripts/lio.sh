# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# Sourced by the scripts of this folder: their words and checks, and what they do to the kernel's target tree.

# The kernel counts bytes, and what other programs say is read here. What is made is for root's eyes.
LC_ALL=C
export LC_ALL
umask 077

tree=$(realpath -m -- "${TCMU_CONFIGFS:-/sys/kernel/config/target}")
core=$tree/core
lock=${TCMU_LOCK:-/run/tcmu-runner/lock}

info() { printf '[INFO] %s\n' "$*"; }
complain() { printf '%s\n' "$(printf %s "$*" | tr '[:cntrl:]' '?')" >&2; } # one line, whatever is quoted in it
warn() { complain "[WARNING] $*"; }
die() {
	complain "[ERROR] $*"
	exit 1
}

# The comment at the head of the script.
usage() { sed -n '3,/^[^#]/s/^# \{0,1\}//p' "$0"; }

# begin LEAST MOST ARGUMENTS...: what each script checks first.
begin() {
	least=$1 most=$2
	shift 2
	for argument in "$@"; do
		case $argument in -h | --help)
			usage
			exit 0
			;;
		esac
	done
	if [ $# -lt "$least" ] || [ $# -gt "$most" ]; then
		usage >&2
		exit 2
	fi
	[ "$(id -u)" -eq 0 ] || die "only root may do this"
}

# --- taking back what was made, when a later step fails or a signal comes ---

# A signal must not come between what is made and the note of how to take it back, so it waits for the note.
caught=
trap 'caught=129' HUP
trap 'caught=130' INT
trap 'caught=143' TERM

# whole COMMAND...: nor does one that the terminal sends to all its processes end COMMAND half-way.
whole() (
	trap '' HUP INT TERM
	"$@"
)

# on_failure COMMAND...: how to take back what was just made. When the script fails, the last one said runs first.
undo=
on_failure() {
	step=
	for word in "$@"; do
		case $word in
		*\'*) word=$(printf %s "$word" | sed "s/'/'\\\\''/g") ;;
		esac
		step="$step '$word'"
	done
	undo="$step
$undo"
	[ -z "$caught" ] || exit "$caught"
}
finish() {
	status=$?
	trap - EXIT
	trap '' HUP INT TERM
	set +e
	[ "$status" -eq 0 ] || eval "$undo" >/dev/null
	exit "$status"
}
trap finish EXIT

# make_folder FOLDER: fails where it exists.
make_folder() { whole mkdir "$1" && on_failure rmdir "$1"; }

# make_file FILE: empty.
create_new() {
	set -o noclobber # another script may be making it too
	: >"$1"
}
make_file() { whole create_new "$1" 2>/dev/null && on_failure rm "$1"; }

# make_link TARGET LINK
make_link() { whole ln -s "$1" "$2" && on_failure rm "$2"; }

# make_numbered PREFIX CONDITION: the folder PREFIX_N with the least N that is free, and for which "CONDITION N" holds;
# $number is N then.
make_numbered() {
	number=0 misses=0
	until "$2" $number && make_folder "$1_$number" 2>/dev/null; do
		if ! "$2" $number || [ -d "$1_$number" ]; then
			number=$((number + 1))
		else # another script had it just now, or it cannot be made
			misses=$((misses + 1))
			[ $misses -lt 10 ] || die "$1_$number cannot be made"
		fi
	done
}

# --- arguments ---

# check_name NAME: of a device, as configfs, uio names and rtslib take it.
check_name() {
	case $1 in
	'' | .* | *[!A-Za-z0-9._-]*) die "'$1' is no device name: letters, digits, '.', '_' and '-', no '.' in front" ;;
	esac
}

# check_value WHAT VALUE: goes into a device's control file, where a comma or a newline ends it, and the kernel cuts off
# what is too long.
check_value() {
	case $2 in
	'' | *,* | *[[:cntrl:]]*) die "$1 '$2': it may not be empty or hold a comma, a newline or the like" ;;
	esac
	[ "${#2}" -le 255 ] || die "$1 has more than 255 characters"
}

# check_device DEVICE: PLUGIN_N/NAME.
check_device() {
	case $1 in
	*/*/* | */.*) ;;
	[a-z]*_[0-9]*/?*) return ;;
	esac
	die "'$1' is no device: user_0/NAME"
}

check_iqn() {
	case $1 in
	*[!a-z0-9.:-]*) ;;
	iqn.[0-9][0-9][0-9][0-9]-[0-9][0-9].?* | eui.?* | naa.?*) return ;;
	esac
	die "'$1' is no iSCSI name (iqn.YYYY-MM.DOMAIN:NAME, lower case)"
}

# bytes SIZE: prints the number of bytes of "4096", "4K", "1G"...; a whole number of 512-byte blocks.
bytes() {
	number=${1%[KMGT]} unit=1
	case $1 in
	*K) unit=1024 ;;
	*M) unit=1048576 ;;
	*G) unit=1073741824 ;;
	*T) unit=1099511627776 ;;
	esac
	case $number in
	'' | 0* | *[!0-9]*) die "'$1' is no size: bytes, or with K, M, G or T" ;;
	???????????????????*) die "'$1' is too large" ;; # for this shell's numbers
	esac
	[ "$number" -le $((9223372036854775807 / unit)) ] || die "'$1' is too large"
	[ $((number * unit % 512)) -eq 0 ] || die "'$1' is no multiple of 512 bytes"
	echo $((number * unit))
}

# --- the kernel and the daemon ---

# Another tree than the kernel's has the same layout, but needs no modules.
is_kernel() { [ "$tree" = /sys/kernel/config/target ]; }

# need_modules NAME...
need_modules() {
	is_kernel || {
		[ -d "$core" ] || die "$tree is no target tree"
		return 0
	}
	missing=
	for module in "$@"; do
		file=$(echo "$module" | sed 's/_/[_-]/g')
		[ -d "/sys/module/$module" ] ||
			grep -qs "/$file\.ko" "/lib/modules/$(uname -r)/modules.builtin" || missing="$missing $module"
	done
	[ -z "$missing" ] || die "the kernel has not loaded:$missing. Load them: modprobe -a$missing"
	[ -d "$tree" ] || die "$tree is not there. Mount configfs: mount -t configfs none /sys/kernel/config"
}

# lock_holder FILE: prints the id of the process that holds a lock on it, for as long as it lives, whatever kills it;
# fails when none does. /proc/locks shows that without taking the lock, which would be in the way of a daemon that starts.
lock_holder() (
	held=$(stat -c '%D %i' "$1" 2>/dev/null) || exit 1
	disk=$((0x${held% *}))
	file=$(printf '%02x:%02x:%s' $(((disk >> 8) & 0xfff)) $(((disk & 0xff) | ((disk >> 12) & 0xfff00))) "${held#* }")
	awk -v file="$file" '$2 != "->" && $6 == file { pid = $5 } END { if (!pid) exit 1; print pid }' /proc/locks
)

daemon_pid() { lock_holder "$lock"; }

# The tcmu-runner that came before this one may run too. It answers the kernel for every device, and refuses what it does
# not know; and the kernel takes the first answer that comes.
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

# Prints where on the bus the daemon is: another one may own the name that it waits for.
bus_address() {
	pid=$(daemon_pid) || return 1
	for address in $(ask_bus ListQueuedOwners org.kernel.TCMUService1 | grep '^:'); do
		if ask_bus GetConnectionUnixProcessID "$address" | grep -qx "$pid"; then
			echo "$address"
			return 0
		fi
	done
	return 1
}

# on_bus PATH METHOD [ARGUMENT...]: calls the daemon, prints its answer.
on_bus() {
	path=$1 method=$2
	shift 2
	address=$(bus_address) || return 1
	dbus-send --system --print-reply --reply-timeout=5000 --dest="$address" \
		"/org/kernel/TCMUService1$path" "$method" "$@" 2>&1
}

# Prints the names of the handlers that the daemon has loaded, in one line.
handlers() {
	on_bus '' org.freedesktop.DBus.ObjectManager.GetManagedObjects |
		sed -n 's|.*object path "/org/kernel/TCMUService1/\([A-Za-z0-9_]*\)".*|\1|p' | sort | paste -s -d ' ' -
}

# need_handler HANDLER CONFIG: nobody would answer the kernel for a handler that is not loaded.
need_handler() {
	loaded=$(handlers)
	case " $loaded " in
	'  ')
		warn "the daemon cannot be asked by D-Bus whether it has a handler '$1'"
		return 0
		;;
	*" $1 "*) ;;
	*) die "the daemon has no handler '$1'; it has: $loaded" ;;
	esac
	answer=$(on_bus "/$1" org.kernel.TCMUService1.CheckConfig "string:$1/$2") || die "$answer"
	case $answer in
	*'boolean true'*) ;;
	*) die "handler '$1' refuses '$2': $(printf %s "$answer" | sed -n 's/.*string "\(.*\)"/\1/p')" ;;
	esac
}

# The daemon's list of devices.
list_devices() { on_bus /Devices1 org.kernel.TCMUService1.Devices1.List; }

# state_of DEVICE: its state in that list, and what it has done, or the reason where it has failed.
state_of() {
	device=$1 awk '
		$1 == "string" { key = $2 }
		$1 == "variant" {
			value[key] = $3
			if (sub(/^ *variant *string "/, "")) { sub(/"$/, ""); value[key] = $0 }
		}
		$1 == "]" && value["\"name\""] == ENVIRON["device"] {
			state = value["\"state\""]
			if (state == "served")
				state = state ", " value["\"commands\""] " commands"
			if (value["\"error\""])
				state = state ": " value["\"error\""]
			print state
		}
		$1 == "]" { split("", value) }'
}

# need_served: $device, which the kernel has enabled without waiting for an answer. Opening it may take a minute; the daemon
# hears of it at once.
need_served() {
	tries=0 state=
	while [ $tries -lt 10 ] || { [ $tries -lt 120 ] && [ "$state" = opening ]; }; do
		if ! view=$(list_devices); then
			warn "the daemon cannot be asked by D-Bus whether it serves $device"
			return 0
		fi
		state=$(printf '%s\n' "$view" | state_of "$device")
		case $state in
		served*) return 0 ;;
		failed*) break ;;
		esac
		sleep 0.5
		tries=$((tries + 1))
	done
	die "$device is not served: ${state:-its daemon does not say why, but in its log}"
}

# put VALUE FILE: writes an attribute. tee says which one was refused and why; the shells' own printf does not.
put() { printf %s "$1" | tee "$2" >/dev/null; }

# bounded COMMAND...: for what the kernel asks the daemon about. When no answer comes for a minute (5 s once a signal has
# come), or the daemon dies, the kernel is told to give up waiting, and to ask nothing until COMMAND has ended: that would
# only try again.
bounded() {
	netlink=/sys/module/target_core_user/parameters
	given_up=
	whole "$@" &
	worker=$!
	tenths=0 patience=600
	while kill -0 "$worker" 2>/dev/null; do
		sleep 0.1 || true # a signal may end it
		tenths=$((tenths + 1))
		[ -z "$caught" ] || patience=50
		if is_kernel && [ $((tenths % 10)) -eq 0 ] && [ -z "$given_up" ] &&
			{ [ $tenths -ge $patience ] || ! daemon_pid >/dev/null; }; then
			given_up=yes
			echo 1 >$netlink/block_netlink
			echo 1 >$netlink/reset_netlink
		fi
	done
	[ -z "$given_up" ] || echo 0 >$netlink/block_netlink
	wait "$worker" || die "${given_up:+the daemon did not answer; }$device was refused; tcmu-runner's log says why"
}

# --- the tree: core/PLUGIN_N/NAME, FABRIC/TARGET/tpgt_N/lun/lun_N/LINK ---

# device_folder PLUGIN NAME: prints "PLUGIN_N/NAME" of the device; fails when there is none.
device_folder() {
	for folder in "$core/$1"_[0-9]*/"$2"; do
		[ ! -d "$folder" ] || {
			echo "${folder#"$core"/}"
			return 0
		}
	done
	return 1
}

# need_device PLUGIN DEVICE: DEVICE is NAME or PLUGIN_N/NAME; $device is the latter then.
need_device() {
	device=$2
	case $device in
	"$1"_[0-9]*/*)
		check_device "$device"
		[ -d "$core/$device" ] || die "there is no device $device"
		;;
	*/*) die "'$device' is no device of $1: $1_N/NAME" ;;
	*)
		check_name "$device"
		device=$(device_folder "$1" "$2") || die "there is no device $1_N/$2"
		;;
	esac
}

# The kernel keeps what initiators register with PERSISTENT RESERVE in a folder, and refuses it when that is missing.
make_registry() { ! folder=$(cat "$tree/dbroot" 2>/dev/null) || mkdir -p "$folder/pr"; }

# new_device PLUGIN NAME: makes core/PLUGIN_N/NAME with the least N that is free; $device is "PLUGIN_N/NAME" then.
new_device() {
	! old=$(device_folder "$1" "$2") || die "$old exists"
	make_registry
	make_numbered "$core/$1" true
	device=$1_$number/$2
	make_folder "$core/$device" || die "$device cannot be made"
	for folder in "$core/$1"_[0-9]*/"$2"; do # another script may be making it too
		[ "$folder" = "$core/$device" ] || die "${folder#"$core"/} exists"
	done
}

# device_luns DEVICE: prints the folders of the LUNs that show it, through any fabric.
device_luns() {
	shown=$(readlink -f "$core/$1")
	for link in "$tree"/*/*/tpgt_*/lun/lun_*/*; do
		[ ! -L "$link" ] || [ "$(readlink -f "$link")" != "$shown" ] || printf '%s\n' "${link%/*}"
	done
}

# delete_device: $device and its HBA, where that holds nothing else.
delete_device() {
	luns=$(device_luns "$device")
	[ -z "$luns" ] || die "$device is in use: $luns. First: target_teardown.sh IQN $device"
	case $device in
	user_*) bounded rmdir "$core/$device" ;;
	*) rmdir "$core/$device" ;;
	esac
	rmdir "$core/${device%/*}" 2>/dev/null || true
}

# need_target IQN: $tpg is its portal group.
need_target() {
	tpg=$tree/iscsi/$1/tpgt_1
	[ -d "${tpg%/*}" ] || die "there is no target $1"
	[ -d "$tpg" ] || die "target $1 is only half made. Remove it: target_delete.sh $1"
}

# target_lun DEVICE: prints the folder of the LUN that shows it in $tpg; fails when there is none.
target_lun() { device_luns "$1" | grep -F -m 1 "$tpg/lun/"; }

# remove_luns FOLDER...: LUNs of a portal group or of an initiator, with the links that say what they show. A script that
# was killed may have made one without the link.
remove_luns() {
	for folder in "$@"; do
		[ -d "$folder" ] || continue # nothing matched the pattern
		find "$folder" -maxdepth 1 -type l -delete
		rmdir "$folder"
	done
}

# sessions TPG: prints the initiators that are logged in.
sessions() {
	for acl in "$1"/acls/*; do
		[ ! -f "$acl/info" ] || ! grep -q '^InitiatorName' "$acl/info" || echo "${acl##*/}"
	done
	cat "$1/dynamic_sessions" 2>/dev/null || true # of those that need no access list
}

need_no_session() {
	initiators=$(sessions "$tpg")
	[ -z "$initiators" ] || die "an initiator is logged in: $initiators. First, there: iscsiadm -m node -T $1 --logout"
}
