#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# out_of_tree.sh cmake|pkg-config TEMPLATE_DIR BUILD_DIR COMPILER HANDLER_TESTER FILTER_TESTER [DAEMON]: installs the
# development files of BUILD_DIR into a folder, moves that folder, and copies the template somewhere else. Then it
# builds the template's handler and filter with the installed files, lets the testers load both, and serves them with
# the daemon.
set -eu -o pipefail
# shellcheck source=../iscsi/daemon.sh
. "$(dirname "$0")/../iscsi/daemon.sh" # defines work, fail, start_daemon and stop_daemon
how=$1 template=$2 build=$3 compiler=$4 handler_tester=$5 filter_tester=$6

logged() {
	"$@" >"$work/log" 2>&1 || { cat "$work/log"; fail "$*"; }
}

build_with_cmake() {
	logged cmake -B build "-DCMAKE_C_COMPILER=$compiler" "-DCMAKE_PREFIX_PATH=$work/installed"
	logged cmake --build build
	logged cmake --install build
	for plugin in handler_template filter_template; do
		[ -n "$(find "$work/installed" -name $plugin.so)" ] || fail "$plugin is not installed into the handler path"
	done
}

build_with_pkg_config() {
	local flags handler_dir
	PKG_CONFIG_PATH=$(dirname "$(find "$work/installed" -name tcmu-runner.pc)")
	export PKG_CONFIG_PATH
	flags=$(pkg-config --cflags tcmu-runner)
	handler_dir=$(realpath -m "$(pkg-config --variable=handlerdir tcmu-runner)")
	mkdir build
	# shellcheck disable=SC2086 # flags are words
	logged "$compiler" -shared -fPIC -Wall -Werror $flags template.c -o build/handler_template.so
	# shellcheck disable=SC2086 # flags are words
	logged "$compiler" -shared -fPIC -Wall -Werror $flags filter.c -o build/filter_template.so
	[[ $handler_dir == "$work"/installed/*/tcmu-runner ]] || fail "handlerdir is $handler_dir"
}

serve() {
	local lun

	"$TCMU_RUNNER" --handler-path build --dump-handlers >"$work/dump"
	for line in name=template filter=template; do
		grep -qx $line "$work/dump" || fail "--dump-handlers does not show $line: $(cat "$work/dump")"
	done
	command -v qemu-img >/dev/null || return 0
	start_daemon --export "template/x;fill=7;filter=template;slower=100,size=1M" --iqn iqn.2026-11.io.tcmu-runner:x
	lun="driver=raw,file.driver=iscsi,file.transport=tcp,file.portal=127.0.0.1:$port,file.lun=0"
	lun+=",file.target=iqn.2026-11.io.tcmu-runner:x"
	timeout 20 qemu-img convert --image-opts -O raw "$lun" "$work/sevens"
	head -c 1M /dev/zero | tr '\0' '\7' | cmp - "$work/sevens" || fail "the disk does not contain the byte of the option fill"
	head -c 1M /dev/urandom >"$work/image"
	timeout 20 qemu-img convert -n -f raw --target-image-opts "$work/image" "$lun"
	timeout 20 qemu-img convert --image-opts -O raw "$lun" "$work/back"
	cmp "$work/image" "$work/back" || fail "the data that was read back differs"
	stop_daemon
}

logged cmake --install "$build" --prefix "$work/first" --component Development
mv "$work/first" "$work/installed"
cp -r "$template" "$work/template"
cd "$work/template"
case $how in
cmake) build_with_cmake ;;
pkg-config) build_with_pkg_config ;;
esac
"$handler_tester" build/handler_template.so
"$filter_tester" build/filter_template.so
if [ $# -gt 6 ]; then
	TCMU_RUNNER=$7 TCMU_RUNNER_HANDLERS=$work/template/build
	serve
fi
