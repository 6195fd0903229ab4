/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The memory of a disk. It is either anonymous memory of this process, or a mapping of a file descriptor that
 * stays open when the process ends. This file returns whole pages to the system when they are unmapped. The
 * daemon keeps the descriptor over a restart.
 */
#include "pages.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

uint64_t pages_length(uint64_t size)
{
	return (size + PAGE_MARKS_PAGE - 1) / PAGE_MARKS_PAGE * PAGE_MARKS_PAGE;
}

static int map_pages(struct pages *pages, uint64_t size, int flags, int fd)
{
	uint64_t len = pages_length(size);
	void *base = mmap(NULL, len, PROT_READ | PROT_WRITE, flags | MAP_NORESERVE, fd, 0);

	if (base == MAP_FAILED)
		return -errno;
	int err = page_marks_init(&pages->written, size);
	if (err) {
		munmap(base, len);
		return err;
	}
	madvise(base, len, MADV_DONTDUMP);
	pages->base = base;
	pages->size = size;
	pages->free_advice = fd < 0 ? MADV_DONTNEED : MADV_REMOVE;
	return 0;
}

int pages_map(struct pages *pages, uint64_t size, bool huge)
{
	int err = map_pages(pages, size, MAP_PRIVATE | MAP_ANONYMOUS, -1);

	/* This is only advice: a kernel without transparent huge pages uses small pages. */
	if (!err)
		madvise(pages->base, pages_length(size), huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
	return err;
}

/* Marks the pages that an earlier process has written. */
static int find_written(struct pages *pages, int fd)
{
	off_t end = (off_t)pages_length(pages->size), hole = 0;

	while (hole < end) {
		off_t data = lseek(fd, hole, SEEK_DATA);

		if (data < 0)
			return errno == ENXIO ? 0 : -errno;
		hole = lseek(fd, data, SEEK_HOLE);
		if (hole < 0)
			return -errno;
		uint64_t stop = (uint64_t)hole < pages->size ? (uint64_t)hole : pages->size;
		page_marks_set(&pages->written, (uint64_t)data, stop - (uint64_t)data);
	}
	return 0;
}

int pages_map_kept(struct pages *pages, uint64_t size, int fd)
{
	int err = map_pages(pages, size, MAP_SHARED, fd);

	if (!err && (err = find_written(pages, fd)))
		pages_unmap(pages);
	return err;
}

void pages_unmap(struct pages *pages)
{
	munmap(pages->base, pages_length(pages->size));
	page_marks_destroy(&pages->written);
}

/* Zeroes a part of one page, unless the page was never written and therefore contains zeros already. */
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
	uint64_t first = pages_length(offset);
	uint64_t last = end == pages->size ? pages_length(end) : end / PAGE_MARKS_PAGE * PAGE_MARKS_PAGE;

	if (first >= last) { /* The whole range is within one page. */
		uint64_t head = first < end ? first - offset : len;

		zero_part(pages, offset, head);
		zero_part(pages, offset + head, len - head);
		return;
	}
	zero_part(pages, offset, first - offset);
	if (last < end)
		zero_part(pages, last, end - last);
	if (page_marks_clear(&pages->written, first, last - first) &&
	    /* The kernel does not take back locked memory, so the memory is zeroed instead. */
	    madvise(pages->base + first, last - first, pages->free_advice) < 0)
		memset(pages->base + first, 0, last - first);
}
