/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Executes one I/O as several pieces, one after the other. A handler that completes inline is called from the
 * loop in chain_run(), and not from its own completion, so that the stack stays flat for any number of
 * pieces. split.c and emulate.c decide what the pieces are.
 */

#include "backstore/private.h"
#include "util/bytes.h"
#include "util/contract.h"

/*
 * The number of pieces that may complete inside their calls before the chain lets the loop do other things. A
 * handler such as alloc copies memory in the call, so a chain of 16 MiB would otherwise delay everything else
 * on the loop by many milliseconds.
 */
#define CHAIN_BURST       8
#define CHAIN_BURST_BYTES BACKSTORE_STEP

struct backstore_chain *backstore_chain_new(struct backstore_io *bio, uint64_t limit, size_t data_len)
{
	struct backstore_loop *bl = loop_of(bio);
	struct backstore_chain *chain = slab_get(&bl->chains);
	size_t len = data_len + (bio->io.iovcnt + 1) * sizeof(struct iovec);
	uint8_t *buffer = chain ? loop_buffer_get_charged(bio->loop, bio->account, len) : NULL;

	if (!buffer) {
		if (chain)
			slab_put(&bl->chains, chain);
		backstore_io_finish(bio, TCMUR_NO_RESOURCE);
		return NULL;
	}
	*chain = (struct backstore_chain){
	    .parent = bio,
	    .limit = limit,
	    .data = data_len ? buffer : NULL,
	    .data_len = data_len,
	    /* The data length is a multiple of the block size, so iov is aligned. */
	    .iov = (struct iovec *)(buffer + data_len),
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
	backstore_io_finish(bio, status);
}

/*
 * Makes the chain wait for a later turn. Each loop has one queue for the chains of a backstore that have run
 * their burst of pieces. In each turn one of these chains continues, so that many long commands together do
 * not delay the loop longer than a single one.
 */
static void wait_for_turn(struct backstore_chain *chain)
{
	struct backstore_loop *bl = loop_of(chain->parent);
	bool first = list_empty(&bl->long_chains);

	list_add_tail(&bl->long_chains, &chain->node);
	if (first)
		loop_post(chain->parent->loop, &bl->next_chain);
}

static void chain_run(struct backstore_chain *chain);

void backstore_chain_next_turn(struct loop_work *work)
{
	struct backstore_loop *bl = container_of(work, struct backstore_loop, next_chain);
	struct backstore_chain *chain = list_entry(list_pop(&bl->long_chains), struct backstore_chain, node);

	if (!list_empty(&bl->long_chains))
		loop_post(chain->parent->loop, &bl->next_chain);
	chain_run(chain);
}

void backstore_chain_start(struct backstore_chain *chain)
{
	if (list_empty(&loop_of(chain->parent)->long_chains))
		chain_run(chain);
	else
		wait_for_turn(chain);
}

static void chain_run(struct backstore_chain *chain)
{
	uint64_t bytes = 0;

	for (unsigned i = 0; i < CHAIN_BURST && bytes < CHAIN_BURST_BYTES; i++) {
		bool more = chain->status == TCMUR_OK && chain->next(chain);

		if (more && backstore_io_is_expired(chain->parent))
			chain->status = TCMUR_TIMEOUT;
		if (!more || chain->status != TCMUR_OK) {
			chain_finish(chain);
			return;
		}
		bytes += chain->piece.io.len;
		chain->completed = false;
		chain->issuing = true;
		backstore_io_dispatch(&chain->piece, chain->call);
		chain->issuing = false;
		if (!chain->completed)
			return;
	}
	wait_for_turn(chain);
}

/* Copies the first bad byte of a piece that failed to the parent. */
static void pass_on_bad_byte(struct backstore_chain *chain)
{
	const struct tcmur_io *piece = &chain->piece.io;
	struct tcmur_io *io = &chain->parent->io;

	if (piece->miscompare_offset < piece->len)
		io->miscompare_offset = piece->offset - io->offset + piece->miscompare_offset;
}

void backstore_chain_piece_done(struct backstore_chain *chain, enum tcmur_status status)
{
	if (status == TCMUR_READ_ERROR || status == TCMUR_WRITE_ERROR || status == TCMUR_SENSE)
		pass_on_bad_byte(chain);
	chain->parent->io.sense = chain->piece.io.sense;
	chain->status = status;
	chain->completed = true;
	if (!chain->issuing)
		chain_run(chain);
}

bool backstore_chain_advance(struct backstore_chain *chain)
{
	const struct tcmur_io *io = &chain->parent->io;
	struct tcmur_io *piece = &chain->piece.io;
	uint64_t left = io->len - chain->done;

	contract(chain->done <= io->len);
	piece->offset = io->offset + chain->done;
	piece->len = chain->limit ? MIN(left, chain->limit) : left;
	return left > 0;
}
