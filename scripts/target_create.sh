#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# target_create.sh [--chap USER SECRETFILE] [IQN] [PORTAL]
#
# Creates an iSCSI target in the kernel. IQN is its name (default: a name with the time of day). PORTAL is the
# ADDRESS:PORT at which it listens (default: port 3260 of all addresses). The target admits this machine's initiator
# and no other. With --chap, the initiator must authenticate itself as USER. The secret is the first line of
# SECRETFILE; it has 12 to 255 characters, and only root may be able to read the file.
set -eu
here=$(dirname "$(realpath "$0")")
. "$here/lio.sh"
begin 0 5 "$@"

# check_chap WHAT VALUE LEAST: ends the script if VALUE does not have LEAST to 255 characters, or if it begins with NULL.
# The kernel keeps at most 255 characters, and for it NULL means "no value". WHAT is the name of VALUE in the message.
check_chap() {
	case $2 in
	NULL* | *[[:cntrl:]]*) die "$1 must not begin with NULL or contain a control character" ;;
	esac
	{ [ "${#2}" -ge "$3" ] && [ "${#2}" -le 255 ]; } || die "$1 must have $3 to 255 characters"
}

user='' secret_file=''
if [ "${1-}" = --chap ]; then
	[ $# -ge 3 ] || die "--chap needs USER and SECRETFILE"
	user=$2 secret_file=$3
	check_chap USER "$user" 1
	shift 3
fi
[ $# -le 2 ] || die "too many arguments; --help explains them"
portal=${2:-0.0.0.0:3260}
read_iscsi_name "${1:-iqn.2026-11.com.test:target-$(date +%H-%M-%S)}"
iqn=$iscsi_name
case $iqn in
*_*) is_tree_of_daemon || die "'$iqn': targetcli cannot handle a target whose name contains an underscore" ;;
esac
case ${portal##*:} in
'' | 0* | *[!0-9]*) die "portal '$portal' has no port: use ADDRESS:PORT" ;;
??????*) die "portal '$portal' has a port that is greater than 65535" ;;
esac
[ "${portal##*:}" -le 65535 ] || die "portal '$portal' has a port that is greater than 65535"
case ${portal%:*} in
\[*[!0-9A-Fa-f:]*] | '' | "$portal") die "portal '$portal' has no address: use ADDRESS:PORT, or [ADDRESS]:PORT for IPv6" ;;
\[*:*]) ;;
*[!0-9.]*) die "portal '$portal' has no address: use ADDRESS:PORT, or [ADDRESS]:PORT for IPv6" ;;
esac

# secret: prints the secret, which is the first line of $secret_file.
secret() {
	[ -f "$secret_file" ] || die "there is no file $secret_file"
	[ $((0$(stat -Lc %a "$secret_file") & 077)) -eq 0 ] || die "other users can read $secret_file. First run: chmod 600 $secret_file"
	line=$(head -n 1 "$secret_file")
	check_chap "the secret in $secret_file" "$line" 12
	printf '%s\n' "$line"
}

[ -z "$user" ] || password=$(secret)
names=${TCMU_INITIATOR_NAME:-/etc/iscsi/initiatorname.iscsi}
initiator=$(sed -n 's/^InitiatorName=[[:space:]]*\([^[:space:]]*\).*/\1/p' "$names" 2>/dev/null | head -n 1)
[ -z "$initiator" ] && [ -e "$names" ] && [ ! -r "$names" ] &&
	die "only root may read $names; TCMU_INITIATOR_NAME names another file with a line InitiatorName=NAME"
[ -n "$initiator" ] || die "$names does not name this machine's initiator. First start iscsid, or name another such file in TCMU_INITIATOR_NAME"
read_iscsi_name "$initiator"
initiator=$iscsi_name
need_modules target_core_mod iscsi_target_mod

# make_portal: creates the portal or ends the script. The kernel gives only an errno as the reason, so the script itself
# looks for the program that uses the port.
make_portal() {
	try_folder "$tpg/np/$portal" && return
	[ -z "$reason_is_complete" ] || die_with_reason ''
	user_of_port=$(port_user "${portal##*:}") || die_with_reason "the portal $portal cannot be created"
	die "the portal $portal cannot be created: its port is used by $user_of_port. Choose another portal with the second" \
		"argument, for example ${portal%:*}:3261"
}

fabric=$tree/iscsi
[ -d "$fabric" ] || attempt mkdir "$fabric" || [ -d "$fabric" ] || die_with_reason "$fabric cannot be created"
target=$fabric/$iqn tpg=$fabric/$iqn/tpgt_1
[ ! -e "$target" ] || die "target $iqn already exists"
make_folder "$target"
make_folder "$tpg"
make_portal
make_folder "$tpg/acls/$initiator"
if [ -n "$user" ]; then
	write_attribute "$user" "$tpg/acls/$initiator/auth/userid"
	write_attribute "$password" "$tpg/acls/$initiator/auth/password"
	write_attribute 1 "$tpg/attrib/authentication"
else
	write_attribute 0 "$tpg/attrib/authentication"
fi
write_attribute 1 "$tpg/enable"
info "Target $iqn created"
case $portal in
0.0.0.0:*) info "Portal: 127.0.0.1:${portal##*:}" ;;
*) info "Portal: $portal" ;;
esac
