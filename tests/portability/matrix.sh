#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# matrix.sh [ROW...]: builds the tree on other systems, with other compilers and for other architectures, runs the
# unit tests there, and prints a table. Without a ROW it runs all of rows.txt.
# PORTABILITY_CACHE (build/portability) keeps the chroots: about 5 GB.
set -eu -o pipefail
here=$(dirname "$(realpath "$0")")
SOURCE=$(realpath "$here/../..")
CHROOTS=$(realpath -m "${PORTABILITY_CACHE:-$SOURCE/build/portability}")
. "$here/chroot.sh"
. "$SOURCE/scripts/packages.sh"
reason=$(chroot_possible) || { echo "SKIP: $reason"; exit 77; }

LIBRARIES="liburing-dev libglib2.0-dev libjson-glib-dev libfuse3-dev libnl-3-dev libnl-genl-3-dev libkmod-dev libssl-dev libsystemd-dev libcmocka-dev"
TOOLS="gcc libc6-dev cmake ninja-build pkg-config ccache clang lld llvm file python3 dpkg-dev"
FOREIGN="i386 armhf arm64 s390x"

# packages_for SUITE: prints the packages that the chroot of the suite needs.
packages_for() {
	local arch library
	case $1 in
	bare)
		# This is the smallest set that can build the tree: no optional library, no ninja and no cmocka.
		echo gcc libc6-dev make cmake pkg-config liburing-dev libglib2.0-dev libjson-glib-dev libssl-dev
		;;
	bookworm)
		echo "$TOOLS $LIBRARIES libisal-dev musl-tools qemu-user-static gcc-i686-linux-gnu gcc-arm-linux-gnueabihf" \
			gcc-aarch64-linux-gnu gcc-s390x-linux-gnu
		for arch in $FOREIGN; do
			for library in $LIBRARIES; do
				echo "$library:$arch"
			done
		done
		;;
	trixie) echo "$TOOLS $LIBRARIES libisal-dev gcc-12 gcc-13" ;;
	sid) echo "$TOOLS $LIBRARIES libisal-dev gcc-14 gcc-15 gcc-16" ;;
	esac
}

# prepare SUITE: makes its chroot and installs its packages.
prepare() {
	local name=$1 suite=$1 arch
	[ "$suite" != bare ] || suite=bookworm
	chroot_make "$name" "$suite" || return
	if [ "$name" = bookworm ]; then
		for arch in $FOREIGN; do
			chroot_run "$name" dpkg --add-architecture "$arch"
		done
	fi
	# shellcheck disable=SC2046 # one word for each package
	chroot_install "$name" $(packages_for "$name") || return
}

declare -A ready
rows=0 bad=0
table=$(mktemp)
trap 'rm -f "$table"' EXIT
printf 'row|system|architecture|compiler|build|unit tests\n' >"$table"
while read -r name suite arch compiler type arguments; do
	case $name in '#'* | '') continue ;; esac
	[ $# -eq 0 ] || [[ " $* " == *" $name "* ]] || continue
	rows=$((rows + 1))
	system="Debian $suite${type:+, $type}"
	if [ -z "${ready[$suite]-}" ]; then
		if prepare "$suite" >&2; then ready[$suite]=yes; else ready[$suite]=no; fi
	fi
	if [ "${ready[$suite]}" = no ]; then
		printf '%s|%s|%s|%s|the chroot cannot be made|-\n' "$name" "$system" "$arch" "$compiler" >>"$table"
		bad=$((bad + 1))
		continue
	fi
	echo "== $name" >&2
	# shellcheck disable=SC2086 # arguments
	cells=$(chroot_run "$suite" /src/tests/portability/build_row.sh "$name" "$arch" "$compiler" "$type" $arguments </dev/null) ||
		bad=$((bad + 1))
	printf '%s|%s|%s|%s\n' "$name" "${system%, -}" "$arch" "${cells:-?|failed|-}" >>"$table"
done <"$here/rows.txt"
[ $rows -gt 0 ] || { echo "matrix.sh: rows.txt has no such row: $*" >&2; exit 2; }
column -t -s '|' "$table" 2>/dev/null || cat "$table"
[ $bad -eq 0 ]
