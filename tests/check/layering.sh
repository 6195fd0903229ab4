#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# layering.sh ROOT: includes go downward only (docs/architecture.md). The build gives each library the include
# folders of the libraries that it links. This rule finds what the build cannot find: relative paths, and system headers
# that a layer must not use.
# shellcheck source=lib.sh
. "$(dirname "$(realpath "$0")")/lib.sh"
c_files | xargs -0r grep -HnE '^[[:space:]]*#[[:space:]]*include[[:space:]]*["<]' | awk '
function layer(name, allowed) { layers[name] = "^(" name "|" allowed ")/[^/]+$"; may[name] = name "|" allowed }
function refuse(why) { print place ": " quote include ": " why }
BEGIN {
	layer("util", "util")
	layer("loop", "util")
	layer("backstore", "loop|util")
	layer("scsi", "backstore|loop|util")
	layer("storage", "scsi|backstore|loop|util")
	layer("ring", "storage|scsi|backstore|loop|util")
	layer("kernel", "ring|storage|scsi|backstore|loop|util")
	layer("model", "storage|scsi|backstore|loop|util")
	layer("iscsi_login", "model|util")
	layer("iscsi", "iscsi_login|model|storage|scsi|backstore|loop|util")
	layer("config", "model|storage|scsi|backstore|loop|util")
	layer("tree", "model|storage|scsi|backstore|loop|util")
	layer("system", "loop|util")
	layer("control_socket", "config|model|storage|scsi|backstore|loop|util")
	layer("control", "control_socket|tree|system|config|iscsi|model|kernel|storage|scsi|backstore|loop|util")
	layer("dbus", "control|config|system|storage|backstore|util")
	layer("import", "model|storage|util")
	layer("tcmuctl", "import|storage|util")
	without_glib = "^(util|loop|backstore|scsi|storage|ring|kernel|model|iscsi_login|iscsi|tree)$"
	impure = "^(sys/mman\\.h|dlfcn\\.h|glib.*|gio/.*|sys/socket\\.h|netinet/.*|fcntl\\.h|liburing\\.h)$"
}
{
	sub(/^\.\//, "")
	split($0, part, ":")
	place = part[1] ":" part[2]
	is_handler = place ~ /^(handler_file|handler_alloc|handlers)\//
	folder = place
	sub(/^tools\/tcmuctl\/import\//, "import/", folder)
	sub(/^(runner|tools)\//, "", folder)
	sub(/\/.*/, "", folder)
	is_ours = place ~ /^(runner|dbus|tools)\//
	quote = $0 ~ /include[ \t]*"/ ? "\"" : "<"
	include = $0
	sub(/^[^"<]*["<]/, "", include)
	sub(/[">].*/, "", include)
}
quote == "\"" && include ~ /^\.\.\/|^\/|\/\.\.\// { refuse("no include may climb by its path") }
quote == "\"" && is_ours && folder in layers && include !~ layers[folder] { refuse("this folder may include only " may[folder]) }
quote == "\"" && is_handler && include ~ /\// && include !~ /^common\/[^\/]+$/ {
	refuse("a handler may include <tcmur/*.h>, system headers, common/ and its own folder")
}
quote == "<" && include ~ /^liburing/ && (is_handler || is_ours && folder != "loop") {
	refuse("only runner/loop uses io_uring")
}
quote == "<" && is_ours && folder == "scsi" && include ~ impure { refuse("the device server is pure") }
quote == "<" && is_ours && folder ~ without_glib && include ~ /^(glib.*|gio\/.*)$/ { refuse("this folder does not use glib") }
' | refuse "includes that do not go downward"
