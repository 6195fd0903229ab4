/* SPDX-License-Identifier: Apache-2.0 */
/* Writes the result of an import. A new file is written beside the old one and then replaces it. */
#include "import/output.h"

#include <errno.h>
#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/cleanup.h"

static int write_all(int fd, const char *text, size_t size)
{
	while (size) {
		ssize_t n = write(fd, text, size);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n < 0)
			continue;
		text += n;
		size -= (size_t)n;
	}
	return 0;
}

/*
 * Gives the file to the user of the service, who reads saveconfig.json and is not root: a file that root
 * writes gets the owner of the file that it replaces, or of the folder.
 */
static int give_away(int fd, const char *path)
{
	g_autofree char *folder = g_path_get_dirname(path);
	struct stat st;

	if (geteuid() || (stat(path, &st) && stat(folder, &st)))
		return 0;
	return fchown(fd, st.st_uid, st.st_gid) ? -errno : 0;
}

/* mkstemp() creates the file with mode 0600. */
static int write_file(const char *path, char *temporary, const char *text)
{
	int fd = mkstemp(temporary);
	int err;

	if (fd < 0)
		return -errno;
	err = write_all(fd, text, strlen(text));
	if (!err)
		err = give_away(fd, path);
	if (!err && fsync(fd))
		err = -errno;
	if (close(fd) && !err)
		err = -errno;
	if (!err && rename(temporary, path))
		err = -errno;
	if (err)
		unlink(temporary);
	return err;
}

/* Replaces the file. If the path is a symbolic link, the link still leads to the file afterwards. */
static int replace_file(const char *path, const char *text)
{
	CLEANUP_FREE char *real = realpath(path, NULL);
	const char *name = real ? real : path;
	g_autofree char *temporary = g_strconcat(name, ".XXXXXX", NULL);

	return write_file(name, temporary, text);
}

int output_write(const char *path, const char *text, struct error *error)
{
	struct stat st;
	int err;

	if (path && !stat(path, &st) && !S_ISREG(st.st_mode))
		return error_set(error, EINVAL, "%s is not a regular file", path);
	err = path ? replace_file(path, text) : write_all(STDOUT_FILENO, text, strlen(text));
	if (err)
		return error_set(error, -err, "%s: %s", path ? path : "standard output", strerror(-err));
	return 0;
}
