# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# The rules of this folder source this file; their first argument is ROOT, the folder of the source tree. This file
# changes the current folder to ROOT, and defines the functions that the rules share. A rule checks all files with one
# or two processes, because starting a process for each file would take longer than the check itself.
set -eu
export LC_ALL=C
cd "$1"

# Prints the files of the source tree that match an expression of find, each ended by a null byte.
source_files() { # EXPRESSION...
	find . \( -path ./build -o -path ./.git -o -name __pycache__ \) -prune -o -type f \( "$@" \) -print0
}

# Prints the C files in the given folders, or all C files if no folder is given. Folders that do not exist are skipped.
c_files() { # FOLDERS...
	for folder; do
		shift
		[ ! -d "$folder" ] || set -- "$@" "$folder"
	done
	find "${@:-.}" \( -path ./build -o -path ./.git \) -prune -o -type f -name '*.[ch]' -print0
}

# Reads the violations of the rule, one in each line, and ends the rule. If there are any, prints them below the
# heading, and the rule fails.
report_violations() { # HEADING
	violations=$(cat)
	[ -n "$violations" ] || exit 0
	printf '%s:\n%s\n' "$1" "$violations" >&2
	exit 1
}
