#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Replaces mkdir, rmdir, ln and tee, and does what configfs would do, so that a folder can be used as the kernel's
# target tree. From the FAIL_AT-th call on, all calls that create or write something fail. The SIGNAL_AT-th call sends
# SIGINT to its process group when it has finished. The file CALLS contains the number of calls.
set -eu
command=${0##*/}
real() { PATH=${PATH#*:} "$@"; }
calls=0

if [ "$command" != rmdir ]; then
	# Another command may be writing the file at this moment; the file is empty then.
	read -r calls <"${CALLS:?}" || true
	calls=$((calls + 1))
	echo $calls >"$CALLS"
	[ $calls -lt "${FAIL_AT:-99}" ] || {
		[ "$command" != tee ] || real cat >/dev/null
		echo "$command: call $calls fails" >&2
		exit 1
	}
fi

# These files and folders appear in a new folder of the kernel, and disappear with it.
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
tee) # in configfs, an attribute exists before it is written
	[ -f "$1" ] || {
		echo "tee: $1: No such file or directory" >&2
		exit 1
	}
	real tee "$1"
	;;
*) real "$command" "$@" ;;
esac
[ $calls -ne "${SIGNAL_AT:-99}" ] || kill -s INT 0
