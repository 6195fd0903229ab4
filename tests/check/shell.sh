#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# shell.sh ROOT: all shell scripts pass shellcheck, and so does each file that scripts source, also by itself.
# shellcheck source=lib.sh
. "$(dirname "$(realpath "$0")")/lib.sh"
command -v shellcheck >/dev/null || { echo "SKIP: shellcheck is not installed"; exit 77; }
# Scripts end in .sh or can be executed. Their first line says whether they are shell scripts, and files that are sourced
# have a directive for shellcheck.
source_files -name '*.sh' -o -perm -u+x |
	xargs -0r awk 'FNR == 1 { is_script = /^#!\/(bin\/(sh|bash)|usr\/bin\/env bash)/ }
		(FNR == 1 && is_script) || (FNR <= 4 && !is_script && /^# shellcheck shell=/) {
			printf "%s%c", FILENAME, 0
		}' |
	xargs -0r -n 16 -P 2 shellcheck -x -P .:SCRIPTDIR
