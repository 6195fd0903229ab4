#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Installs what the tests need, builds with sanitizers, runs the tests, and prints the totals as the last line.
#   ./test.sh           ASan+UBSan: all; TSan: what has threads
#   ./test.sh --full    also the long ones, and the release build against the real Linux initiator in a guest
set -eu
cd "$(dirname "$0")"
. scripts/packages.sh
TEST_PACKAGES="libcmocka-dev libiscsi-dev libiscsi-bin qemu-utils qemu-block-extra python3 e2fsprogs shellcheck
	man-db dbus libglib2.0-bin systemd dpkg-dev lintian"
FULL_PACKAGES="fio sg3-utils" # the guest finds them on this machine

full=
case ${1-} in
'') ;;
--full) full=yes ;;
*)
	sed -n '3,5s/^# *//p' "$0"
	[ "$1" = -h ] || [ "$1" = --help ]
	exit
	;;
esac

totals='' failed=''

# run PRESET CTEST-ARGS...: builds the preset, runs its tests, and adds a line to the totals.
run() {
	preset=$1
	shift
	echo "== $preset"
	cmake --preset "$preset" >/dev/null
	cmake --build --preset "$preset"
	log=build/$preset/test.log
	(cd "build/$preset" && ctest --output-on-failure --no-tests=error -j 2 "$@") | tee "$log"
	count=$(sed -n 's/^.* tests passed, \([0-9]*\) tests failed out of \([0-9]*\)$/\1 \2/p' "$log")
	bad=${count% *} all=${count#* }
	skipped=$(grep -c '(Skipped)$' "$log" || true)
	[ -n "$count" ] && [ "$bad" = 0 ] || failed=yes
	totals="$totals$preset: $((all - bad - skipped)) passed, $bad failed, $skipped skipped; "
}

# shellcheck disable=SC2086 # lists of packages, to be split
install_packages $BUILD_PACKAGES $TEST_PACKAGES ${full:+$FULL_PACKAGES}
long='-LE full'
[ -z "$full" ] || long=
# shellcheck disable=SC2086 # an option and its value
run asan $long
# The command line and the checks of the source have no threads of their own.
# shellcheck disable=SC2086
run tsan $long -R '^(unit|iscsi|dbus)/' -E '^iscsi/(cli|identity)$'
[ -z "$full" ] || run release -L full
echo "${totals}total $([ -z "$failed" ] && echo passed || echo FAILED)"
[ -z "$failed" ]
