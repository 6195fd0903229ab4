/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Takes an I/O through its stages: checks, range lock, handler, completion. range.c decides when an I/O may
 * start, and chain.c runs I/O that takes several calls.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backstore/filters.h"
#include "util/contract.h"
#include "util/iov.h"

/*
 * The number of submissions that may be nested in completions on this thread. Beyond this number, an I/O that
 * completes at once is completed at the end of the turn, so that a submitter that submits the next I/O in
 * done() does not exhaust the stack.
 */
#define NESTING_MAX 16
static _Thread_local unsigned nesting;

/* How each operation is checked and locked. */
static const struct op {
	enum { UNLOCKED, SHARED, EXCLUSIVE } lock;    /* The lock that the operation needs (see range.c). */
	enum { NO_DATA, ONE_BLOCK, ALL, TWICE } data; /* The least amount of data that iov must contain. */
	bool writes;
	bool whole; /* The operation concerns the whole disk and not a range of bytes. */
} ops[] = {
    [BACKSTORE_READ] = {SHARED, ALL, false, false},
    [BACKSTORE_WRITE] = {SHARED, ALL, true, false},
    [BACKSTORE_FLUSH] = {UNLOCKED, NO_DATA, false, true},
    [BACKSTORE_UNMAP] = {EXCLUSIVE, NO_DATA, true, false},
    [BACKSTORE_WRITE_ZEROES] = {EXCLUSIVE, NO_DATA, true, false},
    [BACKSTORE_WRITE_SAME] = {EXCLUSIVE, ONE_BLOCK, true, false},
    [BACKSTORE_COMPARE_AND_WRITE] = {EXCLUSIVE, TWICE, true, false},
    [BACKSTORE_VERIFY] = {SHARED, ONE_BLOCK, false, false},
    [BACKSTORE_OR_WRITE] = {EXCLUSIVE, ALL, true, false},
    [BACKSTORE_EXTENTS] = {UNLOCKED, NO_DATA, false, false},
    [BACKSTORE_PREFETCH] = {UNLOCKED, NO_DATA, false, false},
    [BACKSTORE_USAGE] = {UNLOCKED, NO_DATA, false, true},
};

/* --- completion ------------------------------------------------------------------------------- */

#ifdef TCMUR_DEBUG
void completion_assert_first(atomic_uint *completions, const struct backstore *bs)
{
	if (atomic_fetch_add_explicit(completions, 1, memory_order_relaxed) == 0)
		return;
	fprintf(stderr, "%s: the handler or a filter completed one I/O twice\n", backstore_name(bs));
	abort();
}
#endif

static void finish_now(struct backstore_io *bio)
{
	backstore_range_leave(bio);
	stats_count(bio, bio->status);
	bio->done(bio, bio->status);
}

static void finish_later(struct loop_work *work)
{
	finish_now(container_of(work, struct backstore_io, work));
}

void backstore_io_finish(struct backstore_io *bio, enum tcmur_status status)
{
	bio->status = status;
	if (nesting <= NESTING_MAX) {
		finish_now(bio);
		return;
	}
	bio->work.fn = finish_later;
	loop_defer(bio->loop, &bio->work);
}

/* Is called on the I/O's loop when a handler or a filter has completed the I/O. */
static void returned(struct backstore_io *bio)
{
	bio->place = BIO_AT_DAEMON;
	if (bio->io.nextents > bio->io.max_extents)
		bio->io.nextents = bio->io.max_extents;
	if (bio->status == TCMUR_MISCOMPARE && bio->io.miscompare_offset == TCMUR_OFFSET_UNKNOWN)
		bio->io.miscompare_offset = 0;
	if (bio->passage && passage_return(bio))
		return;
	if (bio->state & BIO_PIECE)
		backstore_chain_piece_done(bio->chain, bio->status);
	else
		backstore_io_finish(bio, bio->status);
}

static void returned_later(struct loop_work *work)
{
	returned(container_of(work, struct backstore_io, work));
}

void backstore_io_return(struct backstore_io *bio, enum tcmur_status status)
{
	bio->status = status;
	bio->work.fn = returned_later;
	loop_post(bio->loop, &bio->work);
}

void tcmur_io_complete(struct tcmur_io *io, enum tcmur_status status)
{
	struct backstore_io *bio = container_of(io, struct backstore_io, io);

	completion_check(bio);
	/* A submitter that cancels an I/O does not expect that the I/O ends inside the call. */
	if (loop_current() == bio->loop && bio->place != BIO_BEING_CANCELLED) {
		bio->status = status;
		returned(bio);
	} else {
		backstore_io_return(bio, status);
	}
}

/* --- to the handler --------------------------------------------------------------------------- */

