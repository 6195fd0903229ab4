#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# atomics.sh ROOT: a variable that threads share is declared atomic (docs/locks.md), so the product does not use the
# compiler's functions for other variables. Only the kernel's ring has words that cannot be declared so.
# shellcheck source=lib.sh
. "$(dirname "$(realpath "$0")")/lib.sh"
c_files runner dbus tools handlers handler_alloc handler_file | xargs -0r grep -HnE '\b__(atomic|sync)_[a-z]' |
	grep -v '^runner/ring/ring\.c:' | report_violations "atomic access to variables that are not declared atomic"
