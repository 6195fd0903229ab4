/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads and replaces the small files of the state folder. This file makes files durable and refuses files
 * that cannot be trusted; the meaning of the files is left to others. Each error begins with the path of the
 * folder. If the folder is the problem, the error says what to do, and does not name the file.
 *
 * A text is written to NAME.new, made durable, and then renamed to NAME by rename(2), which replaces the
 * previous file in one step. Before that, the previous file gets a second name, NAME.old, by link(2).
 * Therefore a complete NAME exists at every moment.
 */
#include "storage/small_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/cleanup.h"
#include "util/log.h"

#define NAME_SIZE 256

/*
 * Returns whether the file can be trusted. Other users who can change a file could decide about identities.
 * If an ordinary user runs the daemon, the file may also belong to root.
 */
static bool is_trusted(const struct stat *st)
{
	return (st->st_uid == geteuid() || st->st_uid == 0) && !(st->st_mode & (S_IWGRP | S_IWOTH));
}

/* --- errors --- */

/* Returns what is wrong with the folder and what to do if this is why a call has failed with err, or NULL. */
static const char *problem_of_folder(int folder, int err)
{
	struct stat st;

	switch (err) {
	case ENOENT:
		return fstat(folder, &st) || st.st_nlink
			   ? NULL
			   : "it was deleted; create it again and restart the daemon";
	case EACCES:
		return faccessat(folder, ".", W_OK | X_OK, AT_EACCESS)
			   ? "the daemon's user may not write to it; give it to this user (chown -R)"
			   : NULL;
	case EROFS:
		return "its file system is mounted read-only; mount it so that it can be written";
	case ENOSPC:
		return "its file system is full; free some space";
	case EDQUOT:
		return "the disk quota of the daemon's user is used up; free some space";
	default:
		return NULL;
	}
}

/* Writes the path of the folder, which may have been deleted. */
static void write_path(int folder, char path[PATH_MAX])
{
	static const char mark[] = " (deleted)"; /* proc_pid_fd(5) */
	char link[32];

	snprintf(link, sizeof(link), "/proc/self/fd/%d", folder);
	ssize_t n = readlink(link, path, PATH_MAX - 1);
	path[n < 0 ? 0 : n] = '\0';
	size_t len = strlen(path), mark_len = strlen(mark);
	if (len > mark_len && !strcmp(path + len - mark_len, mark))
		path[len - mark_len] = '\0';
}

int small_file_refuse(int folder, int err, struct error *error, const char *format, ...)
{
	const char *problem = problem_of_folder(folder, err);
	char path[PATH_MAX];
	struct error reason;
	va_list args;

	va_start(args, format);
	vsnprintf(reason.text, sizeof(reason.text), format, args);
	va_end(args);
	write_path(folder, path);
	return error_set(error, err, "state folder %s: %s", path, problem ? problem : reason.text);
}

