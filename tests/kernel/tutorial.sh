#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# tutorial.sh BUILD: docs/tutorial.md, run in a guest as it stands, with the daemon and the handlers of the folder BUILD.
set -eu
here=$(dirname "$(realpath "$0")")
# shellcheck source=packages.sh
. "$here/packages.sh"

layers=
for package in dbus-daemon dbus-bin dbus-system-bus-common targetcli-fb python3-rtslib-fb python3-configshell-fb \
	python3-gi python3-pyparsing python3-pyudev python3-six python3-urwid gir1.2-glib-2.0 \
	libgirepository-1.0-1 open-iscsi libopeniscsiusr libisns0 lsscsi; do
	folder=$(unpack "$package") || exit 77
	layers="$layers -l $folder"
done
# shellcheck disable=SC2086 # options and folders, to be split
exec "$here/guest.sh" -m 1024 -t 400 $layers "$here/tutorial_guest.sh" "$1"
