#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# completion.sh DAEMON HANDLERS TCMUCTL: completes command lines as bash does, and checks the words that are offered.
set -eu
here=$(dirname "$(realpath "$0")")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
. "$here/../../packaging/completion/bash/tcmu-runner"
. "$here/../../packaging/completion/bash/tcmuctl"
# The completion runs the program by its name, but the program is not installed here.
printf '#!/bin/sh\nexec %s --handler-path %s "$@"\n' "$1" "$2" >"$work/tcmu-runner"
printf '#!/bin/sh\nexec %s "$@"\n' "$3" >"$work/tcmuctl"
chmod +x "$work/tcmu-runner" "$work/tcmuctl"
touch "$work/disk.img"

# offers EXPECTED WORD...: completes the last WORD.
offers() { completes _tcmu_runner "$work/tcmu-runner" "$@"; }
# completes FUNCTION PROGRAM EXPECTED WORD...: completes the last WORD with FUNCTION.
completes() {
	local function=$1 program=$2 expected=$3
	shift 3
	COMP_WORDS=("$program" "$@")
	COMP_CWORD=$#
	COMPREPLY=()
	$function || true
	[[ " ${COMPREPLY[*]} " == *" $expected "* ]] || {
		echo "FAIL: '$*' offers '${COMPREPLY[*]}', not $expected"
		exit 1
	}
}
offers --export --exp
offers --handler-path --hand
offers file/ --export fil
offers alloc/ -e ''
offers "file/$work/disk.img" --export "file/$work/di"
offers "$work/disk.img" --config "$work/d"
offers "$work/disk.img" --config = "$work/d"

controls() { completes _tcmuctl "$work/tcmuctl" "$@"; }
controls import-scst import-s
controls import-tgt help import-t
controls import-tgt --socket "$work/d" import-t
controls --initiators-allow import-scst --ini
controls "$work/disk.img" import-scst --scst-conf "$work/d"
controls "$work/disk.img" import-scst --scst-conf = "$work/d"
controls "$work/disk.img" import-tgt -o "$work/d"
controls --help --h
echo "completion works"
