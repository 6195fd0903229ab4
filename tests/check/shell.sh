#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# shell.sh ROOT: all shell scripts pass shellcheck.
set -eu
cd "$1"
command -v shellcheck >/dev/null || { echo "SKIP: no shellcheck"; exit 77; }
find . -path ./build -prune -o -path ./.git -prune -o -type f -print |
	while read -r file; do
		case $(head -c 64 "$file" | head -n 1 | tr -d '\0') in
		'#!/bin/sh'* | '#!/bin/bash'* | '#!/usr/bin/env bash'*) printf '%s\0' "$file" ;;
		esac
	done | xargs -0 -r shellcheck -x -P .:SCRIPTDIR