int small_file_open_folder(int parent, const char *path, struct error *error)
{
	struct stat st;

	if (mkdirat(parent, path, 0700) && errno != EEXIST)
		return error_set(error, errno, "state folder %s: it cannot be created: %s", path,
				 strerror(errno));
	int folder = openat(parent, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (folder < 0)
		return error_set(error, errno, "state folder %s: it cannot be opened: %s", path,
				 strerror(errno));
	if (!fstat(folder, &st) && is_trusted(&st))
		return folder;
	close(folder);
	return error_set(
	    error, EPERM,
	    "state folder %s: it belongs to another user, or other users may write to it (chmod 700 it)",
	    path);
}

/* Opens the file. With O_NONBLOCK, opening a FIFO does not wait for a writer. */
static int open_trusted(int folder, const char *name, struct error *error)
{
	int fd = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	struct stat st;

	if (fd < 0)
		return small_file_refuse(folder, errno, error, "%s: %s", name,
					 errno == ELOOP ? "it is a symbolic link" : strerror(errno));
	if (fstat(fd, &st))
		small_file_refuse(folder, errno, error, "%s: %s", name, strerror(errno));
	else if (!S_ISREG(st.st_mode))
		small_file_refuse(folder, EINVAL, error, "%s: it is not a regular file", name);
	else if (!is_trusted(&st))
		small_file_refuse(folder, EPERM, error,
				  "%s: it belongs to another user, or other users may write to it", name);
	else
		return fd;
	close(fd);
	return -EPERM;
}

ssize_t small_file_read(int folder, const char *name, char *text, size_t size, struct error *error)
{
	CLEANUP_CLOSE int fd = open_trusted(folder, name, error);
	size_t len = 0;
	ssize_t n;

	if (fd < 0)
		return fd;
	do {
		n = TEMP_FAILURE_RETRY(read(fd, text + len, size - len));
		if (n < 0)
			return small_file_refuse(folder, errno, error, "%s: %s", name, strerror(errno));
		len += (size_t)n;
	} while (n && len < size);
	if (len == size)
		return small_file_refuse(folder, EFBIG, error, "%s: it is larger than %zu bytes", name,
					 size - 1);
	text[len] = '\0';
	if (strlen(text) != len)
		return small_file_refuse(folder, EINVAL, error, "%s: it holds a zero byte: it is damaged",
					 name);
	return (ssize_t)len;
}

/* --- writing --- */

static int write_all(int fd, const char *text)
{
	for (size_t len = strlen(text); len;) {
		ssize_t n = TEMP_FAILURE_RETRY(write(fd, text, len));

		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		text += n;
		len -= (size_t)n;
	}
	return 0;
}

/*
 * Writes a complete and durable NAME.new. A file of this name that a dead process has left is removed first.
 */
static int write_new(int folder, const char *fresh, const char *text)
{
	if (unlinkat(folder, fresh, 0) && errno != ENOENT)
		return -errno;
	CLEANUP_CLOSE int fd =
	    openat(folder, fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	int err = write_all(fd, text);
	return !err && fsync(fd) ? -errno : err;
}

/*
 * Keeps the previous text under another name. If the file is new, or the file system has no hard links, there
 * is no previous text.
 */
static void keep_previous(int folder, const char *name, const char *old)
{
	unlinkat(folder, old, 0);
	if (linkat(folder, name, folder, old, 0) && errno != ENOENT)
		log_debug(NULL, "%s: no previous copy is kept: %s", name, strerror(errno));
}

static int write_under(int folder, const char *name, const char *text, bool replace, struct error *error)
{
	char fresh[NAME_SIZE], old[NAME_SIZE];
	int err;

	if ((size_t)snprintf(fresh, sizeof(fresh), "%s.new", name) >= sizeof(fresh))
		return small_file_refuse(folder, ENAMETOOLONG, error, "%s: the name is too long", name);
	snprintf(old, sizeof(old), "%s.old", name);
	err = write_new(folder, fresh, text);
	if (!err && replace)
		keep_previous(folder, name, old);
	if (!err &&
	    (replace ? renameat(folder, fresh, folder, name) : linkat(folder, fresh, folder, name, 0)))
		err = -errno;
	if (err || !replace)
		unlinkat(folder, fresh, 0);
	if (!err && fsync(folder))
		err = -errno;
	return err ? small_file_refuse(folder, -err, error, "%s cannot be written: %s", name, strerror(-err))
		   : 0;
}

int small_file_replace(int folder, const char *name, const char *text, struct error *error)
{
	return write_under(folder, name, text, true, error);
}

int small_file_create(int folder, const char *name, const char *text, struct error *error)
{
	return write_under(folder, name, text, false, error);
}

int small_file_remove(int folder, const char *name, struct error *error)
{
	char old[NAME_SIZE];

	/*
	 * The previous text is removed first. If the process dies after that, the remaining text must not be
	 * the previous one.
	 */
	snprintf(old, sizeof(old), "%s.old", name);
	if ((unlinkat(folder, old, 0) && errno != ENOENT) || (unlinkat(folder, name, 0) && errno != ENOENT) ||
	    fsync(folder))
		return small_file_refuse(folder, errno, error, "%s cannot be removed: %s", name,
					 strerror(errno));
	return 0;
}
