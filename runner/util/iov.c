/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Copies to and from arrays of struct iovec, and cuts pieces out of them. The arrays themselves are never
 * changed.
 */
#include "util/iov.h"

#include <string.h>

#include "util/bytes.h"

/*
 * A position in an array. piece() returns the rest of the entry at the position, which is empty only at the
 * end of the array.
 */
struct cursor {
	const struct iovec *iov;
	unsigned left; /* The number of entries from iov on. */
	size_t skip;   /* The number of bytes of *iov before the position. */
};

static struct iovec piece(struct cursor *at)
{
	while (at->left && at->skip >= at->iov->iov_len) {
		at->skip -= at->iov->iov_len;
		at->iov++;
		at->left--;
	}
	if (!at->left)
		return (struct iovec){0};
	return (struct iovec){(char *)at->iov->iov_base + at->skip, at->iov->iov_len - at->skip};
}

size_t iov_total(const struct iovec *iov, unsigned iovcnt)
{
	size_t total = 0;

	for (unsigned i = 0; i < iovcnt; i++)
		total += iov[i].iov_len;
	return total;
}

/* Returns the next piece of at most max bytes, and advances the position. */
static struct iovec take(struct cursor *at, size_t max)
{
	struct iovec next = piece(at);

	next.iov_len = MIN(next.iov_len, max);
	at->skip += next.iov_len;
	return next;
}

size_t iov_copy_to(const struct iovec *iov, unsigned iovcnt, size_t offset, const void *src, size_t len)
{
	struct cursor at = {iov, iovcnt, offset};
	struct iovec part;
	size_t done;

	for (done = 0; (part = take(&at, len - done)).iov_len; done += part.iov_len)
		memcpy(part.iov_base, (const char *)src + done, part.iov_len);
	return done;
}

size_t iov_copy_from(const struct iovec *iov, unsigned iovcnt, size_t offset, void *dst, size_t len)
{
	struct cursor at = {iov, iovcnt, offset};
	struct iovec part;
	size_t done;

	for (done = 0; (part = take(&at, len - done)).iov_len; done += part.iov_len)
		memcpy((char *)dst + done, part.iov_base, part.iov_len);
	return done;
}

size_t iov_fill(const struct iovec *iov, unsigned iovcnt, size_t offset, int byte, size_t len)
{
	struct cursor at = {iov, iovcnt, offset};
	struct iovec part;
	size_t done;

	for (done = 0; (part = take(&at, len - done)).iov_len; done += part.iov_len)
		memset(part.iov_base, byte, part.iov_len);
	return done;
}

unsigned iov_slice(const struct iovec *iov, unsigned iovcnt, size_t offset, size_t len, struct iovec *out,
		   unsigned max)
{
	struct cursor at = {iov, iovcnt, offset};
	unsigned n;

	for (n = 0; n < max && (out[n] = take(&at, len)).iov_len; n++)
		len -= out[n].iov_len;
	return n;
}

static size_t first_difference(const uint8_t *a, const uint8_t *b, size_t len)
{
	size_t i = 0;

	while (i < len && a[i] == b[i])
		i++;
	return i;
}

size_t iov_compare(const struct iovec *a, unsigned acnt, size_t aoffset, const struct iovec *b, unsigned bcnt,
		   size_t boffset, size_t len)
{
	struct cursor ata = {a, acnt, aoffset};
	struct cursor atb = {b, bcnt, boffset};

	for (size_t done = 0; done < len;) {
		size_t n = MIN(MIN(piece(&ata).iov_len, piece(&atb).iov_len), len - done);
		struct iovec parta = take(&ata, n);
		struct iovec partb = take(&atb, n);

		if (!n) /* One of the arrays ends early. The missing bytes count as different. */
			return done;
		if (memcmp(parta.iov_base, partb.iov_base, n) != 0)
			return done + first_difference(parta.iov_base, partb.iov_base, n);
		done += n;
	}
	return len;
}
