#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# import.sh TCMUCTL FIXTURE [--accept]: imports the configuration in the folder FIXTURE, and compares the result
# with expected.json and the remarks with expected.txt. Without expected.json, the import must be refused. --accept
# writes both. The name of the folder begins with the program that it is from. In its files, @DIR@ stands for a folder
# with the disks that the file "disks" lists.
set -eu -o pipefail
tcmuctl=$1 fixture=$(realpath "$2") accept=${3-}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() {
	echo "FAIL: $*" >&2
	exit 1
}

mkdir "$work/in"
(cd "$fixture" && find . -type f ! -name 'expected.*' ! -name disks) | while read -r file; do
	mkdir -p "$(dirname "$work/in/$file")"
	sed "s|@DIR@|$work/in|g" "$fixture/$file" >"$work/in/$file"
done
if [ -f "$fixture/disks" ]; then
	while read -r name size; do
		truncate -s "$size" "$work/in/$name"
	done <"$fixture/disks"
fi

case ${fixture##*/} in
scst-*)
	arguments=(import-scst)
	for name in scst.conf iscsi-scstd.conf initiators.allow initiators.deny; do
		[ ! -f "$work/in/$name" ] || arguments+=("--${name/./-}" "$work/in/$name")
	done
	;;
tgt-*) arguments=(import-tgt --conf "$work/in/targets.conf") ;;
*) fail "the name of $fixture does not begin with a program" ;;
esac

# Replaces everything that differs between machines and runs. A machine without /etc/machine-id has more remarks, which
# are left out and not counted.
normal() {
	local uuid='[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}'
	sed -E "s|$work/in|@DIR@|g; s/$uuid/@UUID@/g" "$1" |
		awk '/the serial number of .* is random/ { random++; next }
			match($0, /remarks: [0-9]+$/) { $0 = substr($0, 1, RSTART + 8) (substr($0, RSTART + 9) - random) }
			{ print }'
}

status=0
umask 022
"$tcmuctl" "${arguments[@]}" -o "$work/out.json" 2>"$work/remarks" >"$work/stdout" || status=$?
[ ! -s "$work/stdout" ] || fail "something is printed on standard output: $(cat "$work/stdout")"
normal "$work/remarks" >"$work/remarks.normal"
# All secrets of the fixtures contain this word.
! grep -i 'secret[0-9]' "$work/remarks" || fail "a secret is printed"
[ "$accept" != --accept ] || cp "$work/remarks.normal" "$fixture/expected.txt"
diff -u "$fixture/expected.txt" "$work/remarks.normal" || fail "the remarks differ from expected.txt"
if [ "$accept" = --accept ] && [ $status -eq 0 ]; then
	normal "$work/out.json" >"$fixture/expected.json"
fi
if [ ! -f "$fixture/expected.json" ]; then
	[ $status -eq 1 ] || fail "the import ends with status $status, and not with 1"
	[ ! -e "$work/out.json" ] || fail "an import that was refused writes a file"
	exit 0
fi
[ $status -eq 0 ] || fail "the import ends with status $status: $(cat "$work/remarks")"
[ "$(stat -c %a "$work/out.json")" = 600 ] || fail "the mode of the file is $(stat -c %a "$work/out.json")"
normal "$work/out.json" >"$work/out.normal"
diff -u "$fixture/expected.json" "$work/out.normal" || fail "the result differs from expected.json"
[ -z "$(find "$work" -name 'out.json.*')" ] || fail "a temporary file is left"

# Serial numbers differ from each other, and a second import gives the same ones.
[ -z "$(grep '"wwn" : "[0-9a-f]*-' "$work/out.json" | sort | uniq -d)" ] || fail "two disks have one serial number"
if ! grep -q 'is random' "$work/remarks"; then
	"$tcmuctl" "${arguments[@]}" >"$work/again.json" 2>/dev/null
	cmp "$work/out.json" "$work/again.json" || fail "a second import gives another result"
fi

# What root writes belongs to the owner of the folder, for example the user of the service, who reads it.
if [ "$(id -u)" -eq 0 ]; then
	mkdir "$work/other"
	chown 12345:12345 "$work/other"
	"$tcmuctl" "${arguments[@]}" -o "$work/other/out.json" 2>/dev/null
	[ "$(stat -c %u:%g:%a "$work/other/out.json")" = 12345:12345:600 ] || fail "a new file does not belong to the owner of its folder"
	chown 12346 "$work/other/out.json"
	"$tcmuctl" "${arguments[@]}" -o "$work/other/out.json" 2>/dev/null
	[ "$(stat -c %u:%g:%a "$work/other/out.json")" = 12346:12345:600 ] || fail "a file that is replaced gets another owner"
fi
