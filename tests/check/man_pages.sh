#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# man_pages.sh ROOT: mandoc must find no fault in any man page, and each page has its date in the same form.
# shellcheck source=lib.sh
. "$(dirname "$(realpath "$0")")/lib.sh"
command -v mandoc >/dev/null || { echo "SKIP: mandoc is not installed"; exit 77; }
{
	# After a fault that mandoc finds, the dates are checked nevertheless.
	source_files -name '*.[1-8]' | xargs -0r mandoc -T lint -W warning || true
	source_files -name '*.[1-8]' | xargs -0r grep -LE '^\.TH [^ ]+ [1-8] [0-9]{4}-[0-9]{2}-[0-9]{2} ' |
		sed 's/$/: no line ".TH NAME SECTION YYYY-MM-DD ..."/'
} | report_violations "faults in man pages"
