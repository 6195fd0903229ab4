/* SPDX-License-Identifier: Apache-2.0 */
/* Functions on arrays of struct iovec. They do not change the arrays. */
#ifndef UTIL_IOV_H
#define UTIL_IOV_H

#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

/* Returns the sum of all lengths. */
size_t iov_total(const struct iovec *iov, unsigned iovcnt);
/*
 * These functions copy len bytes to the array or from it, or set len bytes of the array to byte. offset is
 * the position in the array. They return the number of these bytes, which is less than len if the array is
 * too short.
 */
size_t iov_copy_to(const struct iovec *iov, unsigned iovcnt, size_t offset, const void *src, size_t len);
size_t iov_copy_from(const struct iovec *iov, unsigned iovcnt, size_t offset, void *dst, size_t len);
size_t iov_fill(const struct iovec *iov, unsigned iovcnt, size_t offset, int byte, size_t len);
/*
 * Stores in out the parts of the array that contain the len bytes from offset on. Returns the number of
 * parts, which is at most max.
 */
unsigned iov_slice(const struct iovec *iov, unsigned iovcnt, size_t offset, size_t len, struct iovec *out,
		   unsigned max);
/* Returns the index of the first byte in which two ranges of len bytes differ, or len if they are equal. */
size_t iov_compare(const struct iovec *a, unsigned acnt, size_t aoffset, const struct iovec *b, unsigned bcnt,
		   size_t boffset, size_t len);
#endif
