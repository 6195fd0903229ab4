/* SPDX-License-Identifier: Apache-2.0 */
#include "pages.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define BITS 64u

/* The mask of the bits from first on within its word, as far as last reaches. */
static uint64_t mask_of(uint64_t first, uint64_t last)
{
	uint64_t mask = ~0ull << first % BITS;

	if (first / BITS == last / BITS)
		mask &= ~0ull >> (BITS - 1 - last % BITS);
	return mask;
}

static uint64_t load(const struct pages *pages, uint64_t page)
{
	return __atomic_load_n(&pages->written[page / BITS], __ATOMIC_RELAXED);
}

int pages_map(struct pages *pages, uint64_t size, bool huge)
{
	uint64_t npages = (size + PAGES_SIZE - 1) / PAGES_SIZE;
	void *base = mmap(NULL, npages * PAGES_SIZE, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (base == MAP_FAILED)
		return -errno;
	pages->written = calloc((npages + BITS - 1) / BITS, sizeof(uint64_t));
	if (!pages->written) {
		munmap(base, npages * PAGES_SIZE);
		return -ENOMEM;
	}
	/* Advice: a kernel without transparent huge pages serves small ones. */
	madvise(base, npages * PAGES_SIZE, huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
	madvise(base, npages * PAGES_SIZE, MADV_DONTDUMP);
	pages->base = base;
	pages->size = size;
	return 0;
}

void pages_unmap(struct pages *pages)
{
	munmap(pages->base, (pages->size + PAGES_SIZE - 1) / PAGES_SIZE * PAGES_SIZE);
	free(pages->written);
}

void pages_mark(struct pages *pages, uint64_t offset, uint64_t len)
{
	uint64_t page = offset / PAGES_SIZE, last = (offset + len - 1) / PAGES_SIZE;

	for (; page <= last; page = (page / BITS + 1) * BITS) {
		uint64_t mask = mask_of(page, last);

		/* Only the first write to a page pays for the atomic. */
		if ((load(pages, page) & mask) != mask)
			__atomic_fetch_or(&pages->written[page / BITS], mask, __ATOMIC_RELAXED);
	}
}

/* Clears the marks of pages first to last; true if one was set. */
static bool unmark(struct pages *pages, uint64_t first, uint64_t last)
{
	bool any = false;

	for (uint64_t page = first; page <= last; page = (page / BITS + 1) * BITS) {
		uint64_t mask = mask_of(page, last);

		if (!(load(pages, page) & mask))
			continue;
		any = true;
		__atomic_fetch_and(&pages->written[page / BITS], ~mask, __ATOMIC_RELAXED);
	}
	return any;
}

/* Zeros part of one page, which may never have been written and then stays so. */
static void zero_part(struct pages *pages, uint64_t offset, uint64_t len)
{
	bool written;

	if (!len)
		return;
	pages_run(pages, offset, len, &written);
	if (written)
		memset(pages->base + offset, 0, len);
}

void pages_discard(struct pages *pages, uint64_t offset, uint64_t len)
{
	uint64_t end = offset + len;
	uint64_t first = (offset + PAGES_SIZE - 1) / PAGES_SIZE * PAGES_SIZE;
	uint64_t last = end == pages->size ? (end + PAGES_SIZE - 1) / PAGES_SIZE * PAGES_SIZE
					   : end / PAGES_SIZE * PAGES_SIZE;

	if (first >= last) { /* within one page */
		uint64_t head = first < end ? first - offset : len;

		zero_part(pages, offset, head);
		zero_part(pages, offset + head, len - head);
		return;
	}
	zero_part(pages, offset, first - offset);
	if (last < end)
		zero_part(pages, last, end - last);
	if (unmark(pages, first / PAGES_SIZE, last / PAGES_SIZE - 1) &&
	    madvise(pages->base + first, last - first, MADV_DONTNEED) < 0) /* locked memory */
		memset(pages->base + first, 0, last - first);
}

uint64_t pages_used(const struct pages *pages)
{
	uint64_t npages = (pages->size + PAGES_SIZE - 1) / PAGES_SIZE, used = 0;

	for (uint64_t page = 0; page < npages; page += BITS)
		used += (uint64_t)__builtin_popcountll(load(pages, page));
	return used * PAGES_SIZE;
}

uint64_t pages_run(const struct pages *pages, uint64_t offset, uint64_t len, bool *written)
{
	uint64_t page = offset / PAGES_SIZE, last = (offset + len - 1) / PAGES_SIZE, other = 0;

	*written = load(pages, page) >> page % BITS & 1;
	while (page <= last) {
		uint64_t word = load(pages, page);

		other = (*written ? ~word : word) & mask_of(page, last);
		if (other)
			break;
		page = (page / BITS + 1) * BITS;
	}
	if (!other)
		return len;
	return (page / BITS * BITS + (uint64_t)__builtin_ctzll(other)) * PAGES_SIZE - offset;
}
