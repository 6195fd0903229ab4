# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# shellcheck disable=SC2154 # the scripts that source this file set $here
# All scripts of this folder source this file; $here is the folder. It contains their messages, the checks of their
# arguments, and the way in which a script that fails removes what it has created. It sources daemon.sh, which deals
# with the daemon, and tree.sh, which deals with the kernel's target tree.

# The C locale makes ${#text} count bytes, as the kernel does, and keeps the messages of other programs in the
# language that these scripts read. Only root may read the files that the scripts create.
LC_ALL=C
export LC_ALL
umask 077

# The exit status for the signal that has arrived. It is empty until a signal arrives. The script
# ends with it as soon as on_failure has recorded how to remove what exists.
caught=

info() { printf '[INFO] %s\n' "$*"; }
# one_line WORDS...: prints the words on one line. Control characters in quoted text become question marks.
one_line() {
	case $* in
	*[[:cntrl:]]*) printf '%s\n' "$(printf %s "$*" | tr '[:cntrl:]' '?')" ;;
	*) printf '%s\n' "$*" ;;
	esac
}
print_error() { one_line "$*" >&2; }
warn() { print_error "[WARNING] $*"; }
# die MESSAGE...: ends the script. A script that was interrupted prints no message, because the failure of its last
# command is then a result of the signal.
die() {
	[ -z "$caught" ] || exit "$caught"
	print_error "[ERROR] $*"
	exit 1
}

# usage: prints the comment at the head of the script.
usage() { sed -n '3,/^[^#]/s/^# \{0,1\}//p' "$0"; }

wrong_usage() {
	usage >&2
	exit 2
}

# begin LEAST MOST ARGUMENTS...: prints the usage if it is asked for, and checks the number of arguments and the user.
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
	{ [ $# -ge "$least" ] && [ $# -le "$most" ]; } || wrong_usage
	! is_kernel || [ "$(id -u)" -eq 0 ] || die "only root may do this"
}

# --- removing what a script has created, if a later step fails or a signal arrives ---

# A signal must not end the script after an object was created and before on_failure has recorded how to remove it.
# The traps therefore only set $caught, and the functions below read it at places where the script may end.
trap 'caught=129' HUP
trap 'caught=130' INT
trap 'caught=143' TERM

# without_signals COMMAND...: runs COMMAND so that it ignores signals. The terminal sends a signal to each of its
# processes, and the signal must not end COMMAND before COMMAND has finished its work.
without_signals() (
	trap '' HUP INT TERM
	"$@"
)

# attempt COMMAND...: runs a command without output on the terminal. If it fails, $why becomes the reason: the reason
# of the daemon whose tree is used, or else the message of COMMAND.
attempt() {
	why=$(trap '' HUP INT TERM && "$@" 2>&1 >/dev/null) && return
	! read_reason || return 1
	why=${why##*: }
	return 1
}

# on_failure COMMAND...: records the command that removes the object that was just created. If the script fails, the
# recorded commands run in reverse order.
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
	[ "$status" -eq 0 ] || eval "$undo" >/dev/null 2>&1
	exit "$status"
}
trap finish EXIT

# die_with_reason MESSAGE: ends the script after attempt has failed. MESSAGE is printed before the reason, unless the
# reason is that of the daemon, which already names the object.
die_with_reason() {
	case ${reason_is_complete:-} in
	yes) die "$why" ;;
	*) die "$1: ${why:-no reason is known}" ;;
	esac
}

# try_folder FOLDER: creates a folder, or fails. make_folder FOLDER: creates a folder, or ends the script.
try_folder() { attempt mkdir "$1" && on_failure rmdir "$1"; }
make_folder() { try_folder "$1" || die_with_reason "${1#"$tree"/} cannot be created"; }

# make_file FILE: creates an empty file. Fails if FILE exists.
create_new() {
	set -o noclobber # another script may create the file at the same time
	: >"$1"
}
make_file() { without_signals create_new "$1" 2>/dev/null && on_failure rm "$1"; }

# make_link TARGET LINK: creates a symbolic link, or ends the script.
make_link() {
	attempt ln -s "$1" "$2" || die_with_reason "${2#"$tree"/} cannot be created"
	on_failure rm "$2"
}

# --- arguments ---

# check_name NAME: ends the script unless configfs, the names of UIO devices and rtslib accept NAME as a device's
# name.
check_name() {
	case $1 in
	'' | .* | *[!A-Za-z0-9._-]*) die "'$1' is not a device name: use letters, digits, '.', '_' and '-', without '.' at the start" ;;
	esac
}

