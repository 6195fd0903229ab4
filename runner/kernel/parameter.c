/* SPDX-License-Identifier: Apache-2.0 */
/* Writes parameters of the kernel module target_core_user. */
#include "kernel/parameter.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "util/cleanup.h"

#define PARAMETERS "/sys/module/target_core_user/parameters"

int tcmu_module_parameter(const char *name, const char *value)
{
	char path[128];

	snprintf(path, sizeof(path), PARAMETERS "/%s", name);
	CLEANUP_CLOSE int fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, value, strlen(value)) < 0)
		return -errno;
	return 0;
}
