/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the kernel, or a program that plays the kernel, can do. qemu-user, which runs the tests of foreign
 * architectures, does not know RWF_DSYNC, MADV_REMOVE, and the alignment of O_DIRECT. Tests that need them
 * are skipped.
 */
#ifndef KERNEL_FEATURES_H
#define KERNEL_FEATURES_H

#include <fcntl.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

/* Whether a write to a file in folder can make its data stable. */
static inline bool kernel_writes_dsync(const char *folder)
{
	int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	struct iovec iov = {.iov_base = (char[1]){0}, .iov_len = 1};
	bool can = fd >= 0 && pwritev2(fd, &iov, 1, 0, RWF_DSYNC) == 1;

	if (fd >= 0)
		close(fd);
	return can;
}

/* False if the kernel says that files in folder take no O_DIRECT. An old kernel does not say anything. */
static inline bool kernel_has_direct_io(const char *folder)
{
	bool has = true;
#ifdef STATX_DIOALIGN
	int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	struct statx stx;

	if (fd < 0)
		return true;
	if (statx(fd, "", AT_EMPTY_PATH, STATX_DIOALIGN, &stx) == 0 && (stx.stx_mask & STATX_DIOALIGN))
		has = stx.stx_dio_offset_align != 0;
	close(fd);
#else
	(void)folder;
#endif
	return has;
}

/* Whether MADV_REMOVE gives a page of shared memory back, so that it reads as zeros again. */
static inline bool kernel_removes_pages(void)
{
	size_t len = (size_t)sysconf(_SC_PAGESIZE);
	char *page = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	bool removes;

	if (page == MAP_FAILED)
		return false;
	*page = 1;
	removes = madvise(page, len, MADV_REMOVE) == 0 && *page == 0;
	munmap(page, len);
	return removes;
}
#endif
