#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# layering.sh ROOT: a file may include only headers of its own layer and of lower layers (docs/architecture.md). The
# build gives each library only the include folders of the libraries that it links. This rule finds the violations that
# the build cannot find: relative paths, and system headers that a layer must not use.
# shellcheck source=lib.sh
. "$(dirname "$(realpath "$0")")/lib.sh"
c_files | xargs -0r grep -HnE '^[[:space:]]*#[[:space:]]*include[[:space:]]*["<]' | awk '
function layer(name, lower) { layers[name] = "^(" name "|" lower ")/[^/]+$"; allowed[name] = name "|" lower }
function report(why) { print place ": " quote include ": " why }
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
	system_headers = "^(sys/mman\\.h|dlfcn\\.h|glib.*|gio/.*|sys/socket\\.h|netinet/.*|fcntl\\.h|liburing\\.h)$"
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
quote == "\"" && include ~ /^\.\.\/|^\/|\/\.\.\// { report("an include must not contain .. or begin with /") }
quote == "\"" && is_ours && folder in layers && include !~ layers[folder] { report("this folder may include only " allowed[folder]) }
quote == "\"" && is_handler && include ~ /\// && include !~ /^common\/[^\/]+$/ {
	report("a handler may include <tcmur/*.h>, system headers, common/ and its own folder")
}
quote == "<" && include ~ /^liburing/ && (is_handler || is_ours && folder != "loop") {
	report("only runner/loop uses io_uring")
}
quote == "<" && is_ours && folder == "scsi" && include ~ system_headers {
	report("the device server must not use sockets, files, mappings, plug-ins, glib or io_uring")
}
quote == "<" && is_ours && folder ~ without_glib && include ~ /^(glib.*|gio\/.*)$/ { report("this folder must not use glib") }
' | report_violations "includes that do not go downward"
