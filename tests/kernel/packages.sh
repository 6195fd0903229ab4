# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# Sourced by guest.sh. It unpacks Debian packages below GUEST_CACHE for the guest. They are not installed on this
# machine.

: "${GUEST_CACHE:=${XDG_CACHE_HOME:-$HOME/.cache}/tcmu-runner-guest}"

# unpack PACKAGE: prints the folder that contains its files. Fails with a reason if the package cannot be downloaded.
unpack() {
	folder=$(mkdir -p "$GUEST_CACHE" && realpath "$GUEST_CACHE")/$1
	# If several tests need the package at the same time, one unpacks it, and the others wait for the lock.
	(
		flock 9
		[ -d "$folder" ] || fetch "$1" "$folder"
	) 9>"$folder.lock" || return
	echo "$folder"
}

# fetch PACKAGE FOLDER: makes the folder. It gets its name when it is complete.
fetch() {
	new=$2.new
	rm -rf "$new"
	mkdir -p "$new/deb"
	# apt's sandbox user has no right to write into this folder.
	if ! (cd "$new/deb" && timeout 180 apt-get -qq -o APT::Sandbox::User=root download "$1" >&2); then
		echo "SKIP: package $1 cannot be fetched" >&2
		return 1
	fi
	if ! dpkg -x "$new"/deb/*.deb "$new"; then
		echo "SKIP: package $1 cannot be unpacked into $new" >&2
		return 1
	fi
	rm -r "$new/deb" && merge_usr "$new" && mv -T "$new" "$2"
}

# A package may contain a folder /sbin although /sbin is a link to /usr/sbin on the system. The guest lays the package
# over the root, where this folder would hide the link.
merge_usr() {
	for top in bin sbin lib; do
		[ -d "$1/$top" ] || continue
		mkdir -p "$1/usr/$top"
		cp -a "$1/$top/." "$1/usr/$top/"
		rm -r "${1:?}/$top"
	done
}

# packages_of NAME: prints the packages of a group, or NAME itself if it is the name of a package.
packages_of() {
	case $1 in
	bus) echo dbus-daemon dbus-bin dbus-system-bus-common ;;
	initiator) echo open-iscsi libopeniscsiusr libisns0 lsscsi ;;
	lvm) echo lvm2 dmsetup libdevmapper-event1.02.1 libdevmapper1.02.1 libaio1 libbsd0 libedit2 libmd0 ;;
	targetcli)
		echo targetcli-fb python3-rtslib-fb python3-configshell-fb python3-gi python3-pyparsing python3-pyudev \
			python3-six python3-urwid gir1.2-glib-2.0 libgirepository-1.0-1
		;;
	systemd) echo systemd libsystemd-shared libip4tc2 ;;
	*) echo "$1" ;;
	esac
}
