/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cancels I/O whose command has been aborted or has expired. Such I/O does not start any more, and ends early
 * if this is possible.
 */

#include "backstore/filters.h"
#include "util/clock.h"
#include "util/contract.h"

/* Relaxed: if a thread of the pool does not see the mark yet, it has started the I/O before. */
static void mark_cancelled(struct backstore_io *bio)
{
	atomic_store_explicit(&bio->cancelled, true, memory_order_relaxed);
}

bool backstore_io_is_expired(const struct backstore_io *bio)
{
	if (atomic_load_explicit(&bio->cancelled, memory_order_relaxed))
		return true;
	if (!bio->deadline_ns)
		return false;
	return bio->deadline_ns <= (loop_current() ? loop_pulse_now_ns(bio->loop) : clock_now_ns());
}

/*
 * A handler may have started the I/O in several ways, so its cancel() is called in addition to the
 * cancellation of its request.
 */
static void cancel_at_handler(struct backstore_io *bio)
{
	const struct backstore *bs = bio->bs;

	if (bio->request)
		loop_cancel(bio->loop, bio->request);
	if (bs->api.cancel) {
		bio->place = BIO_BEING_CANCELLED;
		bs->api.cancel(bs->handle, &bio->io);
	}
}

/*
 * The I/O may be waiting for its range, for a thread of the pool, in the loop's own queues, or in a filter.
 * It is removed from the place where it waits. If it has just left such a place, backstore_io_is_expired()
 * prevents it from starting.
 */
void backstore_cancel(struct backstore_io *bio)
{
	struct backstore_io *seen_by_handler = bio->chain ? &bio->chain->piece : bio;

	contract(loop_current() == bio->loop);
	if (atomic_load_explicit(&bio->cancelled, memory_order_relaxed))
		return;
	mark_cancelled(bio);
	mark_cancelled(seen_by_handler);
	if (backstore_range_give_up(bio))
		backstore_io_return(bio, TCMUR_TIMEOUT);
	else if (backstore_pool_call_cancel(bio->bs, &seen_by_handler->job))
		backstore_io_return(seen_by_handler, TCMUR_TIMEOUT);
	else if (seen_by_handler->place == BIO_AT_FILTER)
		passage_cancel(seen_by_handler);
	else if (seen_by_handler->place == BIO_AT_HANDLER)
		cancel_at_handler(seen_by_handler);
}

void backstore_hold(struct backstore_io *bio)
{
	if (backstore_io_writes(bio))
		backstore_range_hold(bio);
}
