/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The last page of a served file. Its presence shows that the file was not shortened. map.c has the signal
 * handler for a load from a page that no longer exists. fdio.c and watch.c decide what happens to a WRITE
 * beyond the end.
 */
#include "tail.h"

#include <sys/mman.h>
#include <unistd.h>

#include "map.h"

void tail_open(struct tail *tail, int fd, uint64_t size)
{
	size_t len = (size_t)sysconf(_SC_PAGESIZE);
	uint64_t start = size ? (size - 1) / len * len : 0;

	/* In a file of one page, every write ends in the last page. */
	if (!start)
		return;
	void *page = mmap(NULL, len, PROT_READ, MAP_SHARED, fd, (off_t)start);
	if (page == MAP_FAILED)
		return;
	/*
	 * An event loop must not wait for the disk, so the kernel must not write the page back and drop it.
	 */
	if (mlock(page, len) < 0) {
		munmap(page, len);
		return;
	}
	tail->page = page;
	tail->len = len;
	tail->start = start;
	tail_refresh(tail);
}

void tail_close(struct tail *tail)
{
	if (tail->page)
		munmap((void *)tail->page, tail->len);
}

bool tail_reaches(const struct tail *tail, uint64_t end)
{
	return tail->page && end <= tail->start &&
	       atomic_load_explicit(&tail->is_resident, memory_order_relaxed) && map_has_page(tail->page);
}

void tail_changed(struct tail *tail, uint64_t end)
{
	if (tail->page && end > tail->start)
		atomic_store_explicit(&tail->is_resident, false, memory_order_relaxed);
}

void tail_refresh(struct tail *tail)
{
	if (tail->page)
		atomic_store_explicit(&tail->is_resident, map_has_page(tail->page), memory_order_relaxed);
}
