#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# hostile.sh SCRIPTS SHELL: runs the scripts with arguments that try to escape from their folder, with objects that
# another script has left incomplete, and several scripts at the same time.
set -eu
# shellcheck source=lib.sh
. "$(dirname "$(realpath "$0")")/lib.sh"
# The kernel counts bytes, whatever language the user has.
export LC_ALL=C.UTF-8
newline='
'
tab=$(printf '\t')
read -r odd <<'END'
it's "a" \tdisk\\\c$(false)`false`$x;*?[%s&|<>#~ \
END

kernel_folders() { # FOLDER...
	for folder in "$@"; do
		PATH="$work/bin:$PATH" mkdir "$folder"
	done
}
long() { # NUMBER: prints this many characters
	printf "%0$1d" 0
}

# --- arguments ---

for name in '' . .. .a 'a b' "a'b" 'a"b' a,b a/b a:b "a${newline}b" "$tab" '*' 'a\b' é; do
	refuses 'not a device name' user_create.sh alloc "$name" 1M
	refuses 'not a device name' file_create.sh "$work/disk" "$name" 1M
	refuses 'not a device name' block_create.sh "$work/out" "$name"
done
works '[INFO] Your backstore directory: user_0/-rf' user_create.sh alloc -rf 1M
works '[INFO] user_0/-rf deleted' user_delete.sh -rf
for size in '' 0 01 0x10 1K1 K 1k -1 ' 1' 1.5G "1${newline}" 9223372036854775808 9007199254740992K 999999999999999999T; do
	refuses 'size\|large' user_create.sh alloc a "$size"
done
works '[INFO] Your backstore directory: user_0/a' user_create.sh alloc a 512000000000000000
works '[INFO] user_0/a deleted' user_delete.sh a

for config in "a${newline}b" "${tab}a" "$(printf 'a\177')" "a${newline}"; do
	refuses 'control character' user_create.sh file a 1M "$config"
done
refuses "comma, a colon or a blank. Write 'a~2cb'" user_create.sh file a 1M a,b
refuses "Write 'a~3ab~7e20'" user_create.sh file a 1M a:b~20
refuses "Write '/srv/my~20disk.raw'" user_create.sh file a 1M '/srv/my disk.raw'
refuses '255' user_create.sh file a 1M "$(long 251)"
refuses '255' user_create.sh file a 1M "$(long 126 | sed 's/0/é/g')"
config=/srv/$(printf %s "$odd" | tr ' ' _)
works '[INFO] Your backstore directory: user_0/a' user_create.sh file a 1M "$config"
grep -qxF "dev_config=file/$config,dev_size=1048576,hw_max_sectors=2048,max_data_area_mb=128" \
	"$work/tree/core/user_0/a/control" || failed "CONFIG has changed"
serial=$(cat "$work/tree/core/user_0/a/wwn/vpd_unit_serial")
run user_delete.sh a
run user_create.sh file a 1M "x$config"
[ "$(cat "$work/tree/core/user_0/a/wwn/vpd_unit_serial")" != "$serial" ] || failed "one serial number for two disks"
for device in '' . .. / '*' user_0 user_0/ user_0/. user_0/.. user_0/a/ user_0/a/wwn user_0/../user_0/a '/user_0/a'; do
	refuses 'no.* device' user_delete.sh "$device"
	refuses 'no.* device' target_setup.sh $iqn "$device"
	refuses 'no.* device' target_teardown.sh $iqn "$device"
done
works '[INFO] user_0/a deleted' user_delete.sh user_0/a

works 'Your backstore path: fileio_0/f' file_create.sh "$work/$odd" f 1M
contains "$work/tree/core/fileio_0/f/udev_path" "$work/$odd"
[ "$(stat -c %a:%s "$work/$odd")" = 600:1048576 ] || failed "others may read the file"
run file_delete.sh f
refuses 'comma or a control character' file_create.sh "$work/a,b" f 1M
refuses '255' file_create.sh "$work/$(long 100)/$(long 100)/$(long 100)" f 1M
refuses 'cannot be created' file_create.sh "$work/none/disk" f 1M
ln -s "$odd" "$work/link"
works 'Your backstore path: fileio_0/f' file_create.sh "$work/link" f 1M
contains "$work/tree/core/fileio_0/f/udev_path" "$work/$odd"
refuses 'already served as fileio_0/f' file_create.sh "$work/link" g 1M
run file_delete.sh f

read -r secret <<'END'
it's \tas "long" \c as it takes\
END
printf '%s\nnot this\n' "$secret" >"$work/secret"
chmod 400 "$work/secret"
refuses '1 to 255' target_create.sh --chap '' "$work/secret" $iqn
refuses 'NULL' target_create.sh --chap NULL "$work/secret" $iqn
refuses '1 to 255' target_create.sh --chap "$(long 256)" "$work/secret" $iqn
works "[INFO] Target $iqn created
[INFO] Portal: [FE80::1]:65535" target_create.sh --chap "it's" "$work/secret" $iqn '[FE80::1]:65535'
contains "$tpg/acls/$initiator/auth/password" "$secret"
contains "$tpg/acls/$initiator/auth/userid" "it's"
run target_delete.sh $iqn
for line in 'NULL and some more' "$(printf 'a dozen or more\r')" "$(long 256)"; do
	echo "$line" | tee "$work/wrong" >/dev/null
	chmod 600 "$work/wrong"
	refuses 'secret' target_create.sh --chap alice "$work/wrong" $iqn
