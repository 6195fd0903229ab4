# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Sourced after guest_lib.sh, by scripts that get DAEMON HANDLER-PATH TCMUCTL first: the daemon with --saveconfig as an
# ordinary user, its control program, and sessions of the kernel's initiator with several targets.
# shellcheck disable=SC2154,SC2034 # variables of guest_lib.sh
tcmuctl=$3
live=/tmp/live
saveconfig=$live/saveconfig.json
user=1000 # the ID of the user who runs the daemon

# Copies of the programs that the ordinary user may read, wherever the build tree is.
copy_programs() {
	mkdir -p $live/programs
	cp "$daemon" $live/programs/tcmu-runner
	cp -r "$handlers" $live/programs/handlers
	touch $saveconfig
	chmod 600 $saveconfig
	chown -R $user:$user $live
}

serves() { # PORT: tells whether the daemon has its control socket and, unless PORT is 0, serves the port
	[ "$1" = 0 ] || (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null || return
	[ -S $live/run/control ]
}

start_live() { # PORT OPTIONS...: starts the daemon as an ordinary user, and waits until serves PORT succeeds
	local port=$1
	shift
	: >"$log"
	setpriv --reuid $user --regid $user --clear-groups env HOME=$live \
		$live/programs/tcmu-runner --handler-path $live/programs/handlers --run-dir $live/run --state-dir $live/state \
		--saveconfig $saveconfig "$@" >>"$log" 2>&1 &
	daemon_pid=$! # stop_daemon uses this variable
	wait_for serves "$port"
}

ctl() { "$tcmuctl" --socket $live/run/control "$@"; }

edit() { # STATEMENTS...: runs Python with the configuration c, its first target's first TPG t, and that TPG's first ACL a
	python3 - "$saveconfig" "$@" <<'PYTHON'
import json, sys
with open(sys.argv[1], "r+") as file:
    c = json.load(file)
    t = c["targets"][0]["tpgs"][0]
    a = t["node_acls"][0] if t.get("node_acls") else None
    for statement in sys.argv[2:]:
        exec(statement)
    file.seek(0)
    file.truncate()
    json.dump(c, file, indent=2)
PYTHON
}

# --- sessions ---

session_of() { # TARGET: prints the folder of its session in sysfs, or nothing
	local folder name
	for folder in /sys/class/iscsi_session/session*; do
		read -r name <"$folder/targetname" && [ "$name" = "$1" ] && echo "$folder" && return
	done 2>/dev/null
	return 1
}

disk_of() { # TARGET LUN
	local session
	session=$(session_of "$1") || return
	disk_in "$(echo "$session"/device/target*/*:"$2")"
}

node() { iscsiadm -m node -T "$@"; } # TARGET OPTIONS...

set_account() { # TARGET NAME SECRET
	local pair
	for pair in authmethod=CHAP "username=$2" "password=$3"; do
		node "$1" -o update -n "node.session.auth.${pair%%=*}" -v "${pair#*=}"
	done
}

log_in() { node "$1" --login; }   # TARGET
log_out() { node "$1" --logout; } # TARGET

is_logged_in() { # TARGET
	local session state
	session=$(session_of "$1") && read -r state <"$session/state" && [ "$state" = LOGGED_IN ]
}

rescan() { iscsiadm -m session --rescan >/dev/null; }
