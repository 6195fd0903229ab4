#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# file_size.sh ROOT: no source file over 800 lines.
set -eu
cd "$1"
long=$(find . -path ./build -prune -o -path ./.git -prune -o -type f \( -name '*.[ch]' -o -name '*.py' -o -name '*.sh' \) \
	-exec awk 'END { if (FNR > 800) print FILENAME ": " FNR " lines" }' {} \;)
[ -z "$long" ] && exit 0
printf 'over 800 lines:\n%s\n' "$long" >&2
exit 1
