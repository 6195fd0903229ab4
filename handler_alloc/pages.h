/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The memory of a disk, and which of its pages were written. The functions may be called on any thread. Two
 * threads must not write or discard the same bytes at the same time; the daemon's range lock ensures this for
 * discards.
 */
#ifndef ALLOC_PAGES_H
#define ALLOC_PAGES_H

#include <stddef.h>

#include "page_marks.h"

struct pages {
	uint8_t *base;
	uint64_t size;
	struct page_marks written; /* Each page is marked before it is written. */
	int free_advice; /* The advice for madvise(2) that returns pages of this memory to the system. */
};

/* Makes memory of this process. Returns 0 or -errno. */
int pages_map(struct pages *pages, uint64_t size, bool huge);
/*
 * Does the same with the memory of the file fd, including its contents. fd may be closed afterwards. Returns
 * 0 or -errno.
 */
int pages_map_kept(struct pages *pages, uint64_t size, int fd);
/* Returns the number of bytes of the whole pages that a disk of this size needs. */
uint64_t pages_length(uint64_t size);
void pages_unmap(struct pages *pages);
/* Makes the range read as zeros. Whole pages are returned to the system. */
void pages_discard(struct pages *pages, uint64_t offset, uint64_t len);
#endif
