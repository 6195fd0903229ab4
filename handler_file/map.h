/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files in memory (tmpfs) are read and written through a mapping, because a system call costs more
 * than the copy of a few blocks. Only pages that hold data are used, because an access to a hole of
 * the mapping would fill it. The file's extents at open, and the writes since then, tell which
 * pages hold data.
 */
#ifndef FILE_MAP_H
#define FILE_MAP_H

#define TCMUR_API_VERSION 1
#include <tcmur/handler.h>

#include "page_marks.h"

struct map {
	char *base; /* NULL if the file is not mapped. */
	uint64_t len;
	struct page_marks data;
};

/* Main thread. Called before the first map_open() and after the last map_close(). Returns 0 or -errno. */
int map_load(void);
void map_unload(void);
/* Maps the first len bytes. If that fails, there is no mapping. */
void map_open(struct map *map, int fd, uint64_t len, bool read_only);
void map_close(struct map *map);
/*
 * Any thread. Returns false if not all data was moved, because the range is partly outside of the mapping or
 * in a hole, or because the file was shortened. The caller then moves the data with a system call, which also
 * reports errors.
 */
bool map_read(const struct map *map, const struct tcmur_io *io);
bool map_write(const struct map *map, const struct tcmur_io *io);
/* To be called before a write with a system call. Records that the pages will contain data. */
void map_filled(struct map *map, const struct tcmur_io *io);
/* To be called before the file gets holes. Records that the pages will contain no data. */
void map_emptied(struct map *map, const struct tcmur_io *io);
/*
 * Any thread. Loads a byte from a page of any mapping of a file. Returns false if the page no longer exists
 * because the file was shortened.
 */
bool map_has_page(const char *page);
#endif
