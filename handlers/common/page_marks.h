/* SPDX-License-Identifier: Apache-2.0 */
/* Which pages of a disk hold data: a bit for each. Any thread; nobody sets and clears the same page at a time, the
 * daemon's range lock sees to that where clearing is what UNMAP does. */
#ifndef COMMON_PAGE_MARKS_H
#define COMMON_PAGE_MARKS_H

#include <stdbool.h>
#include <stdint.h>

#define PAGE_MARKS_PAGE 4096u

struct page_marks {
	uint64_t *words; /* atomic */
	uint64_t npages;
};

/* For a disk of size bytes, with no page marked. 0, or -ENOMEM. */
int page_marks_init(struct page_marks *marks, uint64_t size);
void page_marks_destroy(struct page_marks *marks);
/* Each page that the range touches; offset and len in bytes, len is not 0. */
void page_marks_set(struct page_marks *marks, uint64_t offset, uint64_t len);
/* The same; true if one was set. */
bool page_marks_clear(struct page_marks *marks, uint64_t offset, uint64_t len);
/* Bytes from offset on, at most len, whose pages are all marked, or all not. */
uint64_t page_marks_run(const struct page_marks *marks, uint64_t offset, uint64_t len, bool *marked);
/* Bytes of all marked pages. */
uint64_t page_marks_bytes(const struct page_marks *marks);
#endif
