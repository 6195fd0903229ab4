/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Records for each page of a mapping whether the mapped file has contents there, so that reading a hole does
 * not fill it.
 */
#include "page_marks.h"

#include <errno.h>
#include <stdlib.h>

#define BITS 64u

/* Returns the bits of one word from the page first up to the page last, or up to the end of the word. */
static uint64_t mask_of(uint64_t first, uint64_t last)
{
	uint64_t mask = ~0ull << first % BITS;

	if (first / BITS == last / BITS)
		mask &= ~0ull >> (BITS - 1 - last % BITS);
	return mask;
}

static uint64_t load(const struct page_marks *marks, uint64_t page)
{
	return atomic_load_explicit(&marks->words[page / BITS], memory_order_relaxed);
}

/* Returns the first page of the next word. */
static uint64_t next_word(uint64_t page)
{
	return (page / BITS + 1) * BITS;
}

int page_marks_init(struct page_marks *marks, uint64_t size)
{
	marks->npages = (size + PAGE_MARKS_PAGE - 1) / PAGE_MARKS_PAGE;
	marks->words = calloc((marks->npages + BITS - 1) / BITS, sizeof(uint64_t));
	return marks->words ? 0 : -ENOMEM;
}

void page_marks_destroy(struct page_marks *marks)
{
	free(marks->words);
}

void page_marks_set(struct page_marks *marks, uint64_t offset, uint64_t len)
{
	uint64_t page = offset / PAGE_MARKS_PAGE, last = (offset + len - 1) / PAGE_MARKS_PAGE;

	for (; page <= last; page = next_word(page)) {
		uint64_t mask = mask_of(page, last);

		/* Only the first write to a page costs an atomic operation. */
		if ((load(marks, page) & mask) != mask)
			atomic_fetch_or_explicit(&marks->words[page / BITS], mask, memory_order_relaxed);
	}
}

bool page_marks_clear(struct page_marks *marks, uint64_t offset, uint64_t len)
{
	uint64_t page = offset / PAGE_MARKS_PAGE, last = (offset + len - 1) / PAGE_MARKS_PAGE;
	bool any = false;

	for (; page <= last; page = next_word(page)) {
		uint64_t mask = mask_of(page, last);

		if (!(load(marks, page) & mask))
			continue;
		any = true;
		atomic_fetch_and_explicit(&marks->words[page / BITS], ~mask, memory_order_relaxed);
	}
	return any;
}

uint64_t page_marks_run(const struct page_marks *marks, uint64_t offset, uint64_t len, bool *marked)
{
	uint64_t page = offset / PAGE_MARKS_PAGE, last = (offset + len - 1) / PAGE_MARKS_PAGE, other = 0;

	*marked = load(marks, page) >> page % BITS & 1;
	while (page <= last) {
		uint64_t word = load(marks, page);

		other = (*marked ? ~word : word) & mask_of(page, last);
		if (other)
			break;
		page = next_word(page);
	}
	if (!other)
		return len;
	return (page / BITS * BITS + (uint64_t)__builtin_ctzll(other)) * PAGE_MARKS_PAGE - offset;
}

uint64_t page_marks_bytes(const struct page_marks *marks)
{
	uint64_t count = 0;

	for (uint64_t page = 0; page < marks->npages; page += BITS)
		count += (uint64_t)__builtin_popcountll(load(marks, page));
	return count * PAGE_MARKS_PAGE;
}
