#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# man_pages.sh DAEMON HANDLER_DIR SOURCE_DIR: each handler and each filter has a man page, and explains each of its
# options. EMULATOR starts the daemon if it was built for another architecture.
set -eu
source_dir=$3
dump=$(${EMULATOR-} "$1" --handler-path "$2" --dump-handlers)
[ -n "$dump" ] || { echo "no handlers in $2"; exit 1; }

# name=file, option_cache=…, … become "tcmur-file -" and "tcmur-file cache"
echo "$dump" |
	sed -n 's/^name=\(.*\)/tcmur-\1 -/p; s/^filter=\(.*\)/filter-\1 -/p; s/^option_\([^=]*\)=.*/\1/p' |
	awk 'NF == 2 { name = $1; print; next } { print name, $1 }' |
	while read -r name option; do
		page=$(find "$source_dir" -path "$source_dir/build" -prune -o -name "$name.8" -print)
		[ -n "$page" ] || { echo "$name has no man page"; exit 1; }
		# A hyphen of a name is written as \-.
		[ "$option" = - ] || sed 's/\\-/-/g' "$page" | grep -Eq "^\.B[A-Z] ${option}[= ]" ||
			{ echo "$page does not explain $option"; exit 1; }
	done
