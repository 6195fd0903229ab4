# SPDX-License-Identifier: Apache-2.0
# run.sh and test.sh source this file. It installs those Debian packages that are missing, and nothing else.
# shellcheck shell=sh

# shellcheck disable=SC2034 # the scripts that source this file use the lists
BUILD_PACKAGES="gcc libc6-dev cmake ninja-build pkg-config liburing-dev libglib2.0-dev libjson-glib-dev
	libfuse3-dev libnl-3-dev libnl-genl-3-dev libkmod-dev libssl-dev libsystemd-dev"
# Some architectures of Debian lack this package. tcmu-runner can be built without it.
# shellcheck disable=SC2034
OPTIONAL_PACKAGES="libisal-dev"
# docs/tutorial.md uses these: targetcli, the kernel's initiator, modprobe and dbus-send.
# shellcheck disable=SC2034
KERNEL_PACKAGES="targetcli-fb open-iscsi lsscsi kmod dbus"

# missing_packages PACKAGE...: prints those of the packages that are not installed.
missing_packages() {
	for package in "$@"; do
		dpkg-query -W -f '${db:Status-Abbrev}' "$package" 2>/dev/null | grep -q '^ii' || printf ' %s' "$package"
	done
}

# check_build_tools: for systems without Debian's packages. Names the tools and libraries that the build needs and
# that are missing, and returns 1 if there are any.
check_build_tools() {
	missing=
	for tool in cc cmake ninja pkg-config gdbus-codegen; do
		command -v "$tool" >/dev/null || missing="$missing $tool"
	done
	for library in 'liburing >= 2.3' gio-unix-2.0 json-glib-1.0 'libcrypto >= 3'; do
		pkg-config --exists "$library" 2>/dev/null || missing="$missing, the development files of $library"
	done
	[ -n "$missing" ] || return 0
	echo "This system has no apt-get. Install with its own package manager:${missing#,}" >&2
	echo "(and, for the kernel front end, the development files of libnl-genl-3.0 and libkmod)" >&2
	return 1
}

# as_root COMMAND...: runs a command as root, with sudo if necessary.
as_root() {
	if [ "$(id -u)" -eq 0 ]; then
		"$@"
	else
		sudo "$@"
	fi
}

# install_packages PACKAGE...: prints which packages are missing and installs them. It also installs those packages of
# OPTIONAL_PACKAGES that the system offers.
install_packages() {
	command -v apt-get >/dev/null || {
		check_build_tools
		return
	}
	# shellcheck disable=SC2086 # a list
	missing=$(missing_packages "$@") optional=$(missing_packages $OPTIONAL_PACKAGES)
	[ -n "$missing" ] || return 0
	echo "Installing:$missing" >&2
	[ "$(id -u)" -eq 0 ] || command -v sudo >/dev/null || {
		echo "There is no sudo. As root, install these packages first:$missing" >&2
		return 1
	}
	as_root apt-get update -qq || return
	for package in $optional; do
		[ -z "$(apt-cache madison "$package" 2>/dev/null)" ] || missing="$missing $package"
	done
	# Package names contain no blanks, so the shell may split the list into words.
	# shellcheck disable=SC2086
	as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >&2
}
