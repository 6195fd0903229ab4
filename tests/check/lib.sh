# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# The rules of this folder source this file with ROOT as first argument. It enters ROOT and contains what the rules
# share. A rule checks all files with one or two processes, because one process for each file would take longer than
# the rule.
set -eu
export LC_ALL=C
cd "$1"

# Prints the files of the source tree that match an expression of find, each ended by a null byte.
source_files() { # EXPRESSION...
	find . \( -path ./build -o -path ./.git -o -name __pycache__ \) -prune -o -type f \( "$@" \) -print0
}

# Prints the C files of the given folders that exist, or all of them without arguments.
c_files() { # FOLDERS...
	for folder; do
		shift
		[ ! -d "$folder" ] || set -- "$@" "$folder"
	done
	find "${@:-.}" \( -path ./build -o -path ./.git \) -prune -o -type f -name '*.[ch]' -print0
}

# Ends the rule: it fails if stdin has lines, each an offence, and prints them below a heading.
refuse() { # HEADING
	offences=$(cat)
	[ -n "$offences" ] || exit 0
	printf '%s:\n%s\n' "$1" "$offences" >&2
	exit 1
}
