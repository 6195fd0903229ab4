/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The UIO side of a TCMU device: finds its node in /dev, and maps its memory. runner/ring interprets this
 * memory.
 */
#include "kernel/uio.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "util/cleanup.h"

#define SYSFS_UIO "/sys/class/uio"
#define PREFIX    "tcm-user/"

/*
 * Reads a small file of sysfs without the newline at its end; the name of a device may contain other
 * newlines. Returns 0 or -errno.
 */
static int read_value(const char *path, char *value, size_t size)
{
	CLEANUP_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, value, size - 1);

	if (n < 0)
		return -errno;
	while (n && value[n - 1] == '\n')
		n--;
	value[n] = '\0';
	return 0;
}

static int read_map_len(unsigned minor, size_t *len, struct error *error)
{
	char path[64], line[32];

	snprintf(path, sizeof(path), SYSFS_UIO "/uio%u/maps/map0/size", minor);
	int err = read_value(path, line, sizeof(line));
	if (err)
		return error_set(error, err == -ENOENT ? ENODEV : -err, "%s: %s", path, strerror(-err));
	*len = strtoull(line, NULL, 16);
	return *len ? 0 : error_set(error, EINVAL, "%s: '%s' is not a size", path, line);
}

int tcmu_uio_open(unsigned minor, struct tcmu_uio *uio, struct error *error)
{
	char path[32];

	uio->map = NULL;
	if (uio->fd >= 0)
		return 0;
	snprintf(path, sizeof(path), "/dev/uio%u", minor);
	uio->fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (uio->fd >= 0)
		return 0;
	return error_set(error, errno == ENOENT ? ENODEV : errno, "%s: %s", path, strerror(errno));
}

int tcmu_uio_map(unsigned minor, struct tcmu_uio *uio, struct error *error)
{
	int err = read_map_len(minor, &uio->map_len, error);

	if (err)
		return err;
	/* The kernel accepts no other length and no other offset. */
	void *map = mmap(NULL, uio->map_len, PROT_READ | PROT_WRITE, MAP_SHARED, uio->fd, 0);

	if (map == MAP_FAILED)
		return error_set(error, errno, "/dev/uio%u: mmap of %zu bytes: %s", minor, uio->map_len,
				 strerror(errno));
	uio->map = map;
	return 0;
}

/*
 * The device number is not enough, because a new device may have it. But if the device of fd was removed,
 * read() fails with EIO.
 */
bool tcmu_uio_is_device(int fd, unsigned minor)
{
	char path[64], line[32], wanted[32];
	struct stat st;
	int32_t count;

	if (fstat(fd, &st) || !S_ISCHR(st.st_mode))
		return false;
	snprintf(path, sizeof(path), SYSFS_UIO "/uio%u/dev", minor);
	snprintf(wanted, sizeof(wanted), "%u:%u", major(st.st_rdev), minor(st.st_rdev));
	return !read_value(path, line, sizeof(line)) && !strcmp(line, wanted) &&
	       (read(fd, &count, sizeof(count)) >= 0 || errno == EAGAIN);
}

void tcmu_uio_close(struct tcmu_uio *uio)
{
	if (uio->map)
		munmap(uio->map, uio->map_len);
	close(uio->fd);
}

int tcmu_uio_scan(void (*found)(void *arg, unsigned minor, const char *uio_name), void *arg,
		  struct error *error)
{
	DIR *dir = opendir(SYSFS_UIO);
	struct dirent *entry;

	/* The class may not exist if there is no UIO device. */
	if (!dir)
		return errno == ENOENT ? 0 : error_set(error, errno, SYSFS_UIO ": %s", strerror(errno));
	while ((entry = readdir(dir))) {
		char path[300], name[1024];
		unsigned minor;

		if (sscanf(entry->d_name, "uio%u", &minor) != 1)
			continue;
		snprintf(path, sizeof(path), SYSFS_UIO "/%s/name", entry->d_name);
		if (!read_value(path, name, sizeof(name)) && !strncmp(name, PREFIX, strlen(PREFIX)))
			found(arg, minor, name);
	}
	closedir(dir);
	return 0;
}
