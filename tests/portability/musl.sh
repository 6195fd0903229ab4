#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# musl.sh WORK: compiles with musl's C library the files that need no other library, because Debian has no other
# library for musl. Nothing is run except a program that uses the util library. The last line says how many files were
# compiled.
set -eu
work=$1
here=$(dirname "$(realpath "$0")")
cd "$here/../.."

# An include root for each library, as cmake/Layers.cmake makes them.
mkdir -p "$work/include" "$work/o"
for folder in runner/*/; do
	folder=${folder%/}
	ln -sfn "$PWD/$folder" "$work/include/${folder##*/}"
done
# The kernel's headers are independent of the C library. They are looked up last.
set -- -std=gnu17 -D_GNU_SOURCE -O2 -fPIC -fno-strict-aliasing -Wall -Wextra -Wpedantic -Wshadow -Werror \
	-Wno-format-truncation \
	-I include -I handlers/common -I "$work/include" -idirafter /usr/include -idirafter "/usr/include/$(gcc -print-multiarch)" \
	-include cmake/libc_compat.h
others='glib|json-glib|fuse|gio/|gmodule|liburing|netlink/|libkmod|systemd/|openssl/|isa-l|libisal'
glib=$(pkg-config --cflags gio-unix-2.0 json-glib-1.0 libnl-3.0)
fuse=$(pkg-config --silence-errors --cflags fuse3) || fuse=
compiled=0 left_out=0
for file in runner/*/*.c handler_file/*.c handler_alloc/*.c handlers/block/*.c handlers/common/*.c handlers/null/*.c \
	handlers/template/*.c; do
	# -MM names the headers of this project that the file includes, directly or not.
	# shellcheck disable=SC2086,SC1003,SC2020 # words of pkg-config; blanks and backslashes become ends of lines
	used=$(gcc "$@" -DTCMUR_HANDLER_PATH="" -DTCMUR_SYSCONFDIR="" -I "${file%/*}" $glib $fuse -MM "$file" | tr ' \\' '\n\n' | sed '1d;/^$/d')
	# shellcheck disable=SC2086 # a list of files
	if cat $used 2>/dev/null </dev/null | grep -qE "^# *include <($others)"; then
		left_out=$((left_out + 1))
		continue
	fi
	musl-gcc "$@" -I "${file%/*}" -c "$file" -o "$work/o/$(echo "$file" | tr / _).o"
	compiled=$((compiled + 1))
done
for handler in file alloc null block; do
	files=
	for object in "$work/o/handler_$handler"_*.o "$work/o/handlers_$handler"_*.o "$work"/o/handlers_common_*.o; do
		[ ! -f "$object" ] || files="$files $object"
	done
	# shellcheck disable=SC2086 # a list of files
	musl-gcc -shared -o "$work/handler_$handler.so" $files
done
cat >"$work/main.c" <<'C'
#include <stdio.h>
#include <string.h>
#include "util/error.h"
#include "util/size.h"
int main(void)
{
	struct error error;

	error_set(&error, 1, "%s works", "util");
	puts(error.text);
	return strcmp(error.text, "util works") != 0;
}
C
# shellcheck disable=SC2046 # a list of files
musl-gcc "$@" -o "$work/main" "$work/main.c" $(find "$work/o" -name 'runner_util_*.o') -lpthread
"$work/main"
[ "$compiled" -gt 50 ] || { echo "only $compiled files were compiled"; exit 1; }
echo "ok: $compiled files, $left_out left out"
