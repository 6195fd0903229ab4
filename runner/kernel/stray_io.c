/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Locks on the bytes of a file, which show whether I/O of a daemon that was killed is still in progress
 * (stray_io.h).
 */
#include "kernel/stray_io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The number of daemons that can be killed one after the other while the I/O of the first one still hangs. */
#define MOST_DAEMONS 1000

static int lock_free_byte(int fd)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 1};

	while (fcntl(fd, F_OFD_SETLK, &lock))
		if ((errno != EAGAIN && errno != EACCES) || ++lock.l_start == MOST_DAEMONS)
			return -errno;
	return 0;
}

int tcmu_stray_io_lock(const char *run_dir, struct error *error)
{
	char path[512];
	int n = snprintf(path, sizeof(path), "%s/io", run_dir);

	if (n < 0 || (size_t)n >= sizeof(path))
		return error_set(error, ENAMETOOLONG, "%s: the path is too long", run_dir);
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		return error_set(error, errno, "%s: %s", path, strerror(errno));
	int err = lock_free_byte(fd);

	if (!err)
		return fd;
	close(fd);
	return error_set(error, -err, "%s: cannot be locked: %s", path, strerror(-err));
}

bool tcmu_stray_io(int fd)
{
	/* The range is the whole file. Locks of this process are not reported. */
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

	return !fcntl(fd, F_OFD_GETLK, &lock) && lock.l_type != F_UNLCK;
}
