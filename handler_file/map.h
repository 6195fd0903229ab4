/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files in memory (tmpfs) are read and written through a mapping: a copy, where a system call would cost more than what
 * it moves. Only pages that hold data are used, since to touch a hole of a mapping is to fill it: which ones is known
 * from the file's extents at open, and from what was written since.
 */
#ifndef FILE_MAP_H
#define FILE_MAP_H

#define TCMUR_API_VERSION 1
#include <tcmur/handler.h>

#include "page_marks.h"

struct map {
	char *base; /* NULL: there is none */
	uint64_t len;
	struct page_marks data;
};

/* Main thread, before the first map_open() and after the last map_close(). 0 or -errno. */
int map_load(void);
void map_unload(void);
/* Maps the first len bytes; where that fails, there is no mapping. */
void map_open(struct map *map, int fd, uint64_t len, bool read_only);
void map_close(struct map *map);
/* Any thread. False when the data was not, or not all, moved: it lies outside the mapping, or in a hole, or somebody has
 * cut the file. It is to be moved by a system call then, which tells what is wrong. */
bool map_read(const struct map *map, const struct tcmur_io *io);
bool map_write(const struct map *map, const struct tcmur_io *io);
/* Before a write by a system call: there will be data. */
void map_filled(struct map *map, const struct tcmur_io *io);
/* Before holes are made: there will be none. */
void map_emptied(struct map *map, const struct tcmur_io *io);
#endif
