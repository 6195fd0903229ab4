#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# build_row.sh NAME ARCH COMPILER TYPE [dpkg-buildflags] [without=LIBRARY,...] [CMAKE-ARGUMENT...]: run by matrix.sh in
# a chroot. Builds /src with warnings as errors, runs the unit tests, and prints the row's cells: compiler, result of
# the build, result of the tests. With "dpkg-buildflags" it compiles with all hardening flags of Debian. With "without"
# it hides the libraries whose pkg-config files begin with these names.
set -eu
name=$1 arch=$2 compiler=$3 type=$4
shift 4
work=/build/$name
rm -rf "$work"
mkdir -p "$work"
log=$work/log jobs=$(nproc)

cells() { # COMPILER BUILD TESTS
	printf '%s|%s|%s\n' "$@"
	case $2$3 in *failed*)
		echo "--- $name: the end of the log:" >&2
		grep -E 'error:|warning:|Error|\*\*\*Failed|undefined reference' "$log" | head -n 20 >&2
		tail -n 30 "$log" >&2
		exit 1
		;;
	esac
}

set_cross() { # TRIPLET EMULATOR PROCESSOR
	compiler=$1-gcc
	multiarch=${4-$1}
	PKG_CONFIG_LIBDIR=/usr/lib/$multiarch/pkgconfig:/usr/share/pkgconfig
	export PKG_CONFIG_LIBDIR
	cross="-DCMAKE_SYSTEM_NAME=Linux -DCMAKE_SYSTEM_PROCESSOR=$3"
	[ -z "$2" ] || cross="$cross -DCMAKE_CROSSCOMPILING_EMULATOR=$2 -DTCMUR_UNIT_TEST_TIMEOUT=1200"
}
# hide_libraries LIBRARY,...: pkg-config finds all libraries but these.
hide_libraries() {
	shown=$work/pkgconfig
	mkdir -p "$shown"
	for folder in $(pkg-config --variable pc_path pkg-config | tr : ' '); do
		[ ! -d "$folder" ] || ln -sf "$folder"/*.pc "$shown"
	done
	for library in $(echo "$1" | tr , ' '); do
		set -- "$shown/$library"*.pc
		[ -L "$1" ] || { echo "$name: no library is called $library" >&2 && exit 1; }
		rm "$@"
	done
	PKG_CONFIG_LIBDIR=$shown
	export PKG_CONFIG_LIBDIR
}

cross=
case $arch in
"$(dpkg --print-architecture)") ;;
i386)
	# Some kernels of 64-bit machines run 32-bit programs themselves.
	emulator=
	/lib/ld-linux.so.2 --version >/dev/null 2>&1 || emulator=qemu-i386-static
	set_cross i686-linux-gnu "$emulator" i686 i386-linux-gnu
	;;
armhf) set_cross arm-linux-gnueabihf qemu-arm-static armv7l ;;
arm64) set_cross aarch64-linux-gnu qemu-aarch64-static aarch64 ;;
s390x) set_cross s390x-linux-gnu qemu-s390x-static s390x ;;
*)
	echo "no cross compiler is known for $arch" >&2
	exit 2
	;;
esac
command -v "$compiler" >/dev/null || {
	cells "no $compiler" - -
	exit 0
}
version=$("$compiler" -dumpfullversion 2>/dev/null || true)
[ -n "$version" ] || version=$("$compiler" -dumpversion)
version="${compiler##*/} $version"

if [ "$compiler" = musl-gcc ]; then
	/src/tests/portability/musl.sh "$work" >"$log" 2>&1 || { cells "$version" failed -; }
	cells "$version" "$(tail -n 1 "$log")" -
	exit 0
fi

[ "$type" != - ] || type=
if [ "${1-}" = dpkg-buildflags ]; then
	shift
	eval "$(DEB_BUILD_MAINT_OPTIONS=hardening=+all dpkg-buildflags --export=sh)"
fi
case ${1-} in without=*)
	hide_libraries "${1#without=}"
	shift
	;;
esac
# The build continues after an error, so that one run of this slow script finds all errors.
keep_going=-k
if command -v ninja >/dev/null; then
	set -- -G Ninja "$@"
	keep_going='-k 0'
fi
command -v ccache >/dev/null && set -- -DCMAKE_C_COMPILER_LAUNCHER=ccache "$@"
export CCACHE_DIR=/ccache
# shellcheck disable=SC2086 # arguments
cmake -S /src -B "$work/b" -DCMAKE_C_COMPILER="$compiler" -DCMAKE_BUILD_TYPE="$type" -DTCMUR_WERROR=ON \
	$cross "$@" >"$log" 2>&1 || cells "$version" 'configure failed' -
# shellcheck disable=SC2086 # an option and its value
cmake --build "$work/b" -j "$jobs" -- $keep_going >>"$log" 2>&1 || cells "$version" 'build failed' -
if grep -q 'Left out: the tests' "$log"; then
	# Only the build dependencies are there. The daemon must still start.
	"$work/b/runner/tcmu-runner" --handler-path "$work/b/handlers" --dump-handlers >>"$log" 2>&1 ||
		cells "$version" ok 'start failed'
	cells "$version" ok 'left out'
	exit 0
fi
(cd "$work/b" && ctest -R '^unit/' -j "$jobs" --output-on-failure) >>"$log" 2>&1 || true
count=$(sed -n 's/^\([0-9]*\)% tests passed, \([0-9]*\) tests failed out of \([0-9]*\)$/\2 \3/p' "$log")
[ -n "$count" ] || cells "$version" ok 'ctest failed'
bad=${count% *} all=${count#* } skipped=$(grep -c '(Skipped)$' "$log" || true)
result="$((all - bad - skipped)) passed"
[ "$skipped" = 0 ] || result="$result, $skipped skipped"
[ "$bad" = 0 ] || result="$result, $bad failed"
cells "$version" ok "$result"
rm -rf "$work"
