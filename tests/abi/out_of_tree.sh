#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# out_of_tree.sh cmake|pkg-config TEMPLATE_DIR BUILD_DIR COMPILER TESTER [DAEMON]
# Installs the development files of BUILD_DIR into a folder, moves that folder, copies the template somewhere else,
# builds it there against what was installed, and has it loaded by TESTER and by the daemon.
set -eu
how=$1 template=$2 build=$3 compiler=$4 tester=$5 daemon=${6:-}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

logged() {
	"$@" >"$work/log" 2>&1 || { cat "$work/log"; exit 1; }
}

logged cmake --install "$build" --prefix "$work/first" --component Development
mv "$work/first" "$work/installed"
cp -r "$template" "$work/template"
cd "$work/template"

case $how in
cmake)
	logged cmake -B build "-DCMAKE_C_COMPILER=$compiler" "-DCMAKE_PREFIX_PATH=$work/installed"
	logged cmake --build build
	logged cmake --install build --prefix "$work/elsewhere"
	installed=$(find "$work/installed" -name 'handler_template.so')
	[ -n "$installed" ] || { echo "not installed into the handler path"; exit 1; }
	;;
pkg-config)
	PKG_CONFIG_PATH=$(dirname "$(find "$work/installed" -name tcmu-runner.pc)")
	export PKG_CONFIG_PATH
	mkdir build
	# The flags are words.
	# shellcheck disable=SC2046
	"$compiler" -shared -fPIC -Wall -Werror $(pkg-config --cflags tcmu-runner) template.c \
		-o build/handler_template.so
	case $(pkg-config --variable=handlerdir tcmu-runner) in
	*/tcmu-runner) ;;
	*) echo "no handlerdir"; exit 1 ;;
	esac
	;;
esac

"$tester" build/handler_template.so
if [ -n "$daemon" ]; then
	timeout 20 "$daemon" --handler-path "$work/template/build" --dump-handlers >"$work/dump"
	grep -qw template "$work/dump" || { cat "$work/dump"; exit 1; }
fi
