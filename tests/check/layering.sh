#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# layering.sh ROOT: includes go downward only (docs/architecture.md). The build gives each library the include
# roots of what it links; this finds what the build cannot: relative paths, and system headers a layer must not use.
set -eu
cd "$1"
offences=$(mktemp)
trap 'rm -f "$offences"' EXIT

# Notes the lines of stdin as offences. At the end of a pipe, hence in a subshell: the file carries them out.
forbid() {
	lines=$(cat)
	[ -z "$lines" ] || printf '%s:\n%s\n' "$1" "$lines" >>"$offences"
}

includes() { # FOLDER: file:line:include for each quoted include in it
	[ ! -d "$1" ] || grep -rnoE --include='*.[ch]' '^[[:space:]]*#[[:space:]]*include[[:space:]]*"[^"]+"' "$1" || true
}

layer() { # NAME MAY-INCLUDE…
	allowed=$(echo "$@" | tr ' ' '|')
	includes "runner/$1" | grep -vE "\"($allowed)/[^/\"]+\"" | forbid "runner/$1 may include only $*"
}

layer util
layer loop util
layer backstore loop util
layer scsi backstore loop util
layer storage scsi backstore loop util
layer ring storage scsi backstore loop util
layer kernel ring storage scsi backstore loop util
layer model storage scsi backstore loop util
layer iscsi_login model util
layer iscsi iscsi_login model storage scsi backstore loop util
layer config model storage scsi backstore loop util
layer system loop util
layer control system config iscsi model kernel storage scsi backstore loop util
includes dbus | grep -vE '"(dbus|control|config|system|backstore|util)/[^/"]+"' | forbid "dbus may include only control's headers"

# Handlers see the installed API, their own folder, and what handlers share.
for folder in handler_file handler_alloc handlers/*; do
	includes "$folder" | grep -E '"(\.\.|/|.*/\.\./)|"[^"]*/' | grep -vE '"common/[^/"]+"' |
		forbid "$folder may include <tcmur/*.h>, system headers, common/ and its own"
done
includes . | grep -E '"(\.\./|/|[^"]*/\.\./)' | forbid "includes by a path that climbs"

system() { # FOLDER REGEX WHY
	[ ! -d "$1" ] || grep -rnE --include='*.[ch]' "#[[:space:]]*include[[:space:]]*<($2)>" "$1" | forbid "$1: $3"
}

system runner/scsi 'sys/mman\.h|dlfcn\.h|glib.*|gio/.*|sys/socket\.h|netinet/.*|fcntl\.h|liburing\.h' \
	"the device server is pure"
for folder in handler_file handler_alloc handlers runner/util runner/backstore runner/storage runner/ring \
	runner/kernel runner/model runner/iscsi_login runner/iscsi runner/config runner/system runner/control; do
	system "$folder" 'liburing.*' "io_uring is used in runner/loop only"
done
for folder in runner/util runner/loop runner/backstore runner/scsi runner/ring runner/kernel runner/model runner/iscsi_login \
	runner/iscsi; do
	system "$folder" 'glib.*|gio/.*' "glib is for control"
done
[ ! -s "$offences" ] || {
	cat "$offences" >&2
	exit 1
}
