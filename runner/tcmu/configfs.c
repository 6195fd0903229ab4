/* SPDX-License-Identifier: Apache-2.0 */
#include "tcmu/configfs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/cleanup.h"

#define CONFIGFS_ROOT "/sys/kernel/config/target"
#define SERIAL_LABEL  "T10 VPD Unit Serial Number: "

int tcmu_configfs_device(struct tcmu_configfs *cfs, const char *hba, const char *device, struct error *error)
{
	const char *root = getenv("TCMU_CONFIGFS");
	int n = snprintf(cfs->path, sizeof(cfs->path), "%s/core/user_%s/%s", root ? root : CONFIGFS_ROOT, hba,
			 device);

	if (n < 0 || (size_t)n >= sizeof(cfs->path))
		return error_set(error, ENAMETOOLONG, "user_%s/%s: the path is too long", hba, device);
	return 0;
}

static int open_file(const struct tcmu_configfs *cfs, const char *file, int flags, struct error *error)
{
	char path[640];

	snprintf(path, sizeof(path), "%s/%s", cfs->path, file);
	int fd = open(path, flags | O_CLOEXEC);
	return fd >= 0 ? fd : error_set(error, errno, "%s: %s", path, strerror(errno));
}

int tcmu_configfs_read(const struct tcmu_configfs *cfs, const char *file, char *text, size_t size,
		       struct error *error)
{
	CLEANUP_CLOSE int fd = open_file(cfs, file, O_RDONLY, error);

	if (fd < 0)
		return fd;
	ssize_t n = read(fd, text, size - 1);
	if (n < 0)
		return error_set(error, errno, "%s/%s: %s", cfs->path, file, strerror(errno));
	text[n] = '\0';
	text[strcspn(text, "\n")] = '\0';
	return 0;
}

int tcmu_configfs_read_u64(const struct tcmu_configfs *cfs, const char *file, uint64_t *value,
			   struct error *error)
{
	char text[32], *end;
	int err = tcmu_configfs_read(cfs, file, text, sizeof(text), error);

	if (err)
		return err;
	errno = 0;
	*value = strtoull(text, &end, 10);
	if (errno || end == text || *end)
		return error_set(error, EINVAL, "%s/%s: '%s' is no number", cfs->path, file, text);
	return 0;
}

static int write_all(int fd, const char *text)
{
	ssize_t n = write(fd, text, strlen(text));

	if (n < 0)
		return -errno;
	return (size_t)n == strlen(text) ? 0 : -EIO;
}

int tcmu_configfs_write(const struct tcmu_configfs *cfs, const char *file, const char *text,
			struct error *error)
{
	CLEANUP_CLOSE int fd = open_file(cfs, file, O_WRONLY, error);

	if (fd < 0)
		return fd;
	int err = write_all(fd, text);
	return err ? error_set(error, -err, "%s/%s: '%s': %s", cfs->path, file, text, strerror(-err)) : 0;
}

int tcmu_configfs_serial(const struct tcmu_configfs *cfs, char *serial, size_t size, struct error *error)
{
	char text[512];
	int err = tcmu_configfs_read(cfs, "wwn/vpd_unit_serial", text, sizeof(text), error);

	if (err)
		return err;
	if (strncmp(text, SERIAL_LABEL, strlen(SERIAL_LABEL)))
		return error_set(error, EINVAL, "%s/wwn/vpd_unit_serial: '%s' is not understood", cfs->path,
				 text);
	snprintf(serial, size, "%s", text + strlen(SERIAL_LABEL));
	return 0;
}
