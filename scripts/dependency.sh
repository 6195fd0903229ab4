#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# dependency.sh
#
# Installs the packages that are needed to build tcmu-runner, and those that docs/tutorial.md uses: targetcli, the
# initiator and lsscsi.
set -eu
here=$(dirname "$(realpath "$0")")
. "$here/lio.sh"
begin 0 0 "$@"
. "$here/packages.sh"
# shellcheck disable=SC2086 # package names have no blanks
install_packages $BUILD_PACKAGES $KERNEL_PACKAGES
