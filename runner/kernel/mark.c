/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The mark that a clean stop writes for the next start. It contains the ID of the boot, because rings do not
 * survive a boot; how old the commands that wait in the rings can be; and the minor numbers of devices that
 * need a reset in spite of the clean stop.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kernel/private.h"
#include "util/log.h"

#define BOOT_ID     "/proc/sys/kernel/random/boot_id"
#define BOOT_ID_MAX 64
#define END         "end" /* A mark without this line was not written completely. */

/* Reads a line with its newline. Returns false if there is none. */
static bool read_line(FILE *file, char line[BOOT_ID_MAX])
{
	return file && fgets(line, BOOT_ID_MAX, file);
}

static bool read_boot_id(char line[BOOT_ID_MAX])
{
	FILE *file = fopen(BOOT_ID, "re");
	bool got = read_line(file, line);

	if (file)
		fclose(file);
	return got;
}

static bool add_minor(struct kernel_minors *minors, unsigned minor)
{
	unsigned *more = realloc(minors->at, (minors->n + 1) * sizeof(*more));

	if (!more)
		return false;
	minors->at = more;
	minors->at[minors->n++] = minor;
	return true;
}

static bool parse(struct kernel_manager *manager, FILE *file)
{
	char ours[BOOT_ID_MAX], boot[BOOT_ID_MAX], end[sizeof(END)] = "";
	unsigned minor;

	if (!read_line(file, ours) || !read_boot_id(boot) || strcmp(ours, boot) ||
	    fscanf(file, "%" SCNu64, &manager->since_ns) != 1)
		return false;
	while (fscanf(file, "%u", &minor) == 1)
		if (!add_minor(&manager->unclean_before, minor))
			return false;
	return fscanf(file, "%3s", end) == 1 && !strcmp(end, END);
}

/* Opens the mark. A symbolic link in its place is not followed. */
static FILE *open_mark(const struct kernel_manager *manager, int flags, const char *mode)
{
	int fd = open(manager->mark, flags | O_CLOEXEC | O_NOFOLLOW, 0600);
	FILE *file = fd < 0 ? NULL : fdopen(fd, mode);

	if (fd >= 0 && !file)
		close(fd);
	return file;
}

void kernel_mark_read(struct kernel_manager *manager)
{
	FILE *file = open_mark(manager, O_RDONLY, "r");

	manager->clean = parse(manager, file);
	if (!manager->clean)
		manager->since_ns = 0;
	if (file)
		fclose(file);
	/* A mark is valid for one start only. */
	if (unlink(manager->mark) && errno != ENOENT)
		manager->clean = false;
}

bool kernel_mark_is_clean(const struct kernel_manager *manager, unsigned minor)
{
	for (size_t i = 0; i < manager->unclean_before.n; i++)
		if (manager->unclean_before.at[i] == minor)
			return false;
	return manager->clean;
}

void kernel_mark_add_unclean(struct kernel_manager *manager, unsigned minor)
{
	manager->no_mark |= !add_minor(&manager->unclean, minor);
}

void kernel_mark_write(const struct kernel_manager *manager)
{
	char boot[BOOT_ID_MAX];
	FILE *file = !manager->no_mark && read_boot_id(boot)
			 ? open_mark(manager, O_WRONLY | O_CREAT | O_TRUNC, "w")
			 : NULL;
	bool written = false;

	if (file) {
		fprintf(file, "%s%" PRIu64 "\n", boot, manager->left_ns);
		for (size_t i = 0; i < manager->unclean.n; i++)
			fprintf(file, "%u ", manager->unclean.at[i]);
		/* If a part of the list was lost, the mark must not look complete. */
		if (!fflush(file) && !ferror(file))
			written = fputs(END "\n", file) >= 0;
		written = !fclose(file) && written;
	}
	/* Without the mark, the next start resets the rings, and initiators repeat their commands. */
	if (!written && !manager->no_mark)
		log_warn(NULL, "%s: %s", manager->mark, strerror(errno));
}
