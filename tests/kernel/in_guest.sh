#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# in_guest.sh SCRIPT [ARGS...]: runs "SCRIPT TCMU_RUNNER TCMU_RUNNER_HANDLERS ARGS..." in a guest (guest.sh), with the
# options in SCRIPT's line "# guest:".
set -eu
script=$(realpath -e "$1")
shift
# shellcheck disable=SC2046 # options and their values, to be split
exec "$(dirname "$(realpath "$0")")/guest.sh" $(sed -n 's/^# guest: //p' "$script") "$script" \
	"${TCMU_RUNNER:?}" "${TCMU_RUNNER_HANDLERS:?}" "$@"
