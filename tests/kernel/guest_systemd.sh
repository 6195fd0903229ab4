# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Sourced in the guest, after guest_lib.sh: boots systemd in a process namespace of its own, and enters it.

child_of() { { grep -lsx "PPid:[[:blank:]]$1" /proc/[0-9]*/status || true; } | tr -dc 0-9 | grep .; }

# boot_systemd LOG UNIT...: boots with these units enabled, sets $init to the process ID of systemd, and returns when
# systemd answers.
boot_systemd() {
	local log=$1
	shift
	modprobe configfs
	mount -t cgroup2 cgroup2 /sys/fs/cgroup
	: >/etc/fstab
	make_bus_user
	# Only D-Bus, the journal and basic.target start, besides the units of the arguments.
	find /etc/systemd/system -mindepth 1 -delete
	# The checkout may lie below /tmp: nothing may be mounted there, and nothing may be deleted there.
	for unwanted in getty.target systemd-udevd systemd-udev-trigger systemd-logind apt-daily.timer \
		systemd-binfmt kmod-static-nodes tmp.mount systemd-tmpfiles-setup.service systemd-tmpfiles-clean.timer; do
		systemctl --quiet --root=/ mask "$unwanted" 2>/dev/null || true
	done
	[ $# -eq 0 ] || systemctl --quiet --root=/ enable "$@"
	systemctl --quiet --root=/ set-default multi-user.target
	unshare --pid --fork --mount-proc env container=guest /lib/systemd/systemd --system --log-target=console \
		--show-status=false >"$log" 2>&1 </dev/null &
	wait_for child_of $!
	init=$(child_of $!)
	wait_for systemctl is-active dbus.service
}

# enter_systemd COMMAND...: replaces this shell by COMMAND in the namespaces of systemd.
enter_systemd() { exec nsenter --target "$init" --pid --mount --root --wd=/ "$@"; }
