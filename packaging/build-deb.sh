#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# build-deb.sh [OUT [DPKG-BUILDPACKAGE-ARGUMENT...]]
#
# Builds the Debian source and binary packages into OUT (default: build/deb). dpkg-buildpackage needs the folder
# debian/ at the top of the tree. This script copies the tree and puts packaging/debian there, so that the checkout
# itself stays clean. The default arguments are -us -uc (no signatures).
set -eu
top=$(realpath "$(dirname "$0")/..")
out=$(realpath -m "${1:-$top/build/deb}")
[ $# -eq 0 ] || shift
[ $# -gt 0 ] || set -- -us -uc
command -v dpkg-buildpackage >/dev/null || {
	echo "build-deb.sh: dpkg-buildpackage is missing; on Debian, install dpkg-dev and debhelper" >&2
	exit 1
}
version=$(sed -n '1s/.*(\(.*\)).*/\1/p' "$top/packaging/debian/changelog")
tree=$out/tcmu-runner-$version
rm -rf "$tree"
mkdir -p "$tree"
# Everything except what a build or git makes.
(cd "$top" && tar -c --exclude=./build --exclude=./.git --exclude=__pycache__ .) | tar -x -C "$tree"
cp -r "$top/packaging/debian" "$tree/debian"
cd "$tree"
dpkg-buildpackage "$@"
echo "Packages in $out:"
find "$out" -maxdepth 1 -type f
