#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# processes.sh SCRIPTS SHELL: the number of processes that a script starts must not grow with the number of devices, targets
# and LUNs in the tree. The test counts the processes by the last process ID of a PID namespace.
set -eu
# shellcheck source=lib.sh
. "$(dirname "$(realpath "$0")")/lib.sh"
unshare --map-root-user --fork --pid true 2>/dev/null || {
	echo "SKIP: this user may not create a PID namespace"
	exit 77
}

# fill COUNT: makes a tree with COUNT devices of each plug-in, COUNT targets, and COUNT LUNs of the target $iqn.
fill() {
	rm -rf "$work/tree"
	mkdir -p "$work/tree/core" "$work/tree/iscsi"
	acl=$tpg/acls/$initiator
	PATH="$work/bin:$PATH" mkdir "${tpg%/*}"
	PATH="$work/bin:$PATH" mkdir "$tpg"
	PATH="$work/bin:$PATH" mkdir "$acl"
	echo 1 >"$tpg/enable"
	: >"$acl/info"
	i=0
	while [ $i -lt "$1" ]; do
		for plugin in user fileio iblock; do
			folder=$work/tree/core/${plugin}_$i/disk$i
			mkdir -p "$folder/wwn"
			echo 1 >"$folder/enable"
			echo "Status: ACTIVATED Config: alloc/disk$i Size: 512 " >"$folder/info"
			echo "/srv/disk$i" >"$folder/udev_path"
		done
		mkdir -p "$tpg/lun/lun_$i" "$acl/lun_$i" "$work/tree/iscsi/iqn.2026-11.com.test:t$i/tpgt_1/lun"
		ln -s "$work/tree/core/user_$i/disk$i" "$tpg/lun/lun_$i/link"
		ln -s "$tpg/lun/lun_$i" "$acl/lun_$i/link"
		i=$((i + 1))
	done
}

# count SCRIPT ARGUMENTS...: prints how many processes the script starts.
count() {
	script=$1
	shift
	# The last command is not the one that prints the number, because bash replaces itself by its last command.
	# shellcheck disable=SC2016 # the inner shell expands these
	PATH="$work/bin:$PATH" unshare --map-root-user --fork --pid "$shell" -ec '
		"$@" >"$0/out" 2>"$0/err" || { cat "$0/err" >&2; exit 1; }
		sh -c "echo \$\$"
		:' "$work" "$shell" "$scripts/$script" "$@"
}

# count_all COUNT: prints, for each script, its name and the number of its processes in a tree with COUNT objects of each
# kind.
count_all() {
	fill "$1"
	echo "user_create $(count user_create.sh alloc new 1M)"
	echo "user_delete $(count user_delete.sh new)"
	echo "file_create $(count file_create.sh "$work/new.img" new 1M)"
	echo "file_delete $(count file_delete.sh new)"
	echo "target_create $(count target_create.sh iqn.2026-11.com.test:new 127.0.0.1:3299)"
	echo "target_delete $(count target_delete.sh iqn.2026-11.com.test:new)"
	echo "target_teardown $(count target_teardown.sh $iqn user_1/disk1)"
	echo "target_setup $(count target_setup.sh $iqn user_1/disk1)"
	echo "status $(count status.sh)"
	rm -f "$work/new.img"
}

count_all 2 >"$work/few"
count_all 12 >"$work/many"
paste -d ' ' "$work/few" "$work/many" | awk '
	{ print $1 ": " $2 " processes with 2 of each, " $4 " with 12" }
	$2 < 10 || $4 > $2 { failed = 1 } # each script starts more than ten processes
	END { exit failed }' || {
	echo "FAILED: the number of processes grows"
	exit 1
}
