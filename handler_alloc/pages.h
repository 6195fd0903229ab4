/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The memory of a disk, and which pages of it were written. Any thread; two threads do not write or
 * discard the same bytes at a time, the daemon's range lock sees to that for discards.
 */
#ifndef ALLOC_PAGES_H
#define ALLOC_PAGES_H

#include <stddef.h>

#include "page_marks.h"

struct pages {
	uint8_t *base;
	uint64_t size;
	struct page_marks written; /* marked before a write */
	int free_advice;           /* of madvise(2): what gives pages of this memory back */
};

/* 0 or -errno. */
int pages_map(struct pages *pages, uint64_t size, bool huge);
/* The same with memory that fd keeps, and with what it holds; fd may be closed afterwards. */
int pages_map_kept(struct pages *pages, uint64_t size, int fd);
/* The bytes of whole pages that a disk of this size needs. */
uint64_t pages_length(uint64_t size);
void pages_unmap(struct pages *pages);
/* The range reads as zeros afterwards; whole pages go back to the system. */
void pages_discard(struct pages *pages, uint64_t offset, uint64_t len);
#endif
