#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# shell.sh ROOT: shellcheck must find no fault in any shell script. It also checks each file that scripts source on its own.
# shellcheck source=lib.sh
. "$(dirname "$(realpath "$0")")/lib.sh"
command -v shellcheck >/dev/null || { echo "SKIP: shellcheck is not installed"; exit 77; }
# The name of a script ends in .sh, or the file can be executed. The first line says whether the file is a shell script.
# Files that are sourced have a directive for shellcheck instead.
source_files -name '*.sh' -o -perm -u+x |
	xargs -0r awk 'FNR == 1 { is_script = /^#!\/(bin\/(sh|bash)|usr\/bin\/env bash)/ }
		(FNR == 1 && is_script) || (FNR <= 4 && !is_script && /^# shellcheck shell=/) {
			printf "%s%c", FILENAME, 0
		}' |
	xargs -0r -n 16 -P 2 shellcheck -x -P .:SCRIPTDIR
