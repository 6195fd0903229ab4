#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# completion.sh DAEMON HANDLERS: completes command lines as bash does, and compares the words that are offered.
set -eu
here=$(dirname "$(realpath "$0")")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
. "$here/../../packaging/completion/bash/tcmu-runner"
# The completion runs the program by name; here it is not installed.
printf '#!/bin/sh\nexec %s --handler-path %s "$@"\n' "$1" "$2" >"$work/tcmu-runner"
chmod +x "$work/tcmu-runner"
touch "$work/disk.img"

# offers EXPECTED WORD...: the last WORD is completed.
offers() {
	local expected=$1
	shift
	COMP_WORDS=("$work/tcmu-runner" "$@")
	COMP_CWORD=$#
	COMPREPLY=()
	_tcmu_runner || true
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
echo "completion works"