static void call_on_pool(struct loop_pool_job *job)
{
	struct backstore_io *bio = container_of(job, struct backstore_io, job);

	struct backstore *bs = bio->bs; /* bio may be freed as soon as the call has completed it. */

	if (backstore_io_is_expired(bio))
		tcmur_io_complete(&bio->io, TCMUR_TIMEOUT);
	else
		bio->call(bs->handle, NULL, &bio->io);
	backstore_pool_call_end(bs);
}

void backstore_io_dispatch(struct backstore_io *bio, backstore_call *call)
{
	if (bio->bs->filters)
		call(NULL, (struct tcmur_queue *)bio->loop, &bio->io);
	else
		backstore_io_call_handler(bio, call);
}

void backstore_io_call_handler(struct backstore_io *bio, backstore_call *call)
{
	struct backstore *bs = bio->bs;

	bio->io.scratch = bio->scratch;
	bio->io.nextents = 0;
#ifdef TCMUR_DEBUG /* A handler must not read these before it has written to them. */
	memset(bio->scratch, 0xa5, bs->api.io_size);
	if (bio->op == BACKSTORE_EXTENTS && bio->io.max_extents)
		memset(bio->io.extents, 0xa5, bio->io.max_extents * sizeof(*bio->io.extents));
#endif
	bio->io.miscompare_offset = TCMUR_OFFSET_UNKNOWN;
	completion_arm(bio);
	bio->place = BIO_AT_HANDLER;
	if (bs->api.thread_model == TCMUR_ASYNC) {
		call(bs->handle, (struct tcmur_queue *)bio->loop, &bio->io);
	} else {
		bio->call = call;
		bio->job.fn = call_on_pool;
		backstore_pool_call(bs, &bio->job);
	}
}

static void dispatch_or_split(struct backstore_io *bio, backstore_call *call, uint64_t limit)
{
	if (limit && bio->io.len > limit)
		split_start(bio, call, limit);
	else
		backstore_io_dispatch(bio, call);
}

/* --- by operation ----------------------------------------------------------------------------- */

static void start_read(struct backstore_io *bio)
{
	const struct tcmur_handler *api = &bio->bs->api;

	if (bio->lend && api->data)
		bio->nlent =
		    api->data(bio->bs->handle, bio->io.offset, bio->io.len, bio->lend, bio->max_lend);
	if (bio->nlent)
		backstore_io_finish(bio, TCMUR_OK);
	else if (!bio->io.iov)
		backstore_io_finish(bio, TCMUR_NO_RESOURCE);
	else
		dispatch_or_split(bio, api->read, bio->bs->info.max_io);
}

/*
 * Returns whether unmap() can be used in place of write_zeroes(). unmap() may ignore parts of a granule,
 * which would then not become zeros.
 */
static bool unmap_leaves_zeros(const struct backstore_io *bio)
{
	const struct tcmur_info *info = &bio->bs->info;
	uint64_t granule = info->unmap_granularity, first = info->unmap_alignment % granule;

	return info->unmap_zeroes && !(bio->io.flags & TCMUR_IO_NO_UNMAP) &&
	       bio->io.offset % granule == first && (bio->io.offset + bio->io.len) % granule == first;
}

/*
 * If the handler does not deallocate, it may have to write all the zeros inside its call, so the I/O is split
 * into steps.
 */
static uint64_t zeroes_step(const struct backstore_io *bio)
{
	uint64_t most = bio->bs->info.max_unmap;

	if (!(bio->io.flags & TCMUR_IO_NO_UNMAP))
		return most;
	return most && most < BACKSTORE_STEP ? most : BACKSTORE_STEP;
}

static void start_write_zeroes(struct backstore_io *bio)
{
	const struct backstore *bs = bio->bs;

	bio->io.iovcnt = 0;
	if (bs->api.write_zeroes)
		dispatch_or_split(bio, bs->api.write_zeroes, zeroes_step(bio));
	else if (unmap_leaves_zeros(bio))
		dispatch_or_split(bio, bs->api.unmap, bs->info.max_unmap);
	else
		emulate_write_same(bio);
}

/*
 * Calls the handler's callback. If the handler has no such callback, ends the I/O with the status fallback.
 */
static void call_or(struct backstore_io *bio, backstore_call *call, uint64_t limit,
		    enum tcmur_status fallback)
{
	if (call)
		dispatch_or_split(bio, call, limit);
	else
		backstore_io_finish(bio, fallback);
}

static void ask_usage(struct loop_pool_job *job)
{
	struct backstore_io *bio = container_of(job, struct backstore_io, job);
	struct backstore *bs = bio->bs;
	int err = bs->api.usage(bs->handle, &bio->usage);

	tcmur_io_complete(&bio->io, tcmur_status_from_errno(err, false));
	backstore_pool_call_end(bs);
}

static void start_usage(struct backstore_io *bio)
{
	bio->usage = (struct tcmur_usage){0};
	bio->job.fn = ask_usage;
	completion_arm(bio);
	backstore_pool_call(bio->bs, &bio->job);
}

