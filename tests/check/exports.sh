#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# exports.sh ROOT: each function that is visible outside its file must be used in another file. Otherwise the function
# should be static or deleted. Exceptions are the functions that handlers call (runner/tcmur.syms), those that the
# linker replaces (__wrap_*), and those that a sanitizer looks for.
#
# A line that begins in the first column, and that is neither static nor a declaration, is a definition. A name in a
# comment does not count as a use.
# shellcheck source=lib.sh
. "$(dirname "$(realpath "$0")")/lib.sh"
c_files | tr '\0' '\n' | awk '
	# Removes the comments from a line; in_comment tells whether the line begins inside one.
	function without_comments(line,    start, end, kept) {
		kept = ""
		while (line != "") {
			if (in_comment) {
				if (!(end = index(line, "*/")))
					return kept
				line = substr(line, end + 2)
				in_comment = 0
				continue
			}
			start = index(line, "/*")
			end = index(line, "//")
			if (end && (!start || end < start) && substr(line, end - 1, 1) != ":")
				return kept substr(line, 1, end - 1)
			if (!start)
				return kept line
			kept = kept substr(line, 1, start - 1) " "
			line = substr(line, start + 2)
			in_comment = 1
		}
		return kept
	}
	function read_line(file, text,    name, count, word, i) {
		if (file ~ /\.c$/ && text ~ /^[a-z_][A-Za-z0-9_ *]*[ *][a-z_][A-Za-z0-9_]*\([^;]*$/ &&
		    text !~ /^(static|typedef|extern|return|else|struct [a-z_0-9]* =)/ && text !~ /=/) {
			name = text
			sub(/\(.*/, "", name)
			sub(/.*[ *]/, "", name)
			defined_in[name] = file
			place[name] = file ":" line_number
		}
		# A header uses functions in macros and in inline functions.
		if (file ~ /\.h$/ && text !~ /^[ \t#]/)
			return
		count = split(text, word, /[^A-Za-z0-9_]+/)
		for (i = 1; i <= count; i++)
			if (word[i] != "" && !((word[i], file) in seen)) {
				seen[word[i], file] = 1
				users[word[i]]++
			}
	}
	{
		file = $0
		in_comment = line_number = 0
		while ((getline line <file) > 0) {
			line_number++
			read_line(file, without_comments(line))
		}
		close(file)
	}
	END {
		while ((getline line <"runner/tcmur.syms") > 0) {
			gsub(/[^a-z_0-9]/, "", line)
			exempt[line] = 1
		}
		for (name in defined_in)
			if (users[name] < 2 && !(name in exempt) && name !~ /^__/ && name != "memalign" && name != "main")
				print place[name] ": " name "()"
	}' | sort | report_violations "functions that no other file uses"
