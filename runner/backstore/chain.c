/* SPDX-License-Identifier: Apache-2.0 */
/* One I/O made of several pieces that run one after the other. A handler that completes inline is
 * called from the loop in chain_run() and not from its own completion, so that the stack stays flat
 * for any number of pieces. split.c and emulate.c decide what the pieces are. */

#include "backstore/private.h"
#include "util/bytes.h"
#include "util/contract.h"

/* The number of pieces that complete inline before other work of the loop gets its turn. */
#define CHAIN_BURST 8

struct backstore_chain *chain_new(struct backstore_io *bio, uint64_t limit, size_t data_len)
{
	struct backstore_loop *bl = loop_of(bio);
	struct backstore_chain *chain = slab_get(&bl->chains);
	size_t len = data_len + (bio->io.iovcnt + 1) * sizeof(struct iovec);
	uint8_t *buffer = chain ? loop_buffer_get_charged(bio->loop, bio->account, len) : NULL;

	if (!buffer) {
		if (chain)
			slab_put(&bl->chains, chain);
		bio_finish(bio, TCMUR_NO_RESOURCE);
		return NULL;
	}
	*chain = (struct backstore_chain){
	    .parent = bio,
	    .limit = limit,
	    .data = data_len ? buffer : NULL,
	    .data_len = data_len,
	    .iov = (struct iovec *)(buffer + data_len), /* a multiple of the block size: aligned */
	    .status = TCMUR_OK,
	    .buffer = buffer,
	    .buffer_len = len,
	};
	chain->piece.bs = bio->bs;
	chain->piece.loop = bio->loop;
	chain->piece.op = bio->op;
	chain->piece.deadline_ns = bio->deadline_ns;
	chain->piece.chain = chain;
	chain->piece.state = BIO_PIECE;
	chain->piece.io.iov = chain->iov;
	chain->piece.io.flags = bio->io.flags;
	bio->chain = chain;
	return chain;
}

static void chain_finish(struct backstore_chain *chain)
{
	struct backstore_io *bio = chain->parent;
	enum tcmur_status status = chain->status;

	loop_buffer_put_charged(bio->loop, bio->account, chain->buffer, chain->buffer_len);
	bio->chain = NULL;
	slab_put(&loop_of(bio)->chains, chain);
	bio_finish(bio, status);
}

static void run_on(struct loop_work *work)
{
	chain_run(container_of(work, struct backstore_chain, piece.work));
}

void chain_run(struct backstore_chain *chain)
{
	for (unsigned i = 0; i < CHAIN_BURST; i++) {
		bool more = chain->status == TCMUR_OK && chain->next(chain);

		if (more && bio_is_late(chain->parent))
			chain->status = TCMUR_TIMEOUT;
		if (!more || chain->status != TCMUR_OK) {
			chain_finish(chain);
			return;
		}
		chain->completed = false;
		chain->issuing = true;
		bio_dispatch(&chain->piece, chain->call);
		chain->issuing = false;
		if (!chain->completed)
			return;
	}
	chain->piece.work.fn = run_on;
	loop_post(chain->parent->loop, &chain->piece.work);
}

/* The first bad byte of a piece that failed, as seen from the parent. */
static void pass_on_bad_byte(struct backstore_chain *chain)
{
	const struct tcmur_io *piece = &chain->piece.io;
	struct tcmur_io *io = &chain->parent->io;

	if (piece->miscompare_offset < piece->len)
		io->miscompare_offset = piece->offset - io->offset + piece->miscompare_offset;
}

void chain_piece_done(struct backstore_chain *chain, enum tcmur_status status)
{
	if (status == TCMUR_READ_ERROR || status == TCMUR_WRITE_ERROR)
		pass_on_bad_byte(chain);
	chain->status = status;
	chain->completed = true;
	if (!chain->issuing)
		chain_run(chain);
}

bool chain_advance(struct backstore_chain *chain)
{
	const struct tcmur_io *io = &chain->parent->io;
	struct tcmur_io *piece = &chain->piece.io;
	uint64_t left = io->len - chain->done;

	contract(chain->done <= io->len);
	piece->offset = io->offset + chain->done;
	piece->len = chain->limit ? MIN(left, chain->limit) : left;
	return left > 0;
}
