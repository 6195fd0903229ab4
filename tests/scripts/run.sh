#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# run.sh SCRIPTS SHELL: runs a copy of the source tree's run.sh on systems that lack something. The programs that would
# install packages, build the daemon or serve disks are stand-ins, and the folders of D-Bus are below the copy.
set -eu
source=$(realpath "$1/..") shell=$(command -v "$2")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
tree=$work/tree bin=$work/bin system=$work/system
mkdir -p "$tree/scripts" "$tree/packaging" "$bin" "$work/elsewhere"
cp "$source/scripts/packages.sh" "$tree/scripts"
echo policy >"$tree/packaging/org.kernel.TCMUService1.conf"
sed "s#/etc/#$system/etc/#g; s#/usr/share/#$system/share/#g" "$source/run.sh" >"$tree/run.sh"
# The test must not write to the folders of this system, whatever run.sh calls them.
! grep -E '(^|[ "=])/(etc|usr|var)' "$tree/run.sh" || exit 1

# Only these programs exist.
for tool in awk cat cp dirname env grep ls mkdir paste sed sleep; do
	ln -s "$(command -v "$tool")" "$bin"
done
program() { # NAME: makes a program of the commands on stdin. It notes each of its calls in $work/calls.
	{
		printf '#!%s\necho "%s $*" >>"%s/calls"\n' "$shell" "$1" "$work"
		cat
	} >"$bin/$1"
	chmod +x "$bin/$1"
}
program cmake <<END
[ "\$1" = --build ] || exit 0
mkdir -p build/run/runner
cp "$bin/daemon" build/run/runner/tcmu-runner
END
program daemon <<'END'
case $* in
*--dump-handlers) printf 'name=alloc\nname=file\n' ;;
*--export*) echo "no such portal" >&2; exit 3 ;;
*) echo "in $PWD: $*" ;;
esac
END


run() { # ARGUMENTS...: runs run.sh from a folder outside of the tree, and sets $code
	: >"$work/calls"
	rm -rf "$tree/build"
	code=0
	(cd "$work/elsewhere" && PATH=$bin exec "$shell" "$tree/run.sh" "$@") >"$work/out" 2>"$work/err" || code=$?
}
failed() {
	echo "FAILED: $*; exit status $code"
	cat "$work/out" "$work/err" "$work/calls"
	exit 1
}
ends_with() { # STATUS [MESSAGE]: the exit status of run.sh, and a line on stderr; without MESSAGE there is none
	[ $code -eq "$1" ] || failed "not status $1"
	[ $# -eq 2 ] || [ ! -s "$work/err" ] || failed "there is a message"
	[ $# -eq 1 ] || grep -qF -- "$2" "$work/err" || failed "no message '$2'"
}
serves() { # FOLDER ARGUMENTS: the daemon runs in this folder with these arguments
	grep -qxF "in $1: --handler-path $tree/build/run/handlers $2" "$work/out" || failed "does not serve"
}
called() { grep -q "^$1" "$work/calls"; }

# --- a system without apt-get ---

run
ends_with 1 'no apt-get. Install with its own package manager: cc ninja pkg-config gdbus-codegen, the development files'
for tool in cc ninja gdbus-codegen; do
	program $tool </dev/null
done
program pkg-config <<'END'
case $* in *liburing*) exit 1 ;; esac
END
run
ends_with 1 'manager: the development files of liburing >= 2.3'
! called cmake || failed "builds without a library"
program pkg-config </dev/null
run -- --portal 127.0.0.1:0
ends_with 0
serves "$work/elsewhere" '--portal 127.0.0.1:0'

# --- a start that fails ---

run
ends_with 3 'no such portal'
! grep -q disks "$work/out" || failed "shows disks that nobody serves"
run -- --export file/x
ends_with 3 'no such portal'
[ -z "$(ls "$work/elsewhere")" ] || failed "leaves files"

# --- the kernel front end, on systems without D-Bus, with a bus that does not run, and with the policy ---

program id <<'END'
echo 1000
END
run --kernel
ends_with 1 'only root may serve the kernel'
! called cmake || failed "builds for a user who may not serve"
program id <<'END'
echo 0
END
run --kernel
ends_with 0 'no D-Bus; targetcli cannot list the handlers, everything else works'
serves "$tree" "--state-dir $work/elsewhere"
mkdir -p "$system/etc/dbus-1/system.d"
policy=$system/etc/dbus-1/system.d/org.kernel.TCMUService1.conf
program dbus-send <<'END'
exit 1
END
run --kernel
ends_with 0 'the system bus did not read its policy again; restart it'
serves "$tree" "--state-dir $work/elsewhere"
grep -q 'Handlers: alloc file' "$work/out" || failed "shows no handlers"
[ "$(cat "$policy")" = policy ] || failed "no policy"
run --kernel
ends_with 0
! called dbus-send || failed "the bus has the policy already"
rm "$policy"
mkdir -p "$system/share/dbus-1/system.d"
echo policy >"$system/share/dbus-1/system.d/org.kernel.TCMUService1.conf"
run --kernel
ends_with 0
[ ! -e "$policy" ] || failed "the package has a policy already"

# --- Debian, with packages that are missing ---

program dpkg-query </dev/null
program apt-get </dev/null
program apt-cache </dev/null
run -- --version
ends_with 0 'Installing: gcc'
called 'apt-get install.* liburing-dev' || failed "does not install liburing"
! called 'apt-get install.* libisal-dev' || failed "installs a package that the architecture does not have"
program apt-cache <<'END'
echo "$2 | 2.30 | the archive"
END
run -- --version
called 'apt-get install.* libisal-dev' || failed "does not install ISA-L"
program apt-get <<'END'
[ "$1" != update ] || { echo "no network" >&2; exit 100; }
END
run
ends_with 100 'no network'
! called cmake || failed "builds without the packages"
program id <<'END'
echo 1000
END
run
ends_with 1 'There is no sudo. As root, install these packages first: gcc'
! called apt-get || failed "calls apt-get without root"
program dpkg-query <<'END'
echo "ii "
END
run -- --version
ends_with 0
serves "$work/elsewhere" --version
echo "all as expected"
