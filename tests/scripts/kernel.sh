#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Called as mkdir, rmdir, ln or tee: does it as configfs would, so that a folder can play the kernel's target tree. From
# the FAIL_AT-th call on that makes or writes something, all fail; the SIGNAL_AT-th sends its process group a SIGINT
# when it is done. CALLS counts them.
set -eu
command=${0##*/}
real() { PATH=${PATH#*:} "$@"; }
calls=0

if [ "$command" != rmdir ]; then
	# Another command may just be writing the file, which is empty then.
	read -r calls <"${CALLS:?}" || true
	calls=$((calls + 1))
	echo $calls >"$CALLS"
	[ $calls -lt "${FAIL_AT:-99}" ] || {
		[ "$command" != tee ] || real cat >/dev/null
		echo "$command: call $calls fails" >&2
		exit 1
	}
fi

# What the kernel puts into a new folder, and takes away with it.
folders='' files=''
for argument in "$@"; do
	folder=$argument
done
case $folder in
*/core/*/*) folders=wwn files='control enable info udev_path wwn/vpd_unit_serial' ;;
*/acls/*/lun_*) files=write_protect ;;
*/acls/*) folders=auth files='info auth/userid auth/password' ;;
*/tpgt_1) folders='acls attrib lun np' files='enable attrib/authentication' ;;
esac

case $command in
mkdir)
	set -- "$folder"
	for name in $folders; do
		set -- "$@" "$folder/$name"
	done
	real mkdir "$@"
	for name in $files; do
		: >"$folder/$name"
	done
	;;
rmdir)
	for folder in "$@"; do
		held=$(cd "$folder" && find . \( -type l -o -path './lun_*' -o -path './acls/*' -o -path './np/*' \
			-o -path './lun/*' \) -print -quit) || true
		[ -z "$held" ] || {
			echo "rmdir: $folder: Device or resource busy" >&2
			exit 1
		}
		real find "$folder" -type f -delete
		set --
		for name in acls attrib auth lun np wwn; do
			[ ! -d "$folder/$name" ] || set -- "$@" "$folder/$name"
		done
		real rmdir "$@" "$folder"
	done
	;;
tee) # an attribute is there before it is written
	[ -f "$1" ] || {
		echo "tee: $1: No such file or directory" >&2
		exit 1
	}
	real tee "$1"
	;;
*) real "$command" "$@" ;;
esac
[ $calls -ne "${SIGNAL_AT:-99}" ] || kill -s INT 0
