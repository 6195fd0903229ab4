#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# targetcli.sh TEST ARGUMENTS...: runs the Python program TEST with Debian's targetcli in the path. targetcli is
# unpacked and not installed.
set -eu
here=$(dirname "$(realpath "$0")")
# shellcheck source=../kernel/packages.sh
. "$here/../kernel/packages.sh"
[ -x /usr/bin/python3 ] || {
	echo "SKIP: targetcli needs /usr/bin/python3"
	exit 77
}
library=lib/$(dpkg-architecture -qDEB_HOST_MULTIARCH)
for package in $(packages_of targetcli); do
	folder=$(unpack "$package")/usr || exit 77
	# dpkg would compile the modules. Otherwise each start of targetcli compiles them, which takes half of its time.
	[ ! -d "$folder/lib/python3" ] || /usr/bin/python3 -m compileall -q "$folder/lib/python3"
	PATH=$folder/bin:$PATH
	PYTHONPATH=$folder/lib/python3/dist-packages${PYTHONPATH:+:$PYTHONPATH}
	LD_LIBRARY_PATH=$folder/$library${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
	GI_TYPELIB_PATH=$folder/$library/girepository-1.0${GI_TYPELIB_PATH:+:$GI_TYPELIB_PATH}
done
export PATH PYTHONPATH LD_LIBRARY_PATH GI_TYPELIB_PATH
test=$1
shift
exec /usr/bin/python3 "$here/$test" "$@"
