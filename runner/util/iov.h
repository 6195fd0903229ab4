/* SPDX-License-Identifier: Apache-2.0 */
/* Functions on arrays of struct iovec. They do not change the arrays. */
#ifndef UTIL_IOV_H
#define UTIL_IOV_H

#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

size_t iov_total(const struct iovec *iov, unsigned iovcnt);
/* Copy len bytes from or to the array, from byte offset on, and return the number of bytes copied,
 * which is less than len if the array ends before. */
size_t iov_copy_to(const struct iovec *iov, unsigned iovcnt, size_t offset, const void *src, size_t len);
size_t iov_copy_from(const struct iovec *iov, unsigned iovcnt, size_t offset, void *dst, size_t len);
size_t iov_fill(const struct iovec *iov, unsigned iovcnt, size_t offset, int byte, size_t len);
/* Writes the pieces that cover [offset, offset + len) into out, and returns their number, at most
 * max. */
unsigned iov_slice(const struct iovec *iov, unsigned iovcnt, size_t offset, size_t len, struct iovec *out,
		   unsigned max);
/* Returns the index of the first byte that differs between two ranges of len bytes, or len if they
 * are equal. */
size_t iov_compare(const struct iovec *a, unsigned acnt, size_t aoffset, const struct iovec *b, unsigned bcnt,
		   size_t boffset, size_t len);
#endif
