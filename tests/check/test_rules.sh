#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Tests the rules of this folder: each rule must accept a clean tree, and must refuse a tree with one violation.
set -eu
rules=$(dirname "$(realpath "$0")")
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
status=0

clean_tree() {
	rm -rf "$tree"
	mkdir -p "$tree/runner/util" "$tree/runner/loop" "$tree/runner/ring" "$tree/runner/scsi" "$tree/handlers/null" "$tree/dbus" \
		"$tree/tools/tcmuctl/import" "$tree/tests"
	cp "$rules/../../.clang-format" "$tree"
	printf '/* SPDX-License-Identifier: Apache-2.0 */\nvoid util_run(void);\n#define util_go() loop_for_macro()\n' >"$tree/runner/util/a.h"
	printf '/* SPDX-License-Identifier: Apache-2.0 */\n/* Calls util. */\n#include "util/a.h"\n' >"$tree/runner/loop/a.c"
	printf '.TH A 8 2026-11-26 "tcmu-runner" "Pages"\n.SH NAME\na \\- a page\n' >"$tree/a.8"
	printf '#!/bin/sh\n# SPDX-License-Identifier: Apache-2.0\ntrue\n' >"$tree/ok.sh"
	# shellcheck disable=SC2016 # Markdown, not a command
	printf '# A page\n\n| a wide table |%0200d|\n\n```\na listing %0200d\n```\n' 0 0 >"$tree/page.md"
}

# must_refuse RULE FILE LINES: the rule must accept the clean tree, and must refuse it when LINES are appended to FILE.
# If the program that the rule needs is not installed, the test of the rule is skipped.
must_refuse() {
	clean_tree
	code=0
	"$rules/$1.sh" "$tree" >/dev/null 2>&1 || code=$?
	[ $code -ne 77 ] || return 0
	[ $code -eq 0 ] || { echo "$1 refuses a clean tree" >&2; status=1; }
	printf '%s\n' "$3" >>"$tree/$2"
	! "$rules/$1.sh" "$tree" >/dev/null 2>&1 || { echo "$1 accepts: $3 in $2" >&2; status=1; }
}

# must_accept RULE FILE LINES: the rule must accept the clean tree with LINES in FILE.
must_accept() {
	clean_tree
	printf '%s\n' "$3" >>"$tree/$2"
	"$rules/$1.sh" "$tree" >/dev/null 2>&1 || [ $? -eq 77 ] || { echo "$1 refuses: $3 in $2" >&2; status=1; }
}

must_refuse layering runner/util/a.h '#include "loop/loop.h"'
must_refuse layering runner/loop/a.c '#include "../util/a.h"'
must_refuse layering runner/loop/a.c '# include "util/../scsi/scsi.h"'
must_refuse layering runner/loop/a.c '#include "iscsi/iscsi.h"'
must_refuse layering runner/scsi/a.c '#include <sys/socket.h>'
must_refuse layering runner/scsi/a.c '#include <liburing.h>'
must_refuse layering handlers/null/a.c '#include "loop/loop.h"'
must_refuse layering handlers/null/a.c '#include "../../runner/util/a.h"'
must_refuse layering handlers/null/a.c '#include <liburing.h>'
must_refuse layering dbus/a.c '#include "scsi/scsi.h"'
must_refuse layering tools/tcmuctl/import/a.c '#include "tcmuctl/command.h"'
must_refuse layering tools/tcmuctl/a.c '#include "model/target.h"'
must_refuse spdx runner/util/b.c 'int x;'
must_refuse file_size runner/util/a.h "$(yes '' | head -n 497; echo end)"
must_accept file_size runner/util/a.h "$(yes '' | head -n 496; echo end)"
must_refuse file_size tests/a.c "$(yes '' | head -n 600; echo end)"
must_accept file_size tests/a.c "$(yes '' | head -n 599; echo end)"
# shellcheck disable=SC2016 # the violation is this text
must_refuse shell ok.sh 'rm $1'

must_refuse atomics runner/util/b.c 'int f(int *p) { return __atomic_load_n(p, __ATOMIC_RELAXED); }'
must_accept atomics runner/ring/ring.c 'int f(int *p) { return __atomic_load_n(p, __ATOMIC_RELAXED); }'

must_refuse man_pages a.8 '.XX no such macro'
must_refuse man_pages b.8 '.TH B 8 "26 November 2026" "tcmu-runner" "Pages"
.SH NAME
b \- its date has another form'

must_refuse format runner/loop/a.c 'int  two_blanks;'
must_refuse opening_comment runner/util/b.c '/* SPDX-License-Identifier: Apache-2.0 */
#include "util/a.h"'
long=$(printf 'word %.0s' 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25)
must_refuse line_length runner/loop/a.c "/* $long */"
must_refuse line_length runner/loop/a.c "	${long#????????????????????}"
must_refuse line_length ok.sh "# $long $long"
must_refuse line_length page.md "$long"
must_accept line_length runner/loop/a.c "/* ${long#?????????????????????} */"
must_accept line_length page.md "https://$(echo "$long" | tr ' ' /)"
must_accept line_length page.md "$(echo "$long" | cut -c 1-110) äöüäöüäö"

must_refuse exports runner/loop/a.c 'void loop_unused(void)
{
}'
must_refuse exports runner/loop/a.c '/* Used only in its file, and loop_one() in a comment. */
int loop_one(int argument,
	     int other)
{
	return loop_one(argument, other);
}'
must_accept exports runner/loop/a.c 'static void loop_two(void)
{
}
int main(void)
{
	util_run();
}'
must_accept exports runner/loop/a.c 'void loop_for_macro(void)
{
}'
exit $status
