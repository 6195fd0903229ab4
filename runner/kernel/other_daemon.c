/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/other_daemon.h"

#include <fcntl.h>

#include "util/cleanup.h"

#define LOCK_FILE "/run/tcmu.lock" /* where it holds a lock, of fcntl's kind */

pid_t tcmu_other_daemon(void)
{
	CLEANUP_CLOSE int fd = open(LOCK_FILE, O_RDONLY | O_CLOEXEC);
	struct flock lock = {.l_type = F_RDLCK, .l_whence = SEEK_SET};

	if (fd < 0 || fcntl(fd, F_GETLK, &lock) || lock.l_type == F_UNLCK)
		return 0;
	return lock.l_pid;
}
