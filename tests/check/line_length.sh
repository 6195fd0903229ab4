#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# line_length.sh ROOT: limits the length of lines, including comments: in C to the ColumnLimit of .clang-format, in
# Markdown to 120 columns, and in other files to 150 columns. (clang-format does not check comments, because
# ReflowComments is off.) Tables and listings in Markdown may be longer. A line without a blank, such as a URL, may be
# longer, because it cannot be split. The headers of tests/abi/v1 are not checked, because they are a copy that never
# changes.
# shellcheck source=lib.sh
. "$(dirname "$(realpath "$0")")/lib.sh"
columns=$(sed -n 's/^ColumnLimit: *//p' .clang-format 2>/dev/null) || columns=
# shellcheck disable=SC2016 # awk expands $0, and the shell must not
source_files -name '*.[ch]' -o -name '*.md' -o -name '*.py' -o -name '*.sh' -o -name '*.cmake' -o -name CMakeLists.txt |
	grep -zv '^\./tests/abi/v1/' | xargs -0r awk -v c_limit="${columns:-110}" '
		FNR == 1 {
			is_markdown = FILENAME ~ /\.md$/
			limit = FILENAME ~ /\.[ch]$/ ? c_limit : is_markdown ? 120 : 150
			in_listing = 0
		}
		is_markdown && /^ *```/ { in_listing = !in_listing }
		is_markdown && (in_listing || /^ *\|/ || /^    /) { next }
		length($0) * 8 > limit {
			line = $0
			gsub(/[\200-\277]/, "", line) # a character of UTF-8 counts once
			width = length(line)
			while ((tab = index(line, "\t"))) {
				spaces = 8 - (tab - 1) % 8
				line = substr(line, 1, tab - 1) substr("        ", 1, spaces) substr(line, tab + 1)
				width = length(line)
			}
			sub(/^[ #*\/-]*/, "", line)
			if (width > limit && line ~ / /)
				print FILENAME ":" FNR ": " width " columns, " limit " are allowed"
		}' | report_violations "lines that are too long"
