/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finds other users of a file or a block device. Neither loop devices nor the kernel's backstores take locks
 * that a process can see. Without this check, a disk that they use would be served a second time.
 */
#include "in_use.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

const char *in_use_configfs = "/sys/kernel/config/target";
const char *in_use_blocks = "/sys/block";

#define PATH_SIZE 4200

static bool is_same(const struct stat *a, const struct stat *b)
{
	if ((a->st_mode & S_IFMT) != (b->st_mode & S_IFMT))
		return false;
	if (S_ISBLK(a->st_mode))
		return a->st_rdev == b->st_rdev;
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* Formats a path into PATH_SIZE bytes. A path that is too long becomes "", which is the name of no file. */
static __attribute__((format(printf, 2, 3))) void format_path(char *path, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	int len = vsnprintf(path, PATH_SIZE, format, args);
	va_end(args);
	if (len < 0 || len >= PATH_SIZE)
		path[0] = '\0';
}

/* Reads the first line of a file without its newline. Sets "" if there is none. */
static void read_line(const char *path, char *text, size_t len)
{
	FILE *file = fopen(path, "re");

	text[0] = '\0';
	if (!file)
		return;
	if (fgets(text, (int)len, file))
		text[strcspn(text, "\n")] = '\0';
	fclose(file);
}

/* Calls match for each entry of folder until it returns true. */
static bool find_entry(const char *folder, bool (*match)(const char *folder, const char *name, void *arg),
		       void *arg)
{
	DIR *dir = opendir(folder);
	const struct dirent *entry;
	bool found = false;

	if (!dir)
		return false;
	while (!found && (entry = readdir(dir)) != NULL)
		found = entry->d_name[0] != '.' && match(folder, entry->d_name, arg);
	closedir(dir);
	return found;
}

struct search {
	const struct stat *st;
	bool read_only;
	unsigned own; /* The number of descriptors of this process that lead to the storage. */
	char *text;
	size_t len;
};

/* --- loop devices --- */

/*
 * Returns whether the loop device is attached to the file. sysfs shows the path at the time when the device
 * was attached. The device itself reports the file.
 */
static bool is_attached(const char *name, const char *path, const struct stat *st)
{
	struct loop_info64 info;
	struct stat file;
	char node[64];

	snprintf(node, sizeof(node), "/dev/%.32s", name);
	int fd = open(node, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	bool known = fd >= 0 && ioctl(fd, LOOP_GET_STATUS64, &info) == 0;
	if (fd >= 0)
		close(fd);
	if (known && info.lo_inode == st->st_ino && info.lo_device == st->st_dev)
		return true;
	return path[0] && stat(path, &file) == 0 && is_same(&file, st);
}

static bool match_loop(const char *folder, const char *name, void *arg)
{
	const struct search *search = arg;
	char path[PATH_SIZE], file[PATH_SIZE], read_only[8];

	if (strncmp(name, "loop", 4) || !isdigit((unsigned char)name[4]))
		return false;
	format_path(path, "%s/%s/loop/backing_file", folder, name);
	read_line(path, file, sizeof(file));
	if (!file[0])
		return false; /* The device is attached to nothing. */
	format_path(path, "%s/%s/ro", folder, name);
	read_line(path, read_only, sizeof(read_only));
	if ((search->read_only && read_only[0] == '1') || !is_attached(name, file, search->st))
		return false;
	snprintf(search->text, search->len, "/dev/%s is attached to it", name);
	return true;
}

bool in_use_by_loop(const struct stat *st, bool read_only, char *text, size_t len)
{
	struct search search = {.st = st, .read_only = read_only, .text = text, .len = len};

	return find_entry(in_use_blocks, match_loop, &search);
}

/* --- the kernel's backstores --- */

static bool match_backstore(const char *folder, const char *name, void *arg)
{
	const struct search *search = arg;
	char path[PATH_SIZE], storage[PATH_SIZE], enabled[8];
	struct stat st;

	format_path(path, "%s/%s/udev_path", folder, name);
	read_line(path, storage, sizeof(storage));
	if (!storage[0] || stat(storage, &st) < 0 || !is_same(&st, search->st))
		return false;
	format_path(path, "%s/%s/enable", folder, name);
	read_line(path, enabled, sizeof(enabled));
	if (enabled[0] == '0')
		return false;
	snprintf(search->text, search->len, "the kernel's backstore %s/%s uses it", strrchr(folder, '/') + 1,
		 name);
	return true;
}

/*
 * Finds a matching backstore of an HBA. The folders of TCMU devices, user_N, are left out, because the kernel
 * holds the folder of a device while it removes it, and a look-up there would wait.
 */
static bool match_hba(const char *folder, const char *name, void *arg)
{
	static const char *const plugins[] = {"fileio_", "iblock_", "pscsi_"};
	char path[PATH_SIZE];

	for (unsigned i = 0; i < sizeof(plugins) / sizeof(plugins[0]); i++) {
		if (strncmp(name, plugins[i], strlen(plugins[i])))
			continue;
		format_path(path, "%s/%s", folder, name);
		return find_entry(path, match_backstore, arg);
	}
	return false;
}

bool in_use_by_backstore(const struct stat *st, char *text, size_t len)
{
	struct search search = {.st = st, .text = text, .len = len};
	char core[PATH_SIZE];

	format_path(core, "%s/core", in_use_configfs);
	return find_entry(core, match_hba, &search);
}

/* --- processes --- */

static bool match_descriptor(const char *folder, const char *name, void *arg)
{
	const struct search *search = arg;
	char path[PATH_SIZE];
	struct stat st;

	format_path(path, "%s/%s", folder, name);
	return stat(path, &st) == 0 && is_same(&st, search->st);
}

static bool match_process(const char *folder, const char *name, void *arg)
{
	struct search *search = arg;
	char path[PATH_SIZE], command[64];

	if (!isdigit((unsigned char)name[0]) || strtol(name, NULL, 10) == getpid())
		return false;
	format_path(path, "%s/%s/fd", folder, name);
	if (!find_entry(path, match_descriptor, search))
		return false;
	format_path(path, "%s/%s/comm", folder, name);
	read_line(path, command, sizeof(command));
	snprintf(search->text, search->len, "process %.16s (%s) has it open", name, command);
	return true;
}

static bool count_descriptor(const char *folder, const char *name, void *arg)
{
	struct search *search = arg;

	search->own += match_descriptor(folder, name, arg);
	return search->own > 1;
}

void in_use_by_process(const struct stat *st, char *text, size_t len)
{
	struct search search = {.st = st, .text = text, .len = len};

	if (find_entry("/proc/self/fd", count_descriptor, &search))
		snprintf(text, len, "another disk of this daemon uses it");
	else if (!find_entry("/proc", match_process, &search))
		snprintf(text, len, "by a process that cannot be seen from here, or by another host");
}
