/* SPDX-License-Identifier: Apache-2.0 */
/* The memory of a disk, and which pages of it were written. Any thread; two threads do not write or discard
 * the same bytes at a time, the daemon's range lock sees to that for discards. */
#ifndef ALLOC_PAGES_H
#define ALLOC_PAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PAGES_SIZE 4096u

struct pages {
	uint8_t *base;
	uint64_t size;
	uint64_t *written; /* a bit a page; atomic */
};

/* 0 or -errno. */
int pages_map(struct pages *pages, uint64_t size, bool huge);
void pages_unmap(struct pages *pages);
/* Before a write to the range. */
void pages_mark(struct pages *pages, uint64_t offset, uint64_t len);
/* The range reads as zeros afterwards; whole pages go back to the system. */
void pages_discard(struct pages *pages, uint64_t offset, uint64_t len);
/* Bytes of all pages that are written. */
uint64_t pages_used(const struct pages *pages);
/* Bytes from offset on, at most len, that are all written, or all not. */
uint64_t pages_run(const struct pages *pages, uint64_t offset, uint64_t len, bool *written);
#endif
