/* SPDX-License-Identifier: Apache-2.0 */
#include "config/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "util/cleanup.h"

#define SECRET_MIN 12

int control_read_secret(const char *path, char *secret, size_t size, struct error *error)
{
	CLEANUP_CLOSE int fd =
	    open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK); /* no wait at a FIFO */
	struct stat st;

	if (fd < 0 || fstat(fd, &st))
		return error_set(error, errno, "secret file %s: %s", path, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return error_set(error, EINVAL, "secret file %s: not a regular file", path);
	if (st.st_mode & (S_IRGRP | S_IROTH | S_IWGRP | S_IWOTH))
		return error_set(error, EPERM, "secret file %s: open to others (chmod 600 it)", path);
	ssize_t n = read(fd, secret, size);
	if (n < 0)
		return error_set(error, errno, "secret file %s: %s", path, strerror(errno));
	size_t len = 0;
	while (len < (size_t)n && secret[len] && secret[len] != '\n' && secret[len] != '\r')
		len++;
	if (len == size)
		return error_set(error, EINVAL, "secret file %s: longer than %zu characters", path, size - 1);
	secret[len] = '\0';
	if (len < SECRET_MIN)
		return error_set(error, EINVAL, "secret file %s: shorter than %d characters", path,
				 SECRET_MIN);
	return 0;
}
