#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The kernel's LIO and target_core_user with this daemon, over tcm_loop, in a guest (guest.sh).
# TCMU_RUNNER, TCMU_RUNNER_HANDLERS: the daemon, built without sanitizers, which do not start in that guest.
set -eu
here=$(dirname "$(realpath "$0")")
exec "$here/guest.sh" -m 1536 -t "${TCMU_BASIC_LIMIT:-400}" "$here/tcmu_basic_guest.sh" \
	"${TCMU_RUNNER:?}" "${TCMU_RUNNER_HANDLERS:?}" "$@"
