#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# file_size.sh ROOT: no source file may have more than 500 lines, and no test more than 600. The header of the handler
# API (include/tcmur/handler.h) is exempt, because authors of handlers should find the API in one file.
# shellcheck source=lib.sh
. "$(dirname "$(realpath "$0")")/lib.sh"
source_files -name '*.[ch]' -o -name '*.py' -o -name '*.sh' |
	xargs -0r awk '
		FNR == 1 { limit = FILENAME ~ /(^|\/)tests\// ? 600 : 500 }
		FNR == limit + 1 && FILENAME !~ /include\/tcmur\/handler\.h$/ { print FILENAME }' |
	report_violations "more than 500 lines, or 600 in tests/; split the file by its ideas"
