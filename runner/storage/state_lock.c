/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The locks of the state folder. Two daemons must not serve a disk in memory under the same name, because
 * both would record its writes in the same file, and the removal of one disk would hide the loss of the
 * other. The lock is an open file description lock on a separate file, because each write replaces the file
 * of the object. contents.c decides for which disks the lock is taken.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "storage/small_file.h"
#include "storage/state.h"
#include "util/cleanup.h"

static void name_of_lock(const char *key, char name[STATE_NAME_SIZE])
{
	storage_state_name(key, name);
	strcpy(strrchr(name, '.'), ".lock");
}

/* --- the process that has the lock --- */

/* Writes the process ID into the file, for people and for the next process. */
static void write_holder(int fd)
{
	char text[24];
	int len = snprintf(text, sizeof(text), "%d\n", getpid());

	/* If the number cannot be written, the lock works nevertheless. */
	if (ftruncate(fd, 0) || pwrite(fd, text, (size_t)len, 0) != len)
		return;
}

/* Returns the ID of the process that has the lock, or 0 if it is unknown. */
static int read_holder(int fd)
{
	char text[24];
	ssize_t n = pread(fd, text, sizeof(text) - 1, 0);

	text[n < 0 ? 0 : n] = '\0';
	return (int)strtol(text, NULL, 10);
}

/*
 * Returns whether the process was killed while one of its threads hangs in storage. Such a process serves
 * nothing any more, but keeps its locks until the storage answers. Its state is Z (proc(5)).
 */
static bool is_dead(int pid)
{
	char path[32], text[128];

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	CLEANUP_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);

	text[n < 0 ? 0 : n] = '\0';
	const char *end = strrchr(text, ')');
	return end && strlen(end) > 2 && strchr("ZX", end[2]);
}

static int refuse(int folder, int fd, const char *name, struct error *error)
{
	int holder = read_holder(fd);

	if (holder && is_dead(holder))
		return small_file_refuse(folder, EOWNERDEAD, error,
					 "%s: process %d, which has ended, keeps it locked", name, holder);
	if (holder)
		return error_set(error, EBUSY, "process %d", holder);
	return error_set(error, EBUSY, "another process");
}

/* --- the lock --- */

/* Returns whether the file still has its name. The process that had the lock may have removed it. */
static bool is_linked(int fd)
{
	struct stat st;

	return !fstat(fd, &st) && st.st_nlink;
}

/* Returns a descriptor, or -errno with error set. */
static int open_and_lock(int folder, const char *name, struct error *error)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	int fd =
	    openat(folder, name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0600);

	if (fd < 0)
		return small_file_refuse(folder, errno, error, "%s: %s", name, strerror(errno));
	if (!fcntl(fd, F_OFD_SETLK, &lock))
		return fd;
	int err = errno == EAGAIN || errno == EACCES
		      ? refuse(folder, fd, name, error)
		      : small_file_refuse(folder, errno, error, "%s: %s", name, strerror(errno));
	close(fd);
	return err;
}

int storage_state_lock(int folder, const char *key, struct error *error)
{
	char name[STATE_NAME_SIZE];

	name_of_lock(key, name);
	for (;;) {
		int fd = open_and_lock(folder, name, error);

		if (fd >= 0 && !is_linked(fd)) {
			close(fd);
			continue;
		}
		if (fd >= 0)
			write_holder(fd);
		return fd;
	}
}

void storage_state_unlock(int folder, const char *key, int fd, bool is_last)
{
	char name[STATE_NAME_SIZE];

	name_of_lock(key, name);
	if (is_last)
		unlinkat(folder, name, 0);
	close(fd);
}
