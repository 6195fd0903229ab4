#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# amx.sh FAKE_AMX_HOST: shows that a guest starts on a CPU with AMX. FAKE_AMX_HOST (fake_amx_host.c) makes any CPU
# look like a CPU with AMX. Without uml_xstate.so the kernel of the guest panics on such a CPU. guest.sh must then end
# with SKIP and a reason, and must not print the stack trace of the panic.
set -eu
here=$(dirname "$(realpath "$0")")
# shellcheck source=packages.sh
. "$here/packages.sh"
folder=$(unpack user-mode-linux) && busybox=$(unpack busybox-static) || exit 77
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
UML_PRELOAD=$(realpath -e "$1")
export UML_PRELOAD

failed() {
	echo "FAILED: $1"
	cat "$work/out"
	exit 1
}

# These programs use vector registers and interrupt each other, so that the guest switches the registers between them.
cat >"$work/script" <<'END'
#!/bin/bash
set -eu
compute() { head -c 4000000 /dev/zero | sha512sum; }
compute >/tmp/1 &
compute >/tmp/2 &
compute >/tmp/3
wait
cmp /tmp/1 /tmp/2
cmp /tmp/1 /tmp/3
echo "sum $(cut -c 1-8 /tmp/1)"
END
chmod +x "$work/script"
"$here/guest.sh" "$work/script" >"$work/out" 2>&1 || failed "the guest does not run on a CPU with AMX"
grep -qx "sum $(head -c 4000000 /dev/zero | sha512sum | cut -c 1-8)" "$work/out" ||
	failed "the guest computed a wrong sum, because registers were damaged"
! grep -q 'did not start' "$work/out" || failed "the guest did not start at the first try"

# Here guest.sh finds neither a compiler for uml_xstate.so nor, because apt finds nothing, an emulated kernel.
mkdir "$work/bin" "$work/cache"
printf '#!/bin/sh\nexit 100\n' | tee "$work/bin/apt-get" >"$work/bin/apt-cache"
chmod +x "$work/bin/apt-get" "$work/bin/apt-cache"
ln -s "$folder" "$busybox" "$work/cache/"
code=0
CC=false GUEST_CACHE=$work/cache PATH=$work/bin:$PATH "$here/guest.sh" "$work/script" >"$work/out" 2>&1 || code=$?
[ $code -eq 77 ] || failed "guest.sh ended with $code, not with 77, although the guest cannot start"
grep -q '^SKIP: .*User-Mode Linux' "$work/out" || failed "guest.sh did not say why it is skipped"
grep -qE 'did not start \(.*panic|C compiler' "$work/out" || failed "guest.sh did not say why the guest does not start"
! grep -qE '\[<[0-9a-f]+>\]|Call Trace' "$work/out" || failed "guest.sh printed a stack trace"
echo "the guest runs with uml_xstate.so, and is skipped with a reason without it"
