#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# in_guest.sh SCRIPT [ARGS...]: runs it in a guest (guest.sh, with the options that SCRIPT's "# guest:" line asks for)
# as SCRIPT TCMU_RUNNER TCMU_RUNNER_HANDLERS ARGS...: the daemon.
set -eu
script=$(realpath -e "$1")
shift
# shellcheck disable=SC2046 # options and their values, to be split
exec "$(dirname "$(realpath "$0")")/guest.sh" $(sed -n 's/^# guest: //p' "$script") "$script" \
	"${TCMU_RUNNER:?}" "${TCMU_RUNNER_HANDLERS:?}" "$@"
