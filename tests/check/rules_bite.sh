#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Each rule must accept a clean tree, and must refuse a tree with a single offence.
set -eu
rules=$(dirname "$(realpath "$0")")
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
status=0

clean_tree() {
	rm -rf "$tree"
	mkdir -p "$tree/runner/util" "$tree/runner/loop" "$tree/runner/scsi" "$tree/handlers/null" "$tree/dbus" \
		"$tree/tools/tcmuctl/import" "$tree/tests"
	cp "$rules/../../.clang-format" "$tree"
	printf '/* SPDX-License-Identifier: Apache-2.0 */\nvoid util_run(void);\n#define util_go() loop_for_macro()\n' >"$tree/runner/util/a.h"
	printf '/* SPDX-License-Identifier: Apache-2.0 */\n/* Calls util. */\n#include "util/a.h"\n' >"$tree/runner/loop/a.c"
	printf '#!/bin/sh\n# SPDX-License-Identifier: Apache-2.0\ntrue\n' >"$tree/ok.sh"
	# shellcheck disable=SC2016 # Markdown, not a command
	printf '# A page\n\n| a wide table |%0200d|\n\n```\na listing %0200d\n```\n' 0 0 >"$tree/page.md"
}

# bites RULE FILE LINES: the rule must accept the clean tree, and must refuse it when LINES are appended to FILE. A
# rule whose program is not installed is skipped.
bites() {
	clean_tree
	code=0
	"$rules/$1.sh" "$tree" >/dev/null 2>&1 || code=$?
	[ $code -ne 77 ] || return 0
	[ $code -eq 0 ] || { echo "$1 refuses a clean tree" >&2; status=1; }
	printf '%s\n' "$3" >>"$tree/$2"
	! "$rules/$1.sh" "$tree" >/dev/null 2>&1 || { echo "$1 lets pass: $3 in $2" >&2; status=1; }
}

# passes RULE FILE LINES: the rule must accept the clean tree with LINES in FILE.
passes() {
	clean_tree
	printf '%s\n' "$3" >>"$tree/$2"
	"$rules/$1.sh" "$tree" >/dev/null 2>&1 || [ $? -eq 77 ] || { echo "$1 refuses: $3 in $2" >&2; status=1; }
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
bites layering tools/tcmuctl/import/a.c '#include "tcmuctl/command.h"'
bites layering tools/tcmuctl/a.c '#include "model/target.h"'
bites spdx runner/util/b.c 'int x;'
bites file_size runner/util/a.h "$(yes '' | head -n 497; echo end)"
passes file_size runner/util/a.h "$(yes '' | head -n 496; echo end)"
bites file_size tests/a.c "$(yes '' | head -n 600; echo end)"
passes file_size tests/a.c "$(yes '' | head -n 599; echo end)"
# shellcheck disable=SC2016 # the offence is the text itself
bites shell ok.sh 'rm $1'

bites format runner/loop/a.c 'int  two_blanks;'
bites opening_comment runner/util/b.c '/* SPDX-License-Identifier: Apache-2.0 */
#include "util/a.h"'
long=$(printf 'word %.0s' 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25)
bites line_length runner/loop/a.c "/* $long */"
bites line_length runner/loop/a.c "	${long#????????????????????}"
bites line_length ok.sh "# $long $long"
bites line_length page.md "$long"
passes line_length runner/loop/a.c "/* ${long#?????????????????????} */"
passes line_length page.md "https://$(echo "$long" | tr ' ' /)"
passes line_length page.md "$(echo "$long" | cut -c 1-110) äöüäöüäö"

bites exports runner/loop/a.c 'void loop_unused(void)
{
}'
bites exports runner/loop/a.c '/* Used only in its file, and loop_one() in a comment. */
int loop_one(int argument,
	     int other)
{
	return loop_one(argument, other);
}'
passes exports runner/loop/a.c 'static void loop_two(void)
{
}
int main(void)
{
	util_run();
}'
passes exports runner/loop/a.c 'void loop_for_macro(void)
{
}'
exit $status
