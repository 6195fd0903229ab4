/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file of --pidfile. Service managers and scripts wait for it, because it appears when the daemon serves.
 * The file does not prevent a second daemon; the lock in the run folder does this.
 */
#include "system/pidfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "util/log.h"

int system_pidfile_write(const char *path, struct error *error)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);

	if (fd < 0)
		return error_set(error, errno, "--pidfile %s: %s", path, strerror(errno));
	int n = dprintf(fd, "%d\n", getpid());
	int err = n < 0 ? errno : 0;
	close(fd);
	return err ? error_set(error, err, "--pidfile %s: %s", path, strerror(err)) : 0;
}

void system_pidfile_remove(const char *path)
{
	if (unlink(path) && errno != ENOENT)
		log_warn(NULL, "--pidfile %s: cannot be removed: %s", path, strerror(errno));
}
