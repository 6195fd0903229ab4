#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# guest: -m 1024
# lio_attributes_guest.sh DAEMON HANDLER-PATH TCMUCTL: the same attributes of TPGs and ACLs are set in the kernel's LIO
# and in the daemon's tree, the same initiators log in to both, and lio_attributes.py compares what they see.
# shellcheck source=guest_lib.sh
. "$(dirname "$0")/guest_lib.sh"
# shellcheck source=live_lib.sh
. "$here/live_lib.sh"
user=0 # as in tree_block_guest.sh: only root may mount the tree in a guest

step "start"
modprobe -a fuse target_core_mod target_core_file iscsi_target_mod
mountpoint -q /sys/kernel/config || mount -t configfs configfs /sys/kernel/config
mkdir -p $live $tree/iscsi
truncate -s 16M /tmp/kernel.img /tmp/daemon.img
copy_programs
echo '{}' >$saveconfig
start_live 0 --tree $live/tree
step "compare"
python3 "$here/lio_attributes.py" $tree:3270:/tmp/kernel.img $live/tree:3280:/tmp/daemon.img
stop_daemon
