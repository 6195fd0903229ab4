#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# completion_zsh.sh DAEMON HANDLERS TCMUCTL: runs the completions of zsh, and checks what they offer. The functions of
# zsh's own completion system are replaced by functions that print their arguments.
set -eu
command -v zsh >/dev/null || { echo "SKIP: zsh is not installed"; exit 77; }
here=$(dirname "$(realpath "$0")")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# The completions run the programs by their names, but the programs are not installed here.
printf '#!/bin/sh\nexec %s --handler-path %s "$@"\n' "$1" "$2" >"$work/tcmu-runner"
printf '#!/bin/sh\nexec %s "$@"\n' "$3" >"$work/tcmuctl"
chmod +x "$work/tcmu-runner" "$work/tcmuctl"

cat >"$work/run.zsh" <<'ZSH'
# run.zsh COMPLETIONS FUNCTION WORD...: completes the last WORD.
fpath=($1 $fpath)
function_name=$2
shift 2
words=("$@")
CURRENT=$# PREFIX=$words[-1]
autoload -U $function_name _tcmu_options
_describe() { print -rl -- "${(P@)argv[-1]}" }
compadd() { print -rl -- "${(P@)argv[-1]}" }
compset() { PREFIX=${PREFIX#${~argv[-1]}} }
_files() { print -r -- "files:$*:$PREFIX" }
_message() { print -r -- "message:$argv[-1]" }
$function_name
ZSH

# offers PATTERN FUNCTION WORD...: fails unless a line of the offer matches the pattern.
offers() {
	pattern=$1 function=$2
	shift 2
	zsh -f "$work/run.zsh" "$here/../../packaging/completion/zsh" "$function" "$@" >"$work/offer" 2>&1 ||
		{ echo "FAIL: '$*': $(cat "$work/offer")"; exit 1; }
	grep -qE -- "$pattern" "$work/offer" || {
		echo "FAIL: '$*' offers '$(cat "$work/offer")', not $pattern"
		exit 1
	}
}
cd "$work"
offers '^import-scst:.*SCST' _tcmuctl ./tcmuctl ''
offers '^import-tgt:' _tcmuctl ./tcmuctl help ''
offers '^import-tgt:' _tcmuctl ./tcmuctl --socket path ''
offers '^--scst-conf:devices' _tcmuctl ./tcmuctl import-scst -
offers '^files::' _tcmuctl ./tcmuctl import-scst -o ''
offers '^files::/etc/x' _tcmuctl ./tcmuctl import-scst --output=/etc/x
offers '^--export:' _tcmu-runner ./tcmu-runner ''
offers '^--handler-path:' _tcmu-runner ./tcmu-runner --kernel --hand
offers '^alloc$' _tcmu-runner ./tcmu-runner -e ''
offers '^files::/srv/d' _tcmu-runner ./tcmu-runner --export file//srv/d
offers '^file$' _tcmu-runner ./tcmu-runner --identity=f
offers '^files:-/:' _tcmu-runner ./tcmu-runner --state-dir ''
offers '^files::' _tcmu-runner ./tcmu-runner --config ''
offers '^message:N$' _tcmu-runner ./tcmu-runner -t ''
echo "completion works"
