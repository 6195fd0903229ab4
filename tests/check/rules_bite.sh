#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Each rule passes a clean tree and fails one with a single offence.
set -eu
rules=$(dirname "$(realpath "$0")")
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
status=0

clean_tree() {
	rm -rf "$tree"
	mkdir -p "$tree/runner/util" "$tree/runner/loop" "$tree/runner/scsi" "$tree/handlers/null" "$tree/dbus"
	printf '/* SPDX-License-Identifier: Apache-2.0 */\n' >"$tree/runner/util/a.h"
	printf '/* SPDX-License-Identifier: Apache-2.0 */\n#include "util/a.h"\n' >"$tree/runner/loop/a.c"
	printf '#!/bin/sh\n# SPDX-License-Identifier: Apache-2.0\ntrue\n' >"$tree/ok.sh"
}

bites() { # RULE FILE LINE: the rule must refuse the tree once LINE is in FILE
	clean_tree
	"$rules/$1.sh" "$tree" >/dev/null 2>&1 || { echo "$1 refuses a clean tree" >&2; status=1; }
	printf '%s\n' "$3" >>"$tree/$2"
	! "$rules/$1.sh" "$tree" >/dev/null 2>&1 || { echo "$1 lets pass: $3 in $2" >&2; status=1; }
}

bites layering runner/util/a.h '#include "loop/loop.h"'
bites layering runner/loop/a.c '#include "../util/a.h"'
bites layering runner/loop/a.c '# include "util/../scsi/scsi.h"'
bites layering runner/loop/a.c '#include "iscsi/iscsi.h"'
bites layering runner/scsi/a.c '#include <sys/socket.h>'
bites layering runner/scsi/a.c '#include <liburing.h>'
bites layering handlers/null/a.c '#include "loop/loop.h"'
bites layering handlers/null/a.c '#include "../../runner/util/a.h"'
bites layering handlers/null/a.c '#include <liburing.h>'
bites layering dbus/a.c '#include "scsi/scsi.h"'
bites spdx runner/util/b.c 'int x;'
bites file_size runner/util/a.h "$(yes '' | head -n 900; echo end)"
if command -v shellcheck >/dev/null; then
	# shellcheck disable=SC2016 # the offence is the text itself
	bites shell ok.sh 'rm $1'
fi
exit $status
