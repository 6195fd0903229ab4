/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The last page of a served file in memory. A WRITE beyond the end of a shortened file must fail, because it
 * would lengthen the file again, and the lost blocks would read as zeros. When a file is shortened, the
 * kernel removes pages after its end from the mapping. Therefore, one load from the last page shows that the
 * file still reaches up to this page. Without the page, each WRITE would need a system call that returns the
 * size.
 */
#ifndef FILE_TAIL_H
#define FILE_TAIL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tail {
	/* NULL if the page is not mapped. */
	const char *page;
	/* The number of bytes of the file in the page, and the offset of the page in the file. */
	size_t len;
	uint64_t start;
	/* Whether the page is in memory, so that a load from it does not wait for the disk. */
	atomic_bool is_resident;
};

/*
 * For open(); may block. Maps the last page of a file of size bytes and locks it in memory. If this is not
 * possible, tail_reaches() always returns false, and the caller must ask for the size.
 */
void tail_open(struct tail *tail, int fd, uint64_t size);
void tail_close(struct tail *tail);
/*
 * Any thread; does not block. Returns true if the file has more than end bytes, so that a WRITE up to end
 * does not lengthen it. Returns false if this is unknown.
 */
bool tail_reaches(const struct tail *tail, uint64_t end);
/*
 * Any thread; does not block. To be called when bytes up to end were written around the page cache or
 * deallocated. If the page is among them, the kernel may drop it, and tail_reaches() returns false until
 * tail_refresh().
 */
void tail_changed(struct tail *tail, uint64_t end);
/* Pool thread; may block. Loads the page into memory again. */
void tail_refresh(struct tail *tail);
#endif
