#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# opening_comment.sh ROOT: in each .c file, the line after the licence must begin a comment that says what the file is
# for.
# shellcheck source=lib.sh
. "$(dirname "$(realpath "$0")")/lib.sh"
source_files -name '*.c' |
	xargs -0r awk '
		FNR == 2 && /^\/[*\/]/ { explained[FILENAME] = 1 }
		END {
			for (i = 1; i < ARGC; i++)
				if (!(ARGV[i] in explained))
					print ARGV[i]
		}' | report_violations "the second line does not begin a comment that says what the file is for"
