#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# spdx.sh ROOT: each source file must name its licence in its first two lines (in the second one after a #! line).
# shellcheck source=lib.sh
. "$(dirname "$(realpath "$0")")/lib.sh"
source_files -name '*.[ch]' -o -name '*.py' -o -name '*.sh' -o -name '*.cmake' -o -name CMakeLists.txt |
	xargs -0r awk '
		FNR <= 2 && /SPDX-License-Identifier: Apache-2.0/ { named[FILENAME] = 1 }
		END {
			for (i = 1; i < ARGC; i++)
				if (!(ARGV[i] in named))
					print ARGV[i]
		}' | report_violations "no SPDX-License-Identifier: Apache-2.0 in the first two lines"
