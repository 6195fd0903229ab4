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
