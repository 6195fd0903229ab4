/* SPDX-License-Identifier: Apache-2.0 */
/* Reads and writes the attributes of TCMU devices in configfs. The callers interpret the values. */
#include "kernel/configfs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/cleanup.h"

#define CONFIGFS_ROOT "/sys/kernel/config/target"
#define SERIAL_LABEL  "T10 VPD Unit Serial Number: "

const char *tcmu_configfs_root(void)
{
	const char *root = getenv("TCMU_CONFIGFS");

	return root ? root : CONFIGFS_ROOT;
}

int tcmu_configfs_folder(struct tcmu_configfs *cfs, struct error *error, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	int n = vsnprintf(cfs->path, sizeof(cfs->path), format, args);
	va_end(args);
	if (n < 0 || (size_t)n >= sizeof(cfs->path))
		return error_set(error, ENAMETOOLONG, "%.80s...: the path is too long", cfs->path);
	return 0;
}

int tcmu_configfs_device(struct tcmu_configfs *cfs, const char *hba, const char *device, struct error *error)
{
	return tcmu_configfs_folder(cfs, error, "%s/core/user_%s/%s", tcmu_configfs_root(), hba, device);
}

static int open_file(const struct tcmu_configfs *cfs, const char *file, int flags, struct error *error)
{
	char path[640];

	snprintf(path, sizeof(path), "%s/%s", cfs->path, file);
	int fd = open(path, flags | O_CLOEXEC);
	return fd >= 0 ? fd : error_set(error, errno, "%s: %s", path, strerror(errno));
}

ssize_t tcmu_configfs_read_all(const struct tcmu_configfs *cfs, const char *file, char *text, size_t size,
			       struct error *error)
{
	CLEANUP_CLOSE int fd = open_file(cfs, file, O_RDONLY, error);

	if (fd < 0)
		return fd;
	ssize_t n = read(fd, text, size);
	if (n < 0)
		return error_set(error, errno, "%s/%s: %s", cfs->path, file, strerror(errno));
	return n;
}

int tcmu_configfs_read(const struct tcmu_configfs *cfs, const char *file, char *text, size_t size,
		       struct error *error)
{
	ssize_t n = tcmu_configfs_read_all(cfs, file, text, size - 1, error);

	if (n < 0)
		return (int)n;
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
		return error_set(error, EINVAL, "%s/%s: '%s' is not a number", cfs->path, file, text);
	return 0;
}

int tcmu_configfs_hold(const struct tcmu_configfs *cfs, const char *file, struct error *error)
{
	return open_file(cfs, file, O_PATH, error);
}

int tcmu_configfs_read_held(int held, uint64_t *value)
{
	char path[40], text[32] = "";

	snprintf(path, sizeof(path), "/proc/self/fd/%d", held);
	CLEANUP_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || read(fd, text, sizeof(text) - 1) < 0)
		return -errno;
	*value = strtoull(text, NULL, 10);
	return 0;
}

static int read_number(const struct tcmu_configfs *cfs, const char *file, unsigned max, uint64_t *value,
		       struct error *error)
{
	int err = tcmu_configfs_read_u64(cfs, file, value, error);

	if (!err && *value > max)
		return error_set(error, EINVAL, "%s/%s: %llu is more than %u", cfs->path, file,
				 (unsigned long long)*value, max);
	return err;
}

int tcmu_configfs_read_byte(const struct tcmu_configfs *cfs, const char *file, uint8_t max, uint8_t *value,
			    struct error *error)
{
	uint64_t number;
	int err = read_number(cfs, file, max, &number, error);

	if (!err)
		*value = (uint8_t)number;
	return err;
}

int tcmu_configfs_read_u16(const struct tcmu_configfs *cfs, const char *file, uint16_t *value,
			   struct error *error)
{
	uint64_t number;
	int err = read_number(cfs, file, UINT16_MAX, &number, error);

	if (!err)
		*value = (uint16_t)number;
	return err;
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
