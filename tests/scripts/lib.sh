# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2034 # the scripts that source this file read the variables
# shellcheck shell=sh
# The tests of this folder source this file; their arguments are SCRIPTS and SHELL. It makes a folder that behaves
# like the kernel's target tree (kernel.sh), and contains functions that run the scripts on it.
set -eu
scripts=$1 shell=$2
here=$(dirname "$(realpath "$0")")
work=$(mktemp -d)/it\'s\ a\ tree
mkdir "$work"
trap 'rm -rf "${work%/*}"' EXIT

mkdir -p "$work/bin" "$work/tree/core" "$work/tree/iscsi"
for command in mkdir rmdir ln tee; do
	ln -s "$here/kernel.sh" "$work/bin/$command"
done
cat >"$work/bin/id" <<'END'
#!/bin/sh
echo "${FAKE_ID:-0}"
END
cat >"$work/bin/tcmu-runner" <<'END'
#!/bin/sh
# --identity STORAGE: prints a serial number that depends on the storage.
printf %s "$2" | sha1sum | sed 's/^\(.\{8\}\)\(.\{4\}\).\(.\{3\}\).\(.\{3\}\)\(.\{12\}\).*/\1-\2-4\3-8\4-\5/'
END
chmod +x "$work/bin/id" "$work/bin/tcmu-runner"
echo "InitiatorName=iqn.2026-11.com.test:initiator" >"$work/initiator"
echo 0 >"$work/calls"
export TCMU_CONFIGFS="$work/tree" TCMU_INITIATOR_NAME="$work/initiator" CALLS="$work/calls"
initiator=iqn.2026-11.com.test:initiator
iqn=iqn.2026-11.com.test:disks
tpg=$work/tree/iscsi/$iqn/tpgt_1

run() { # SCRIPT ARGUMENTS...: runs it in a process group of its own, as a terminal does
	script=$1
	shift
	PATH="$work/bin:$PATH" env --default-signal=INT \
		setsid --wait "$shell" "$scripts/$script" "$@" >"$work/out" 2>"$work/err"
}
failed() {
	echo "FAILED: $*"
	cat "$work/out" "$work/err"
	exit 1
}
listing() { (cd "$work" && find tree disk 2>/dev/null | sort); }

works() { # OUTPUT SCRIPT ARGUMENTS...
	expected=$1
	shift
	run "$@" || failed "$*"
	[ "$(cat "$work/out")" = "$expected" ] || failed "$*: not '$expected'"
}
refuses() { # REASON SCRIPT ARGUMENTS...: the script must fail with an error of one line, and change nothing
	reason=$1
	shift
	before=$(listing)
	! run "$@" || failed "$* was not refused"
	grep -q "^\[ERROR\] .*$reason" "$work/err" || failed "$*: the reason is not '$reason'"
	[ "$(wc -l <"$work/err")" -eq 1 ] || failed "$*: more than one line"
	[ "$(listing)" = "$before" ] || failed "$* left something"
}
contains() { # FILE TEXT
	[ "$(cat "$1")" = "$2" ] || failed "$1 holds '$(cat "$1")', not '$2'"
}

from_start() { # [VARIABLE=STEP]: sets what kernel.sh does to the next script
	unset FAIL_AT SIGNAL_AT
	[ $# -eq 0 ] || export "${1?}"
	echo 0 >"$CALLS"
}

# undoes SCRIPT ARGUMENTS...: runs the script several times. In each run another step fails, or is the last one before
# a Ctrl-C; in the last run nothing fails. A signal that arrives when everything has been done must not change
# anything.
undoes() {
	before=$(listing)
	step=1
	while from_start FAIL_AT=$step && ! run "$@"; do
		[ "$(listing)" = "$before" ] || failed "$*: step $step failed, and something is left"
		code=0
		from_start SIGNAL_AT=$step
		run "$@" || code=$?
		[ $code -ne 0 ] || break
		[ $code -eq 130 ] || failed "$*: SIGINT at step $step, and status $code"
		[ "$(listing)" = "$before" ] || failed "$*: SIGINT at step $step, and something is left"
		step=$((step + 1))
		[ $step -lt 30 ] || failed "$*: never works"
	done
	from_start
	[ $step -gt 3 ] || failed "$*: only $step steps"
}
