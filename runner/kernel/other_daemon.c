/* SPDX-License-Identifier: Apache-2.0 */
/* Finds out whether a tcmu-runner 1.x runs at the same time, by the lock that it holds on its lock file. */
#include "kernel/other_daemon.h"

#include <fcntl.h>
#include <linux/netlink.h>
#include <stdio.h>

#include "util/cleanup.h"

#define LOCK_FILE "/run/tcmu.lock" /* tcmu-runner 1.x holds an fcntl(2) lock on this file. */

pid_t tcmu_other_daemon(void)
{
	CLEANUP_CLOSE int fd = open(LOCK_FILE, O_RDONLY | O_CLOEXEC);
	struct flock lock = {.l_type = F_RDLCK, .l_whence = SEEK_SET};

	if (fd < 0 || fcntl(fd, F_GETLK, &lock) || lock.l_type == F_UNLCK)
		return 0;
	return lock.l_pid;
}

/*
 * The lines of this file are "sk Eth Pid Groups ...": the address of the socket, its protocol, its port, and
 * the first 32 groups that it has joined.
 */
#define SOCKETS    "/proc/net/netlink"
#define GROUPS_MAX 32

bool tcmu_group_has_other_listener(int group, uint32_t own_port)
{
	FILE *file = group >= 1 && group <= GROUPS_MAX ? fopen(SOCKETS, "re") : NULL;
	bool found = !file;
	char line[256];

	while (file && !found && fgets(line, sizeof(line), file)) {
		unsigned protocol, port, groups;

		found = sscanf(line, "%*s %u %u %x", &protocol, &port, &groups) == 3 &&
			protocol == NETLINK_GENERIC && port != own_port && groups >> (group - 1) & 1;
	}
	if (file)
		fclose(file);
	return found;
}
