#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Installs what the tests need, builds with sanitizers, runs the tests, and prints the totals as the last line.
#   ./test.sh           with ASan and UBSan all tests, with TSan the tests with threads, and with a release build the
#                       tests with the real kernel in a guest and the tests of what a command costs
#   ./test.sh --full    also the long tests, the commands of the documents, and tests with other, emulated kernels
set -eu
cd "$(dirname "$0")"
. scripts/packages.sh
. tests/kernel/packages.sh
# None of these packages starts a service. Packages that would start one are unpacked below the build tree
# (tests/kernel/packages.sh).
TEST_PACKAGES="libcmocka-dev libiscsi-dev libiscsi-bin qemu-utils qemu-block-extra python3 e2fsprogs shellcheck
	dbus-daemon libglib2.0-bin dpkg-dev file fio fuse3 iproute2 mandoc sg3-utils zsh"
# Some of the long tests make Debian systems in chroots or build an RPM package.
FULL_PACKAGES="debootstrap rpm"

full=
case ${1-} in
'') ;;
--full) full=yes ;;
*)
	sed -n '3,6s/^# \{0,1\}//p' "$0"
	[ "$1" = -h ] || [ "$1" = --help ]
	exit
	;;
esac

passed=0 failed=0 skipped=0

background=
trap '[ -z "$background" ] || kill "$background" 2>/dev/null || true' EXIT

# build PRESET TARGET: builds the target. First waits for the build that build_in_background has started; if that build
# has failed, this build repeats the failed step and prints its messages.
build() {
	[ -z "$background" ] || wait "$background" || true
	background=
	echo "== $1"
	cmake --preset "$1" >/dev/null
	cmake --build --preset "$1" --target "$2"
}

# build_in_background PRESET TARGET: starts a build with low priority, while the tests of another preset run and wait.
build_in_background() {
	# shellcheck disable=SC2016 # the inner shell expands its own arguments
	nice -n 19 sh -c 'cmake --preset "$1" && exec ninja -C "build/$1" "$2"' sh "$@" >/dev/null 2>&1 &
	background=$!
}

# check PRESET JOBS CTEST-ARGS...: runs the tests of the preset, JOBS at a time, and adds to the totals.
check() {
	preset=$1 jobs=$2
	shift 2
	log=build/$preset/test.log
	(cd "build/$preset" && ctest --output-on-failure --no-tests=error -j "$jobs" "$@") | tee "$log"
	count=$(sed -n 's/^.* tests passed, \([0-9]*\) tests failed out of \([0-9]*\)$/\1 \2/p' "$log")
	[ -n "$count" ] || count='1 1' # ctest itself has failed
	bad=${count% *} all=${count#* } out=$(grep -c '(Skipped)$' "$log" || true)
	passed=$((passed + all - bad - out)) failed=$((failed + bad)) skipped=$((skipped + out))
}

# shellcheck disable=SC2086 # lists of packages, to be split
install_packages $BUILD_PACKAGES $TEST_PACKAGES ${full:+$FULL_PACKAGES}
if ! command -v busctl >/dev/null; then
	libraries='' GUEST_CACHE=$PWD/build/guest
	for package in $(packages_of systemd); do
		folder=$(unpack "$package") || break
		PATH=$PATH:$folder/usr/bin
		library=$folder/usr/lib/$(dpkg-architecture -qDEB_HOST_MULTIARCH)
		libraries=$libraries:$library:$library/systemd
	done
	LD_LIBRARY_PATH=${libraries#:}
	export LD_LIBRARY_PATH
fi
# ctest's -LE: the labels of the tests that are left out.
long='-LE full' without_threads='-LE full|one_thread'
[ -z "$full" ] || long='' without_threads='-LE one_thread'
build asan all
build_in_background tsan threaded
# Most tests of these two presets spend their time waiting, so more tests than CPUs run at a time.
# shellcheck disable=SC2086 # an option and its value
check asan 10 $long
build tsan threaded
build_in_background release end_to_end
# Tests of the command line and checks of the source start no threads, and targetcli is not built with TSan.
# shellcheck disable=SC2086
check tsan 12 $without_threads -R '^(unit|iscsi|dbus|control|tree|kernel-newer)/' -E '^(iscsi/(cli|identity)|tree/targetcli_.*)$'
build release end_to_end
# The guests share the CPUs of this machine with other programs. A test that fails is run a second time, because a
# defect fails again and a busy machine usually does not. A guest has one CPU and often waits, so more tests than CPUs run
# at a time.
# shellcheck disable=SC2086
check release 6 --repeat until-pass:2 $long -R '^(kernel|kernel-stock|kernel-newer|package|portability|budget|docs)/'
echo "total: $passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
