# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# Sourced by the scripts of this folder, $here: their words, their arguments, and how they take back what they made;
# daemon.sh and tree.sh, which it sources, know the daemon and the kernel's target tree.

# The kernel counts bytes, and what other programs say is read here. What is made is for root's eyes.
LC_ALL=C
export LC_ALL
umask 077

# The exit status that a signal asks for, until the script can end.
caught=

info() { printf '[INFO] %s\n' "$*"; }
# one_line WORDS...: on one line, whatever is quoted in it.
one_line() {
	case $* in
	*[[:cntrl:]]*) printf '%s\n' "$(printf %s "$*" | tr '[:cntrl:]' '?')" ;;
	*) printf '%s\n' "$*" ;;
	esac
}
complain() { one_line "$*" >&2; }
warn() { complain "[WARNING] $*"; }
# A script that was interrupted says nothing, because what has failed then says nothing about the request.
die() {
	[ -z "$caught" ] || exit "$caught"
	complain "[ERROR] $*"
	exit 1
}

# The comment at the head of the script.
usage() { sed -n '3,/^[^#]/s/^# \{0,1\}//p' "$0"; }

wrong_usage() {
	usage >&2
	exit 2
}

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
	{ [ $# -ge "$least" ] && [ $# -le "$most" ]; } || wrong_usage
	! is_kernel || [ "$(id -u)" -eq 0 ] || die "only root may do this"
}

# --- taking back what was made, when a later step fails or a signal comes ---

# A signal must not come between what is made and the note of how to take it back, so it waits for the note.
trap 'caught=129' HUP
trap 'caught=130' INT
trap 'caught=143' TERM

# whole COMMAND...: nor does one that the terminal sends to all its processes end COMMAND half-way.
whole() (
	trap '' HUP INT TERM
	"$@"
)

# attempt COMMAND...: runs it without a word on the terminal. If it fails, $why is the reason: that of the daemon
# whose tree this is, or the one that COMMAND gives.
attempt() {
	why=$(trap '' HUP INT TERM && "$@" 2>&1 >/dev/null) && return
	! read_reason || return 1
	why=${why##*: }
	return 1
}

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
	[ "$status" -eq 0 ] || eval "$undo" >/dev/null 2>&1
	exit "$status"
}
trap finish EXIT

# failed WHAT: the end of a script whose attempt has failed. The daemon's own reason names the object.
failed() {
	case ${reason_is_complete:-} in
	yes) die "$why" ;;
	*) die "$1: ${why:-no reason is known}" ;;
	esac
}

# try_folder FOLDER, make_folder FOLDER: the second one ends the script if the folder cannot be created.
try_folder() { attempt mkdir "$1" && on_failure rmdir "$1"; }
make_folder() { try_folder "$1" || failed "${1#"$tree"/} cannot be created"; }

# make_file FILE: empty.
create_new() {
	set -o noclobber # another script may be making it too
	: >"$1"
}
make_file() { whole create_new "$1" 2>/dev/null && on_failure rm "$1"; }

# make_link TARGET LINK
make_link() {
	attempt ln -s "$1" "$2" || failed "${2#"$tree"/} cannot be created"
	on_failure rm "$2"
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

# check_config CONFIG: what follows HANDLER/ in dev_config. A comma ends it in configfs, and rtslib, which saves and
# restores the device, refuses a colon and reads no further than a blank.
check_config() {
	case $1 in
	'' | *[[:cntrl:]]*) die "CONFIG '$1': it may not be empty or contain a control character" ;;
	*[,:\ ]*)
		die "CONFIG '$1': targetcli cannot save a comma, a colon or a blank. Write" \
			"'$(printf %s "$1" | sed 's/~/~7e/g; s/,/~2c/g; s/:/~3a/g; s/ /~20/g')'"
		;;
	esac
	[ "${#1}" -le 255 ] || die "CONFIG has more than 255 characters"
}

# unescape TEXT: prints it with the characters that ~HH stands for.
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

# check_device DEVICE: PLUGIN_N/NAME.
check_device() {
	case $1 in
	*/*/* | */.*) ;;
	[a-z]*_[0-9]*/?*) return ;;
	esac
	die "'$1' is no device: user_0/NAME"
}

# is_hex TEXT LENGTH
is_hex() {
	case $1 in
	*[!0-9a-f]*) return 1 ;;
	esac
	[ "${#1}" -eq "$2" ]
}

# read_iscsi_name NAME: $iscsi_name is NAME in the form in which iSCSI names are compared, without upper-case letters
# (RFC 7143 4.2.7.2). Initiators with an underscore in their name exist, and LIO admits them.
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
	die "'$1' is no iSCSI name: iqn.YYYY-MM.DOMAIN:NAME, eui. with 16 or naa. with 16 or 32 hexadecimal digits"
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

. "$here/daemon.sh"
. "$here/tree.sh"
