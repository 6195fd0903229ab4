# SPDX-License-Identifier: Apache-2.0
# Sourced by run.sh and test.sh. Installs Debian packages that are missing, and nothing else.
# shellcheck shell=sh

# shellcheck disable=SC2034 # used by those who source this
BUILD_PACKAGES="gcc libc6-dev cmake ninja-build pkg-config liburing-dev libglib2.0-dev libnl-3-dev libnl-genl-3-dev libkmod-dev libssl-dev libisal-dev libsystemd-dev"
# What docs/tutorial.md uses: targetcli, the kernel's initiator, modprobe, dbus-send.
# shellcheck disable=SC2034
KERNEL_PACKAGES="targetcli-fb open-iscsi lsscsi kmod dbus"

# install_packages PACKAGE...: says what is missing, installs it, with sudo where the caller is not root.
install_packages() {
	missing=
	for package in "$@"; do
		dpkg-query -W -f '${db:Status-Abbrev}' "$package" 2>/dev/null | grep -q '^ii' ||
			missing="$missing $package"
	done
	[ -n "$missing" ] || return 0
	echo "Installing:$missing" >&2
	as_root=
	if [ "$(id -u)" -ne 0 ]; then
		as_root=sudo
		command -v sudo >/dev/null || {
			echo "No root and no sudo: install these packages first:$missing" >&2
			return 1
		}
	fi
	# Package names have no blanks: split them on purpose.
	# shellcheck disable=SC2086
	$as_root apt-get update -qq &&
		$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >&2
}
