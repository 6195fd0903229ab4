#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# shell.sh ROOT: all shell scripts pass shellcheck.
# shellcheck source=lib.sh
. "$(dirname "$(realpath "$0")")/lib.sh"
command -v shellcheck >/dev/null || { echo "SKIP: shellcheck is not installed"; exit 77; }
# Scripts end in .sh or can be executed. Only the first line of a file says whether it is a shell script.
source_files -name '*.sh' -o -perm -u+x |
	xargs -0r awk 'FNR == 1 && /^#!\/(bin\/(sh|bash)|usr\/bin\/env bash)/ { printf "%s%c", FILENAME, 0 }' |
	xargs -0r -n 16 -P 2 shellcheck -x -P .:SCRIPTDIR
