#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# format.sh ROOT: clang-format must not change any C file. Different versions of clang-format give different results, so
# the rule uses only the version with which the tree was formatted.
# shellcheck source=lib.sh
. "$(dirname "$(realpath "$0")")/lib.sh"
version=14
tool=$(command -v "clang-format-$version" || command -v clang-format) || tool=
case $([ -z "$tool" ] || "$tool" --version) in
*" $version".*) ;;
*)
	echo "SKIP: the tree is formatted with clang-format $version, which is not installed"
	exit 77
	;;
esac
# The headers of tests/abi/v1 are a copy that never changes.
c_files | grep -zv '^\./tests/abi/v1/' | xargs -0r -n 64 -P 2 "$tool" --dry-run --ferror-limit=1 2>&1 |
	grep -E '(warning|error): code should be clang-formatted' | cut -d: -f1,2 |
	report_violations "not formatted; run: clang-format -i FILE (version $version)"
