#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# spdx.sh ROOT: each source file names its licence in the first two lines (the second after a #! line).
set -eu
cd "$1"
missing=$(find . -path ./build -prune -o -path ./.git -prune -o -type f \
	\( -name '*.[ch]' -o -name '*.py' -o -name '*.sh' -o -name '*.cmake' -o -name CMakeLists.txt \) -print |
	while read -r file; do
		head -n 2 "$file" | grep -q 'SPDX-License-Identifier: Apache-2.0' || echo "$file"
	done)
[ -z "$missing" ] && exit 0
printf 'no SPDX line:\n%s\n' "$missing" >&2
exit 1
