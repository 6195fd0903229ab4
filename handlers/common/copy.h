/* SPDX-License-Identifier: Apache-2.0 */
/* Copies data between an I/O's iovecs and the memory of a disk. */
#ifndef COMMON_COPY_H
#define COMMON_COPY_H

#include <stdint.h>
#include <string.h>
#include <sys/uio.h>

/*
 * The iovecs must have at least len bytes. This is guaranteed for every I/O that the daemon gives to a
 * handler.
 */
static inline void copy_to_iov(const struct iovec *iov, const void *memory, uint64_t len)
{
	const char *from = memory;

	for (; len; iov++) {
		size_t n = iov->iov_len < len ? iov->iov_len : len;

		memcpy(iov->iov_base, from, n);
		from += n;
		len -= n;
	}
}

static inline void copy_from_iov(void *memory, const struct iovec *iov, uint64_t len)
{
	char *to = memory;

	for (; len; iov++) {
		size_t n = iov->iov_len < len ? iov->iov_len : len;

		memcpy(to, iov->iov_base, n);
		to += n;
		len -= n;
	}
}
#endif