# check_value WHAT VALUE: ends the script unless VALUE can be written into a device's control file. There a comma or a
# newline would end the value, and the kernel would cut off a value that is too long. WHAT is the word for the
# message.
check_value() {
	case $2 in
	'' | *,* | *[[:cntrl:]]*) die "$1 '$2' is refused: it must not be empty or contain a comma or a control character" ;;
	esac
	[ "${#2}" -le 255 ] || die "$1 has more than 255 characters"
}

# check_config CONFIG: ends the script unless CONFIG can follow HANDLER/ in dev_config. In configfs a comma would end
# it. rtslib, which saves and restores the device, refuses a colon and stops reading at a blank.
check_config() {
	case $1 in
	'' | *[[:cntrl:]]*) die "CONFIG '$1' is refused: it must not be empty or contain a control character" ;;
	*[,:\ ]*)
		die "CONFIG '$1' is refused, because targetcli cannot save a comma, a colon or a blank. Write" \
			"'$(printf %s "$1" | sed 's/~/~7e/g; s/,/~2c/g; s/:/~3a/g; s/ /~20/g')'"
		;;
	esac
	[ "${#1}" -le 255 ] || die "CONFIG has more than 255 characters"
}

# unescape TEXT: prints TEXT with each ~HH replaced by the character that it stands for.
unescape() {
	printf '%s\n' "$1" | awk '{
		while (match($0, /~[0-9A-Fa-f][0-9A-Fa-f]/)) {
			digits = tolower(substr($0, RSTART + 1, 2))
			byte = 16 * (index("0123456789abcdef", substr(digits, 1, 1)) - 1)
			byte += index("0123456789abcdef", substr(digits, 2)) - 1
			printf "%s%c", substr($0, 1, RSTART - 1), byte
			$0 = substr($0, RSTART + 3)
		}
		print
	}'
}

# check_device DEVICE: ends the script unless DEVICE has the form PLUGIN_N/NAME.
check_device() {
	case $1 in
	*/*/* | */.*) ;;
	[a-z]*_[0-9]*/?*) return ;;
	esac
	die "'$1' is not a device: use for example user_0/NAME"
}

# is_hex TEXT LENGTH: tells whether TEXT consists of LENGTH hexadecimal digits.
is_hex() {
	case $1 in
	*[!0-9a-f]*) return 1 ;;
	esac
	[ "${#1}" -eq "$2" ]
}

# read_iscsi_name NAME: sets $iscsi_name to NAME in the form in which iSCSI names are compared, without upper-case
# letters (RFC 7143 4.2.7.2), or ends the script. An underscore is only a warning, because such initiators exist and
# LIO admits them.
read_iscsi_name() {
	iscsi_name=$1
	case $1 in
	*[[:upper:]]*) iscsi_name=$(printf '%s\n' "$1" | tr '[:upper:]' '[:lower:]') ;;
	esac
	case $iscsi_name in
	*[!a-z0-9._:-]*) ;;
	iqn.[0-9][0-9][0-9][0-9]-[0-9][0-9].?*)
		[ "${#iscsi_name}" -le 223 ] || die "the name '$1' has more than 223 characters"
		case $iscsi_name in
		*_*) warn "'$1' contains an underscore, which the standard does not allow (RFC 3722)" ;;
		esac
		return
		;;
	eui.*)
		! is_hex "${iscsi_name#eui.}" 16 || return 0
		;;
	naa.*)
		! is_hex "${iscsi_name#naa.}" 16 || return 0
		! is_hex "${iscsi_name#naa.}" 32 || return 0
		;;
	esac
	die "'$1' is not an iSCSI name: use iqn.YYYY-MM.DOMAIN:NAME, eui. with 16 or naa. with 16 or 32 hexadecimal digits"
}

# bytes SIZE: prints the number of bytes for a size such as 4096, 4K or 1G, or ends the script. The number must be a
# multiple of 512.
bytes() {
	number=${1%[KMGT]} unit=1
	case $1 in
	*K) unit=1024 ;;
	*M) unit=1048576 ;;
	*G) unit=1073741824 ;;
	*T) unit=1099511627776 ;;
	esac
	case $number in
	'' | 0* | *[!0-9]*) die "'$1' is not a size: use for example 4096, 64K, 10M, 1G or 2T" ;;
	???????????????????*) die "'$1' is too large" ;; # more digits than the shell's numbers can have
	esac
	[ "$number" -le $((9223372036854775807 / unit)) ] || die "'$1' is too large"
	[ $((number * unit % 512)) -eq 0 ] || die "'$1' is not a multiple of 512 bytes"
	echo $((number * unit))
}

# shellcheck source=daemon.sh disable=SC1091 # shellcheck reads both files if it is called with -x
. "$here/daemon.sh"
# shellcheck source=tree.sh disable=SC1091
. "$here/tree.sh"
