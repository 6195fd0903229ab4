/* SPDX-License-Identifier: Apache-2.0 */
#include "pages.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

static uint64_t whole_pages(uint64_t size)
{
	return (size + PAGE_MARKS_PAGE - 1) / PAGE_MARKS_PAGE * PAGE_MARKS_PAGE;
}

int pages_map(struct pages *pages, uint64_t size, bool huge)
{
	uint64_t len = whole_pages(size);
	void *base =
	    mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (base == MAP_FAILED)
		return -errno;
	int err = page_marks_init(&pages->written, size);
	if (err) {
		munmap(base, len);
		return err;
	}
	/* Advice: a kernel without transparent huge pages serves small ones. */
	madvise(base, len, huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
	madvise(base, len, MADV_DONTDUMP);
	pages->base = base;
	pages->size = size;
	return 0;
}

void pages_unmap(struct pages *pages)
{
	munmap(pages->base, whole_pages(pages->size));
	page_marks_destroy(&pages->written);
}

/* Zeros part of one page, which may never have been written and then stays so. */
static void zero_part(struct pages *pages, uint64_t offset, uint64_t len)
{
	bool written;

	if (!len)
		return;
	page_marks_run(&pages->written, offset, len, &written);
	if (written)
		memset(pages->base + offset, 0, len);
}

void pages_discard(struct pages *pages, uint64_t offset, uint64_t len)
{
	uint64_t end = offset + len;
	uint64_t first = whole_pages(offset);
	uint64_t last = end == pages->size ? whole_pages(end) : end / PAGE_MARKS_PAGE * PAGE_MARKS_PAGE;

	if (first >= last) { /* within one page */
		uint64_t head = first < end ? first - offset : len;

		zero_part(pages, offset, head);
		zero_part(pages, offset + head, len - head);
		return;
	}
	zero_part(pages, offset, first - offset);
	if (last < end)
		zero_part(pages, last, end - last);
	if (page_marks_clear(&pages->written, first, last - first) &&
	    madvise(pages->base + first, last - first, MADV_DONTNEED) < 0) /* locked memory */
		memset(pages->base + first, 0, last - first);
}
