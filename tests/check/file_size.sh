#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# file_size.sh ROOT: no source file may have more than 800 lines.
# shellcheck source=lib.sh
. "$(dirname "$(realpath "$0")")/lib.sh"
source_files -name '*.[ch]' -o -name '*.py' -o -name '*.sh' |
	xargs -0r awk 'FNR == 801 { print FILENAME }' | refuse "more than 800 lines; split the file by its ideas"
