/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The last page of a served file in memory. A WRITE beyond the end of a shortened file must fail, because it
 * would lengthen the file again, and the lost blocks would read as zeros. The kernel takes the page out of
 * the mapping as soon as the file ends before it, so one load from memory shows that the file still reaches
 * to this page. Without the page, each WRITE would need a system call that asks for the size.
 */
#ifndef FILE_TAIL_H
#define FILE_TAIL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tail {
	/* NULL: the page is not mapped. */
	const char *page;
	/* Bytes, and the offset of the page in the file. */
	size_t len;
	uint64_t start;
	/* The page is in memory, so that a load from it does not wait for the disk. */
	atomic_bool is_resident;
};

/*
 * In open(); may block. Maps the last page of a file of size bytes and locks it in memory. Where that is not
 * possible, tail_reaches() returns false, and the caller asks for the size.
 */
void tail_open(struct tail *tail, int fd, uint64_t size);
void tail_close(struct tail *tail);
/*
 * Any thread; does not block. True: the file has more than end bytes, so a WRITE up to there does not
 * lengthen it. False: nothing is known.
 */
bool tail_reaches(const struct tail *tail, uint64_t end);
/*
 * Any thread; does not block. Bytes up to end were written around the page cache or deallocated. If the page
 * is among them, the kernel may drop it, and nothing is known until tail_refresh().
 */
void tail_changed(struct tail *tail, uint64_t end);
/* Pool thread; may block. Brings the page back into memory. */
void tail_refresh(struct tail *tail);
#endif