void backstore_io_start(struct backstore_io *bio)
{
	const struct backstore *bs = bio->bs;
	const struct tcmur_handler *api = &bs->api;

	switch (bio->op) {
	case BACKSTORE_READ:
		start_read(bio);
		break;
	case BACKSTORE_WRITE:
		dispatch_or_split(bio, api->write, bs->info.max_io);
		break;
	case BACKSTORE_FLUSH:
		call_or(bio, api->flush, 0, TCMUR_OK); /* Without the callback, no data is volatile. */
		break;
	case BACKSTORE_UNMAP:
		call_or(bio, bs->info.thin ? api->unmap : NULL, bs->info.max_unmap, TCMUR_NOT_SUPPORTED);
		break;
	case BACKSTORE_WRITE_ZEROES:
		start_write_zeroes(bio);
		break;
	case BACKSTORE_WRITE_SAME:
		if (api->write_same)
			dispatch_or_split(bio, api->write_same, BACKSTORE_STEP);
		else
			emulate_write_same(bio);
		break;
	case BACKSTORE_COMPARE_AND_WRITE:
		if (api->compare_and_write)
			backstore_io_dispatch(bio, api->compare_and_write);
		else
			emulate_compare_and_write(bio);
		break;
	case BACKSTORE_VERIFY:
		emulate_verify(bio);
		break;
	case BACKSTORE_OR_WRITE:
		emulate_or_write(bio);
		break;
	case BACKSTORE_EXTENTS:
		if (api->extents)
			backstore_io_dispatch(bio, api->extents);
		else
			emulate_extents(bio);
		break;
	case BACKSTORE_PREFETCH:
		backstore_io_finish(bio, TCMUR_OK);
		break;
	case BACKSTORE_USAGE:
		start_usage(bio);
		break;
	}
}

/* --- submission ------------------------------------------------------------------------------- */

bool backstore_io_writes(const struct backstore_io *bio)
{
	return ops[bio->op].writes;
}

/*
 * Returns TCMUR_OK, or the reason why the I/O cannot be served. The size may have changed since the submitter
 * read it.
 */
static enum tcmur_status check(const struct backstore_io *bio, const struct op *op)
{
	const struct backstore *bs = bio->bs;
	uint64_t size = backstore_size(bs);

	/* This is not a disk, so its scsi() should have executed the command. */
	if (!bs->api.read && !op->whole)
		return TCMUR_NOT_SUPPORTED;
	if (op->writes && bs->info.read_only)
		return TCMUR_WRITE_PROTECTED;
	if (bio->deadline_ns == BACKSTORE_CANCELLED)
		return TCMUR_TIMEOUT;
	if (bio->io.len > size || bio->io.offset > size - bio->io.len)
		return op->whole ? TCMUR_OK : TCMUR_OUT_OF_RANGE;
	return TCMUR_OK;
}

/* Checks what the submitter must guarantee. The code below relies on these guarantees for memory safety. */
static void assert_contract(const struct backstore_io *bio, const struct op *op)
{
	const struct tcmur_io *io = &bio->io;
	uint32_t block = bio->bs->info.block_size;
	uint64_t need[] = {[NO_DATA] = 0, [ONE_BLOCK] = block, [ALL] = io->len, [TWICE] = 2 * io->len};

	contract(loop_current() == bio->loop);
	contract(io->offset % block == 0 && io->len % block == 0);
	if (io->iov)
		contract(iov_total(io->iov, io->iovcnt) >= need[op->data]);
	else /* VERIFY may have no data to compare, and READ may be lent memory. */
		contract(op->data == NO_DATA || bio->op == BACKSTORE_VERIFY || bio->op == BACKSTORE_READ);
	(void)need;
}

static void admit(struct backstore_io *bio, const struct op *op)
{
	enum range_answer answer =
	    op->lock == UNLOCKED ? RANGE_FREE : backstore_range_enter(bio, op->lock == EXCLUSIVE);

	if (answer == RANGE_FREE)
		backstore_io_start(bio);
	else if (answer == RANGE_FULL)
		backstore_io_finish(bio, TCMUR_BUSY);
}

void backstore_submit(struct backstore_io *bio)
{
	const struct op *op = &ops[bio->op];
	enum tcmur_status refused = check(bio, op);

	bio->state = 0;
	bio->io.miscompare_offset = TCMUR_OFFSET_UNKNOWN;
	atomic_store_explicit(&bio->cancelled, false, memory_order_relaxed);
	bio->nlent = 0;
	bio->request = NULL;
	bio->passage = NULL;
	bio->place = BIO_AT_DAEMON;
	bio->chain = NULL;
	bio->work = (struct loop_work){.queued = false};
	if (!bio->io.iov)
		bio->io.iovcnt = 0;
	nesting++;
	if (refused || (!bio->io.len && !op->whole)) {
		backstore_io_finish(bio, refused);
	} else {
		assert_contract(bio, op);
		admit(bio, op);
	}
	nesting--;
}
