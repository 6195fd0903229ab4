#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# cli.sh TCMUCTL: the options before the command, the exit status of a wrong command line, and whether the man page
# describes each command that --help lists.
set -eu
tcmuctl=$1
source=$(realpath "$(dirname "$0")/../..")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() {
	echo "FAIL: $*" >&2
	exit 1
}

# refuses TEXT ARGUMENT...: the command line is wrong (status 2), and the message contains TEXT.
refuses() {
	text=$1 status=0
	shift
	"$tcmuctl" "$@" >"$work/out" 2>"$work/err" || status=$?
	[ $status -eq 2 ] || fail "'$*' ends with status $status"
	[ ! -s "$work/out" ] || fail "'$*' prints its error on standard output"
	grep -qF -- "$text" "$work/err" || fail "'$*' says: $(cat "$work/err")"
}

refuses 'the command is missing; see tcmuctl --help'
refuses '--nosuch is not an option' --nosuch
refuses 'nosuch is not a command' nosuch
refuses 'nosuch is not a command' help nosuch
for command in import-scst import-tgt; do
	refuses "tcmuctl $command --help" $command --nosuch
	refuses "'word' is not an option" $command word
	refuses 'Missing argument' $command -o
	"$tcmuctl" $command --help >"$work/help"
	"$tcmuctl" help $command | cmp - "$work/help"
	! grep -E '.{81}' "$work/help" || fail "$command --help has lines of more than 80 columns"
done

# fails TEXT ARGUMENT...: the command fails (status 1), and the message contains TEXT.
fails() {
	text=$1 status=0
	shift
	"$tcmuctl" "$@" >"$work/out" 2>"$work/err" || status=$?
	[ $status -eq 1 ] || fail "'$*' ends with status $status"
	[ ! -s "$work/out" ] || fail "'$*' prints a result"
	grep -qF -- "$text" "$work/err" || fail "'$*' says: $(cat "$work/err")"
}
conf=$work/scst.conf
echo '[HANDLER vdisk]' >"$conf"
fails "$work/nosuch: No such file or directory" import-scst --scst-conf "$work/nosuch"
fails "$work/nosuch: No such file or directory" import-scst --scst-conf "$conf" --initiators-deny "$work/nosuch"
[ -e /etc/scst.conf ] || [ -e /etc/iscsi-scstd.conf ] ||
	fails "neither /etc/scst.conf nor /etc/iscsi-scstd.conf exists" import-scst
[ -e /etc/tgt/targets.conf ] ||
	fails "/etc/tgt/targets.conf does not exist; name another file with --conf" import-tgt
fails "$work: Is a directory" import-tgt --conf "$work"
fails "/dev/null is not a regular file" import-scst --scst-conf "$conf" -o /dev/null
fails "$work/nosuch/result: No such file or directory" import-scst --scst-conf "$conf" -o "$work/nosuch/result"

# A file with other rights is replaced, even if a symbolic link leads to it. Others can never read the file.
touch "$work/old"
chmod 644 "$work/old"
ln -s old "$work/link"
"$tcmuctl" import-scst --scst-conf "$conf" -o "$work/link" 2>"$work/err"
[ -L "$work/link" ] || fail "the symbolic link was replaced"
[ "$(stat -c %a "$work/old")" = 600 ] || fail "the mode is $(stat -c %a "$work/old")"
grep -q tcmu_runner "$work/old" || fail "the file was not replaced"

"$tcmuctl" --version | grep -qxE 'tcmuctl [0-9]+\.[0-9]+\.[0-9]+' || fail "--version: $("$tcmuctl" --version)"
"$tcmuctl" --help >"$work/help"
"$tcmuctl" help | cmp - "$work/help"
! grep -E '.{81}' "$work/help" || fail "--help has lines of more than 80 columns"

commands=$(sed -n 's/^  \([a-z][a-z-]*\) .*/\1/p' "$work/help")
[ -n "$commands" ] || fail "--help lists no commands"
for command in $commands; do
	man_name=$(echo "$command" | sed 's/-/\\\\-/g')
	grep -qE "^\.BR? $man_name( |\$)" "$source/tools/tcmuctl/tcmuctl.8" || fail "tcmuctl(8) does not describe $command"
	"$tcmuctl" help "$command" >"$work/help"
	[ -s "$work/help" ] || fail "'help $command' prints nothing"
done
echo "the command line is as described"
