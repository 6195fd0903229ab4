/* SPDX-License-Identifier: Apache-2.0 */
/*
 * LIO's plug-ins in the tree: the plug-in and the number in the name of an HBA, the block device to which a
 * path leads, and the path of a device's storage. control.c has the settings of each plug-in.
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "storage/spec.h"
#include "tree/private.h"
#include "util/bytes.h"
#include "util/cleanup.h"

static const char *const plugins[] = {"user", "fileio", "iblock", "rd_mcp"};

const char *tree_plugin_of(const char *hba)
{
	for (size_t i = 0; i < ARRAY_SIZE(plugins); i++) {
		size_t length = strlen(plugins[i]);
		const char *number = hba + length + 1;

		if (!strncmp(hba, plugins[i], length) && hba[length] == '_' && *number &&
		    strspn(number, "0123456789") == strlen(number) && strlen(number) <= 7 &&
		    (*number != '0' || !number[1]))
			return plugins[i];
	}
	return NULL;
}

unsigned tree_plugin_index(const char *hba)
{
	const char *number = strrchr(hba, '_');

	return number ? (unsigned)strtoul(number + 1, NULL, 10) : 0;
}

/* --- disks ------------------------------------------------------------------------------------ */

/*
 * Opens a path below /dev. The main thread must not wait for a file system that hangs, and especially not for
 * the tree itself. Therefore, this function follows only links that stay on the file system of /dev.
 */
static int open_below_dev(const char *path)
{
	const struct open_how how = {.flags = O_PATH | O_CLOEXEC,
				     .resolve = RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS};
	int dev, fd;

	if (strncmp(path, "/dev/", 5) != 0)
		return -1;
	dev = open("/dev", O_PATH | O_CLOEXEC);
	fd = dev < 0 ? -1 : (int)syscall(SYS_openat2, dev, path + 5, &how, sizeof(how));
	if (dev >= 0)
		close(dev);
	return fd;
}

bool tree_disk_find(const char *path, struct tree_disk *disk)
{
	char sysfs[64], link[512];
	struct stat st;
	CLEANUP_CLOSE int fd = open_below_dev(path);

	if (fd < 0 || fstat(fd, &st) || !S_ISBLK(st.st_mode))
		return false;
	*disk = (struct tree_disk){.major = major(st.st_rdev), .minor = minor(st.st_rdev)};
	snprintf(sysfs, sizeof(sysfs), "/sys/dev/block/%u:%u", disk->major, disk->minor);
	ssize_t length = readlink(sysfs, link, sizeof(link) - 1);
	if (length <= 0)
		return false;
	link[length] = '\0';
	const char *name = strrchr(link, '/');
	snprintf(disk->name, sizeof(disk->name), "%s", name ? name + 1 : link);
	return true;
}

char *tree_device_path(const struct tree_folder *folder)
{
	char text[MODEL_TEXT_SIZE];
	struct storage_spec spec;
	char *path = NULL;

	model_get(folder->object, model_attribute(MODEL_STORAGE, "control", "config"), text);
	if (!*text || storage_spec_parse(&spec, text, NULL))
		return strdup("");
	if (!strncmp(spec.config, "file/", 5))
		path = strdup(spec.config + 5);
	else if (!strncmp(spec.config, "block/", 6))
		path = strdup(spec.config + 6);
	else
		path = strdup("");
	storage_spec_free(&spec);
	return path;
}
