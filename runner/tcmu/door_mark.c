/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The mark that a clean stop leaves for the next start: the boot's id, for rings do not survive that; how old what waits
 * in the rings can be; and the minor numbers of devices that need a reset nevertheless.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tcmu/door_private.h"
#include "util/log.h"

#define BOOT_ID     "/proc/sys/kernel/random/boot_id"
#define BOOT_ID_MAX 64
#define END         "end" /* a mark without it was not written to its end */

/* With the newline at its end. */
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

static bool add(struct door_minors *minors, unsigned minor)
{
	unsigned *more = realloc(minors->at, (minors->n + 1) * sizeof(*more));

	if (!more)
		return false;
	minors->at = more;
	minors->at[minors->n++] = minor;
	return true;
}

static bool parse(struct tcmu_door *door, FILE *file)
{
	char ours[BOOT_ID_MAX], boot[BOOT_ID_MAX], end[sizeof(END)] = "";
	unsigned minor;

	if (!read_line(file, ours) || !read_boot_id(boot) || strcmp(ours, boot) ||
	    fscanf(file, "%" SCNu64, &door->since_ns) != 1)
		return false;
	while (fscanf(file, "%u", &minor) == 1)
		if (!add(&door->unclean_before, minor))
			return false;
	return fscanf(file, "%3s", end) == 1 && !strcmp(end, END);
}

void door_mark_take(struct tcmu_door *door)
{
	FILE *file = fopen(door->mark, "re");

	door->clean = parse(door, file);
	if (!door->clean)
		door->since_ns = 0;
	if (file)
		fclose(file);
	/* It is good for one start. */
	if (unlink(door->mark) && errno != ENOENT)
		door->clean = false;
}

bool door_mark_says_clean(const struct tcmu_door *door, unsigned minor)
{
	for (size_t i = 0; i < door->unclean_before.n; i++)
		if (door->unclean_before.at[i] == minor)
			return false;
	return door->clean;
}

void door_mark_unclean(struct tcmu_door *door, unsigned minor)
{
	door->no_mark |= !add(&door->unclean, minor);
}

void door_mark_leave(const struct tcmu_door *door)
{
	char boot[BOOT_ID_MAX];
	FILE *file = !door->no_mark && read_boot_id(boot) ? fopen(door->mark, "we") : NULL;
	bool written = file;

	if (file) {
		fprintf(file, "%s%" PRIu64 "\n", boot, door->left_ns);
		for (size_t i = 0; i < door->unclean.n; i++)
			fprintf(file, "%u ", door->unclean.at[i]);
		written = fputs(END "\n", file) >= 0;
		written = !fclose(file) && written;
	}
	/* Without it the next start resets the rings, which initiators survive. */
	if (!written && !door->no_mark)
		log_warn(NULL, "%s: %s", door->mark, strerror(errno));
}
