/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Emulates operations that a handler lacks by its reads and writes. The caller holds the range lock if the
 * operation must be atomic, so an operation can consist of several steps.
 */
#include <string.h>

#include "backstore/private.h"
#include "util/bytes.h"
#include "util/iov.h"

/*
 * The number of bytes of one step. It is so large that the cost of a call does not matter, and so small that
 * many commands can have such a buffer at the same time.
 */
#define EMULATE_STEP (256u << 10)

enum { PHASE_READ, PHASE_WRITE };

static struct backstore_chain *emulate_new(struct backstore_io *bio, bool (*next)(struct backstore_chain *))
{
	uint64_t limit = bio->bs->info.max_io ? MIN(bio->bs->info.max_io, EMULATE_STEP) : EMULATE_STEP;
	struct backstore_chain *chain = backstore_chain_new(bio, limit, MIN(bio->io.len, limit));

	if (chain)
		chain->next = next;
	return chain;
}

/* Makes the piece read into data, or write from data. */
static void use_data(struct backstore_chain *chain, backstore_call *call)
{
	chain->iov[0] = (struct iovec){chain->data, chain->piece.io.len};
	chain->piece.io.iovcnt = 1;
	chain->call = call;
}

static bool read_piece(struct backstore_chain *chain)
{
	if (!backstore_chain_advance(chain))
		return false;
	use_data(chain, chain->parent->bs->api.read);
	return true;
}

static bool miscompare(struct backstore_chain *chain, uint64_t offset)
{
	chain->status = TCMUR_MISCOMPARE;
	chain->parent->io.miscompare_offset = offset;
	return false;
}

/* --- WRITE SAME, WRITE ZEROES ----------------------------------------------------------------- */

static bool next_write_same(struct backstore_chain *chain)
{
	chain->done += chain->piece.io.len;
	if (!backstore_chain_advance(chain))
		return false;
	use_data(chain, chain->parent->bs->api.write);
	return true;
}

/* Fills data with repetitions of the pattern, which is one block, or with zeros if there is no pattern. */
static void fill_with_pattern(struct backstore_chain *chain)
{
	const struct tcmur_io *io = &chain->parent->io;
	size_t block = chain->parent->bs->info.block_size;

	if (!io->iovcnt) {
		memset(chain->data, 0, chain->data_len);
		return;
	}
	iov_copy_from(io->iov, io->iovcnt, 0, chain->data, block);
	for (size_t at = block; at < chain->data_len; at += block)
		memcpy(chain->data + at, chain->data, block);
}

void emulate_write_same(struct backstore_io *bio)
{
	struct backstore_chain *chain = emulate_new(bio, next_write_same);

	if (!chain)
		return;
	fill_with_pattern(chain);
	backstore_chain_start(chain);
}

/* --- COMPARE AND WRITE, SBC-4 5.3 ------------------------------------------------------------- */

static bool next_compare_and_write(struct backstore_chain *chain)
{
	const struct tcmur_io *io = &chain->parent->io;
	struct tcmur_io *piece = &chain->piece.io;

	if (chain->phase == PHASE_READ) {
		struct iovec data = {chain->data, piece->len};
		size_t same = iov_compare(&data, 1, 0, io->iov, io->iovcnt, chain->done, piece->len);

		if (same < piece->len)
			return miscompare(chain, chain->done + same);
		chain->done += piece->len;
		if (read_piece(chain))
			return true;
		chain->phase = PHASE_WRITE;
		chain->call = chain->parent->bs->api.write;
		chain->done = 0;
	} else {
		chain->done += piece->len;
	}
	if (!backstore_chain_advance(chain))
		return false;
	piece->iovcnt =
	    iov_slice(io->iov, io->iovcnt, io->len + chain->done, piece->len, chain->iov, io->iovcnt);
	return true;
}

void emulate_compare_and_write(struct backstore_io *bio)
{
	struct backstore_chain *chain = emulate_new(bio, next_compare_and_write);

	if (chain)
		backstore_chain_start(chain);
}

/* --- VERIFY, SBC-4 5.41 ----------------------------------------------------------------------- */

/*
 * Compares data with the parent's iov, which is repeated. Returns the index of the first byte that differs,
 * or the length of the piece if there is no difference.
 */
static size_t compare_repeated(const struct backstore_chain *chain)
{
	const struct tcmur_io *io = &chain->parent->io;
	struct iovec data = {chain->data, chain->piece.io.len};
	size_t total = iov_total(io->iov, io->iovcnt), at = 0;

	while (at < data.iov_len) {
		size_t from = (chain->done + at) % total;
		size_t len = MIN(total - from, data.iov_len - at);
		size_t same = iov_compare(&data, 1, at, io->iov, io->iovcnt, from, len);

		at += same;
		if (same < len)
			break;
	}
	return at;
}

static bool next_verify(struct backstore_chain *chain)
{
	uint64_t len = chain->piece.io.len;
	size_t same = chain->parent->io.iovcnt ? compare_repeated(chain) : len;

	if (same < len)
		return miscompare(chain, chain->done + same);
	chain->done += len;
	return read_piece(chain);
}

void emulate_verify(struct backstore_io *bio)
{
	struct backstore_chain *chain = emulate_new(bio, next_verify);

	if (chain)
		backstore_chain_start(chain);
}

/* --- ORWRITE, SBC-4 5.21 ---------------------------------------------------------------------- */

static void or_data(struct backstore_chain *chain)
{
	const struct tcmur_io *io = &chain->parent->io;
	uint8_t *to = chain->data;
	unsigned n = iov_slice(io->iov, io->iovcnt, chain->done, chain->piece.io.len, chain->iov, io->iovcnt);

	for (unsigned i = 0; i < n; i++) {
		const uint8_t *from = chain->iov[i].iov_base;

		for (size_t k = 0; k < chain->iov[i].iov_len; k++)
			*to++ |= from[k];
	}
}

static bool next_or_write(struct backstore_chain *chain)
{
	if (chain->piece.io.len && chain->phase == PHASE_READ) {
		or_data(chain);
		chain->phase = PHASE_WRITE;
		use_data(chain, chain->parent->bs->api.write);
		return true;
	}
	chain->phase = PHASE_READ;
	chain->done += chain->piece.io.len;
	return read_piece(chain);
}

void emulate_or_write(struct backstore_io *bio)
{
	struct backstore_chain *chain = emulate_new(bio, next_or_write);

	if (chain)
		backstore_chain_start(chain);
}

/* --- GET LBA STATUS --------------------------------------------------------------------------- */

/* A handler without extents() is fully provisioned: all its blocks are mapped (SBC-4 4.7.2). */
void emulate_extents(struct backstore_io *bio)
{
	bio->io.nextents = 0;
	if (bio->io.max_extents)
		bio->io.extents[bio->io.nextents++] =
		    (struct tcmur_extent){bio->io.offset, bio->io.len, TCMUR_EXTENT_MAPPED};
	backstore_io_finish(bio, TCMUR_OK);
}
