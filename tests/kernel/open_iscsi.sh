#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The real Linux initiator (open-iscsi) against the daemon's own portal, both in a guest (guest.sh).
# TCMU_RUNNER, TCMU_RUNNER_HANDLERS: the daemon, built without sanitizers, which do not start in that guest.
set -eu
here=$(dirname "$(realpath "$0")")
# shellcheck source=packages.sh
. "$here/packages.sh"

layers=
for package in open-iscsi libopeniscsiusr libisns0; do
	folder=$(unpack "$package") || exit 77
	layers="$layers -l $folder"
done
# shellcheck disable=SC2086 # options and folders, to be split
exec "$here/guest.sh" -m 1536 -t 240 $layers "$here/open_iscsi_guest.sh" \
	"${TCMU_RUNNER:?}" "${TCMU_RUNNER_HANDLERS:?}"
