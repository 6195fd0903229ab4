#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What the scripts do in a guest, beyond docs/tutorial.md.
# TCMU_RUNNER, TCMU_RUNNER_HANDLERS: the daemon, built without sanitizers, which do not start in that guest.
set -eu
here=$(dirname "$(realpath "$0")")
# shellcheck source=packages.sh
. "$here/packages.sh"

layers=
for package in dbus-daemon dbus-bin dbus-system-bus-common open-iscsi libopeniscsiusr libisns0 lvm2 dmsetup \
	libdevmapper-event1.02.1 libdevmapper1.02.1 libaio1 libbsd0 libedit2 libmd0; do
	folder=$(unpack "$package") || exit 77
	layers="$layers -l $folder"
done
# shellcheck disable=SC2086 # options and folders, to be split
exec "$here/guest.sh" -m 1024 -t 400 $layers "$here/scripts_guest.sh" \
	"${TCMU_RUNNER:?}" "${TCMU_RUNNER_HANDLERS:?}"
