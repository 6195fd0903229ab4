/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads data of the kernel and of udev about a block device: attributes in /sys, properties in udev's
 * database, and the mount or the other device that uses it. The callers interpret the values.
 */
#include "sysfs.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

const char *sysfs_devices = "/sys/dev/block";
const char *udev_data = "/run/udev/data";

static void make_path(dev_t device, const char *attribute, char *path, size_t len)
{
	snprintf(path, len, "%s/%u:%u/%s", sysfs_devices, major(device), minor(device), attribute);
}

static bool read_line(const char *path, char *text, size_t len)
{
	FILE *file = fopen(path, "re");
	bool got;

	if (!file)
		return false;
	got = fgets(text, (int)len, file) != NULL;
	fclose(file);
	if (got)
		text[strcspn(text, "\n")] = '\0';
	return got;
}

void sysfs_text(dev_t device, const char *attribute, char *text, size_t len)
{
	char path[256];

	for (int up = 0; up < 2; up++) {
		snprintf(path, sizeof(path), "%s/%u:%u/%s%s", sysfs_devices, major(device), minor(device),
			 up ? "../" : "", attribute);
		if (read_line(path, text, len))
			return;
	}
	text[0] = '\0';
}

uint64_t sysfs_number(dev_t device, const char *attribute, uint64_t fallback)
{
	char text[32];
	char *end;
	uint64_t value;

	sysfs_text(device, attribute, text, sizeof(text));
	errno = 0;
	value = strtoull(text, &end, 10);
	return end == text || *end != '\0' || errno != 0 ? fallback : value;
}

bool sysfs_own_text(dev_t device, const char *attribute, char *text, size_t len)
{
	char path[256];

	make_path(device, attribute, path, sizeof(path));
	if (read_line(path, text, len) && text[0])
		return true;
	text[0] = '\0';
	return false;
}

size_t sysfs_bytes(dev_t device, const char *attribute, uint8_t *bytes, size_t len)
{
	char path[256];
	FILE *file;
	size_t n;

	make_path(device, attribute, path, sizeof(path));
	file = fopen(path, "re");
	if (!file)
		return 0;
	n = fread(bytes, 1, len, file);
	fclose(file);
	return n;
}

/* Finds the first line of a file that consists of prefix, name, "=" and a value, and copies the value. */
static bool find_value(const char *path, const char *prefix, const char *name, char *text, size_t len)
{
	size_t prefix_len = strlen(prefix), name_len = strlen(name);
	FILE *file = fopen(path, "re");
	char line[512];
	bool found = false;

	text[0] = '\0';
	if (!file)
		return false;
	while (!found && fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = '\0';
		found = !strncmp(line, prefix, prefix_len) && !strncmp(line + prefix_len, name, name_len) &&
			line[prefix_len + name_len] == '=';
	}
	fclose(file);
	if (found)
		snprintf(text, len, "%s", line + prefix_len + name_len + 1);
	return text[0] != '\0';
}

bool sysfs_uevent(dev_t device, const char *name, char *text, size_t len)
{
	char path[256];

	make_path(device, "uevent", path, sizeof(path));
	return find_value(path, "", name, text, len);
}

/* udev's database has a file for each device, with a line "E:NAME=VALUE" for each property. */
bool udev_property(dev_t device, const char *name, char *text, size_t len)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/b%u:%u", udev_data, major(device), minor(device));
	return find_value(path, "E:", name, text, len);
}

bool sysfs_disk(dev_t partition, dev_t *disk)
{
	char text[32];
	unsigned maj, min;

	if (!sysfs_own_text(partition, "../dev", text, sizeof(text)) ||
	    sscanf(text, "%u:%u", &maj, &min) != 2)
		return false;
	*disk = makedev(maj, min);
	return true;
}

/* --- users of the device ---------------------------------------------------------------------- */

/* Returns whether maj:min is the device, or a partition of the device. */
static bool is_part_of(unsigned maj, unsigned min, dev_t device)
{
	dev_t other = makedev(maj, min), disk;

	return other == device || (sysfs_disk(other, &disk) && disk == device);
}

/* The fields of a line in /proc/PID/mountinfo (proc(5)): ID, parent, major:minor, root, mount point, … */
static bool find_mount(dev_t device, char *text, size_t len)
{
	FILE *file = fopen("/proc/self/mountinfo", "re");
	char *line = NULL;
	size_t line_size = 0;
	bool found = false;

	if (!file)
		return false;
	while (!found && getline(&line, &line_size, file) > 0) {
		unsigned maj, min;
		int start = 0, end = 0;

		if (sscanf(line, "%*u %*u %u:%u %*s %n%*s%n", &maj, &min, &start, &end) == 2 && end > start &&
		    is_part_of(maj, min, device)) {
			snprintf(text, len, "it is mounted at %.*s", end - start, line + start);
			found = true;
		}
	}
	free(line);
	fclose(file);
	return found;
}

/*
 * The device's folder "holders" has a link for each other device that uses this one as its storage: device
 * mapper, LVM and MD create these links.
 */
static bool find_holder(dev_t device, char *text, size_t len)
{
	char path[256];
	const struct dirent *entry;
	bool found = false;
	DIR *dir;

	make_path(device, "holders", path, sizeof(path));
	dir = opendir(path);
	if (!dir)
		return false;
	while (!found && (entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(text, len, "the device %s is built on it", entry->d_name);
		found = true;
	}
	closedir(dir);
	return found;
}

bool sysfs_find_user(dev_t device, char *text, size_t len)
{
	return find_mount(device, text, len) || find_holder(device, text, len);
}
