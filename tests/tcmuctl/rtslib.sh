#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# rtslib.sh: checks that rtslib-fb, the library of targetcli, can read the files that the imports write;
# tests/tcmuctl/rtslib.py checks the expected result of each fixture. The library is unpacked and not installed.
set -eu
here=$(dirname "$(realpath "$0")")
# shellcheck source=../kernel/packages.sh
. "$here/../kernel/packages.sh"
path=
for package in python3-rtslib-fb python3-six python3-pyudev; do
	folder=$(unpack "$package") || exit 77
	path=$path:$folder/usr/lib/python3/dist-packages
done
PYTHONPATH=${path#:} python3 "$here/rtslib.py" "$here"/import/*/expected.json