done
refuses 'port' target_create.sh $iqn 127.0.0.1:65536
for name in "$iqn " "$iqn${newline}" "iqn.2026-11.com.test:a/b" "iqn.2026-11.com.test:é" "$iqn:$(long 200)" '*'; do
	refuses 'name' target_create.sh "$name"
done
printf 'InitiatorName= %s \r\n' $initiator >"$work/initiator"
run target_create.sh $iqn
[ -d "$tpg/acls/$initiator" ] || failed "no $initiator"

# --- objects that another script has left incomplete ---

kernel_folders "$tpg/acls/$initiator/lun_0" "$work/tree/core/user_0" "$work/tree/core/user_7" "$work/tree/core/user_7/b"
refuses 'is not enabled' target_setup.sh $iqn user_7/b
works '[INFO] user_7/b deleted' user_delete.sh b
works '[INFO] Your backstore directory: user_1/a' user_create.sh alloc a 1M
undoes target_setup.sh $iqn user_1/a
[ -L "$tpg/acls/$initiator/lun_1/a" ] || failed "the initiator has another LUN 0"
kernel_folders "$tpg/lun/lun_2" "$tpg/acls/$initiator.2" "$tpg/acls/$initiator.2/lun_5"
echo "Session: iqn.2026-11.com.test:other" >"$tpg/dynamic_sessions"
refuses 'logged in' target_teardown.sh $iqn user_1/a
rm "$tpg/dynamic_sessions"
works '[INFO] LUN 1 removed: user_1/a' target_teardown.sh $iqn user_1/a
mkdir "${tpg%_1}_3"
refuses 'portal groups' target_delete.sh $iqn
rmdir "${tpg%_1}_3"
echo 0 >"$tpg/enable"
works "[INFO] Target $iqn deleted" target_delete.sh $iqn
mkdir "${tpg%/*}"
refuses 'exists' target_create.sh $iqn
refuses 'incomplete' target_setup.sh $iqn user_1/a
works "[INFO] Target $iqn deleted" target_delete.sh $iqn
refuses 'no target' target_delete.sh $iqn

# --- at the same time ---

# COMMAND...: runs it with 1, 2, ... 8 as last argument at the same time; sets $done to the number of those that
# succeed
at_once() {
	pids='' done=0
	for i in 1 2 3 4 5 6 7 8; do
		"$@" $i >"$work/out.$i" 2>"$work/err.$i" &
		pids="$pids $!"
	done
	for pid in $pids; do
		! wait "$pid" || done=$((done + 1))
	done
}
devices() { find "$work/tree/core" -mindepth 2 -maxdepth 2 -name "$1" | wc -l; }
luns() { find "$tpg/lun" -type l | wc -l; }
script() { # SCRIPT ARGUMENTS...
	name=$1
	shift
	PATH="$work/bin:$PATH" "$shell" "$scripts/$name" "$@"
}
at_most_one() { # COUNT of the objects that exist
	[ "$done" -le 1 ] && [ "$1" -eq "$done" ]
}

create_own() { script user_create.sh alloc "own$1" 1M; }
at_once create_own
[ "$done:$(devices 'own*')" = 8:8 ] || failed "$done of 8 made $(devices 'own*'): $(cat "$work"/err.*)"
create_and_delete() {
	for _ in 1 2 3 4 5; do
		script user_delete.sh "own$1" && create_own "$1" || return
	done
}
at_once create_and_delete
[ "$done:$(devices 'own*')" = 8:8 ] || failed "$done of 8 came and went: $(cat "$work"/err.*)"
create_same() { script user_create.sh alloc same 1M; }
at_once create_same
at_most_one "$(devices same)" || failed "$done of 8 made $(devices same) of one name"
create_on_same_file() { script file_create.sh "$work/same" "same$1" 1M; }
rm -rf "$work/same"
at_once create_on_same_file
at_most_one "$(devices 'same?')" || failed "$done of 8 serve one file"
run target_create.sh $iqn
show_same() { script target_setup.sh $iqn user_1/a; }
at_once show_same
at_most_one "$(luns)" || failed "$done of 8 made $(luns) LUNs of one device"
[ "$done" -eq 0 ] || run target_teardown.sh $iqn user_1/a
show_own() { script target_setup.sh $iqn "$(cd "$work/tree/core" && echo user_*/own"$1")"; }
at_once show_own
[ "$done:$(luns)" = 8:8 ] || failed "$done of 8 made $(luns) LUNs: $(cat "$work"/err.*)"
echo "all as expected"
