/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Records which pages of a disk contain data, with one bit for each page. Any thread. No two threads may set
 * and clear the same page at the same time; the daemon's range lock separates UNMAP from writes.
 */
#ifndef COMMON_PAGE_MARKS_H
#define COMMON_PAGE_MARKS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define PAGE_MARKS_PAGE 4096u

struct page_marks {
	_Atomic uint64_t *words;
	uint64_t npages;
};

/* Makes the marks for a disk of size bytes; no page is marked. Returns 0 or -ENOMEM. */
int page_marks_init(struct page_marks *marks, uint64_t size);
void page_marks_destroy(struct page_marks *marks);
/* Marks each page that the range touches. offset and len are in bytes, and len is not 0. */
void page_marks_set(struct page_marks *marks, uint64_t offset, uint64_t len);
/* Removes the marks of the same pages. Returns true if one of them was marked. */
bool page_marks_clear(struct page_marks *marks, uint64_t offset, uint64_t len);
/*
 * Returns the length of the longest run of bytes, from offset on and at most len, whose pages are either all
 * marked or all not marked.
 */
uint64_t page_marks_run(const struct page_marks *marks, uint64_t offset, uint64_t len, bool *marked);
/* Returns the number of bytes of all marked pages. */
uint64_t page_marks_bytes(const struct page_marks *marks);
#endif
