/* SPDX-License-Identifier: Apache-2.0 */
/* Memory that outlives the process. contents.c decides which disk uses it. */
#include "storage/memfd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "storage/digest.h"

void memfd_name_of_key(const char *key, char name[MEMFD_NAME_SIZE])
{
	char hex[DIGEST_HEX_SIZE];

	digest_texts_hex((const char *const[]){"memory", key, NULL}, hex);
	snprintf(name, MEMFD_NAME_SIZE, MEMFD_PREFIX "%.32s", hex);
}

bool memfd_read_name(int fd, char name[MEMFD_NAME_SIZE])
{
	static const char before[] = "/memfd:", after[] = " (deleted)";
	char path[40], link[MEMFD_NAME_SIZE + 32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	ssize_t n = readlink(path, link, sizeof(link) - 1);
	if (n < 0)
		return false;
	link[n] = '\0';
	char *end = strstr(link, after);
	if (strncmp(link, before, strlen(before)) || !end)
		return false;
	*end = '\0';
	return snprintf(name, MEMFD_NAME_SIZE, "%s", link + strlen(before)) < MEMFD_NAME_SIZE;
}

int memfd_make(const char *name, uint64_t size)
{
	int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	int err = 0;

	if (fd < 0)
		return -errno;
	if (ftruncate(fd, (off_t)size) || fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL))
		err = -errno;
	if (!err)
		return fd;
	close(fd);
	return err;
}
