/* SPDX-License-Identifier: Apache-2.0 */
/* Splits I/O that is larger than the handler takes. */
#include "backstore/private.h"
#include "util/bytes.h"
#include "util/iov.h"

/*
 * Ends the piece on a boundary of deallocation, so that no granule is cut in two. Neither part of such a
 * granule would be deallocated.
 */
static void end_on_granule(const struct tcmur_info *info, struct tcmur_io *piece)
{
	uint64_t past = (piece->offset + piece->len) % info->unmap_granularity;
	uint64_t shift = info->unmap_alignment % info->unmap_granularity;
	uint64_t excess = (past + info->unmap_granularity - shift) % info->unmap_granularity;

	if (excess < piece->len)
		piece->len -= excess;
}

static bool next(struct backstore_chain *chain)
{
	const struct backstore_io *bio = chain->parent;
	struct tcmur_io *piece = &chain->piece.io;

	chain->done += piece->len;
	if (!backstore_chain_advance(chain))
		return false;
	if (bio->op == BACKSTORE_READ || bio->op == BACKSTORE_WRITE)
		piece->iovcnt = iov_slice(bio->io.iov, bio->io.iovcnt, chain->done, piece->len, chain->iov,
					  bio->io.iovcnt);
	else if (bio->op == BACKSTORE_WRITE_SAME) /* Each piece repeats the pattern, which is one block. */
		piece->iovcnt = iov_slice(bio->io.iov, bio->io.iovcnt, 0, bio->bs->info.block_size,
					  chain->iov, bio->io.iovcnt);
	else if (chain->done + piece->len < bio->io.len)
		end_on_granule(&bio->bs->info, piece);
	return true;
}

void split_start(struct backstore_io *bio, backstore_call *call, uint64_t limit)
{
	struct backstore_chain *chain = backstore_chain_new(bio, limit, 0);

	if (!chain)
		return;
	chain->next = next;
	chain->call = call;
	backstore_chain_start(chain);
}
