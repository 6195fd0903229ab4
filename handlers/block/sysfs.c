/* SPDX-License-Identifier: Apache-2.0 */
#include "sysfs.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

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
	char path[128];

	for (int up = 0; up < 2; up++) {
		snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/%s%s", major(device), minor(device),
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

/* --- who uses it --------------------------------------------------------------------------------- */

/* True also for a partition of the device. */
static bool is_part_of(unsigned maj, unsigned min, dev_t device)
{
	char path[64], text[32], wanted[32];

	if (makedev(maj, min) == device)
		return true;
	snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/../dev", maj, min);
	snprintf(wanted, sizeof(wanted), "%u:%u", major(device), minor(device));
	return read_line(path, text, sizeof(text)) && strcmp(text, wanted) == 0;
}

/* proc(5), /proc/pid/mountinfo: ID, parent, major:minor, root, mount point, … */
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
			snprintf(text, len, "mounted at %.*s", end - start, line + start);
			found = true;
		}
	}
	free(line);
	fclose(file);
	return found;
}

/* Device mapper, LVM and MD put a link to what they made of the device here. */
static bool find_holder(dev_t device, char *text, size_t len)
{
	char path[64];
	const struct dirent *entry;
	bool found = false;
	DIR *dir;

	snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/holders", major(device), minor(device));
	dir = opendir(path);
	if (!dir)
		return false;
	while (!found && (entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(text, len, "held by %s", entry->d_name);
		found = true;
	}
	closedir(dir);
	return found;
}

void sysfs_user(dev_t device, char *text, size_t len)
{
	if (!find_mount(device, text, len) && !find_holder(device, text, len))
		snprintf(text, len, "opened exclusively by another program, or swap");
}
