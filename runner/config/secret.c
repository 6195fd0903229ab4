/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads a CHAP secret from a file. Refuses a file that others could have written or read, and text that an
 * administrator cannot have meant. With such a text, initiators would fail to log in and nobody would know
 * why.
 */
#include "config/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/cleanup.h"
#include "util/log.h"
#include "util/secret_text.h"

/* RFC 7143 9.2.1 demands 96 bits. Twelve characters of 8 bits have 96 bits. */
#define SECRET_MIN 12

/* Opens the file, and does not wait if the file is a FIFO. */
static int open_secret(const char *path, struct error *error)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	const char *reason = NULL;
	struct stat st;

	if (fd < 0 || fstat(fd, &st))
		reason = strerror(errno);
	else if (!S_ISREG(st.st_mode))
		reason = "it is not a regular file";
	else if (st.st_uid != geteuid() && st.st_uid != 0)
		reason =
		    "it belongs to another user, who could change it; chown it to the user of the daemon";
	else if (st.st_mode & (S_IRGRP | S_IROTH | S_IWGRP | S_IWOTH))
		reason = "other users may read or write it; chmod 600 it";
	if (!reason)
		return fd;
	if (fd >= 0)
		close(fd);
	return error_set(error, EPERM, "secret file %s: %s", path, reason);
}

static int check_secret(const char *path, const char *secret, size_t len, size_t max, struct error *error)
{
	const char *fault = secret_find_fault(secret, len);

	if (fault)
		return error_set(error, EINVAL, "secret file %s: %s", path, fault);
	if (len > max)
		return error_set(error, EINVAL, "secret file %s: the secret is longer than %zu characters",
				 path, max);
	if (len < SECRET_MIN)
		return error_set(error, EINVAL, "secret file %s: the secret is shorter than %d characters",
				 path, SECRET_MIN);
	if (secret_has_outer_blanks(secret, len))
		log_warn(NULL,
			 "secret file %s: the secret begins or ends with a blank, which is a part of it; "
			 "some initiators remove such blanks and then cannot log in",
			 path);
	return 0;
}

int config_read_secret(const char *path, char *secret, size_t size, struct error *error)
{
	CLEANUP_CLOSE int fd = open_secret(path, error);

	if (fd < 0)
		return fd;
	ssize_t n = read(fd, secret, size);
	if (n < 0)
		return error_set(error, errno, "secret file %s: %s", path, strerror(errno));
	size_t len = secret_line_length(secret, (size_t)n);
	int err = check_secret(path, secret, len, size - 1, error);
	if (err) {
		explicit_bzero(secret, size);
		return err;
	}
	explicit_bzero(secret + len, size - len);
	return 0;
}
