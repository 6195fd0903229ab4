#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# header.sh COMPILER INCLUDE_DIR STANDARD...: each public header must compile alone and must refuse an API version
# that it does not know. A handler in C++ must export its entry point under the name of C.
set -eu
here=$(dirname "$0")
compiler=$1 include=$2
shift 2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

compile() { # STANDARD HEADER DEFINES...
	standard=$1 header=$2
	shift 2
	case $standard in
	c++*) language=c++ ;;
	*) language=c ;;
	esac
	"$compiler" -x $language "-std=$standard" -Wall -Wextra -pedantic-errors -Werror -I "$include" \
		"-DHEADER=<tcmur/$header.h>" "$@" -c "$here/header.c" -o "$work/out.o" 2>"$work/log"
}

refuses() { # STANDARD TEXT DEFINES...
	standard=$1 text=$2
	shift 2
	if compile "$standard" handler "$@"; then
		echo "compiles with $*, but must not"
		exit 1
	fi
	grep -q "$text" "$work/log" || { cat "$work/log"; exit 1; }
}

for standard; do
	for header in handler queue filter; do
		compile "$standard" $header -DVERSION=1 || { cat "$work/log"; exit 1; }
		nm "$work/out.o" | grep -q ' T tcmur_handler_entry$' ||
			{ echo "$standard: no tcmur_handler_entry"; exit 1; }
	done
	refuses "$standard" 'define TCMUR_API_VERSION' -DNO_VERSION
	refuses "$standard" 'knows TCMUR_API_VERSION 1 only' -DVERSION=2
done
