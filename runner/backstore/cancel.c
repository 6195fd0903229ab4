/* SPDX-License-Identifier: Apache-2.0 */
/* I/O that nobody waits for any more, or for too long. */

#include "backstore/private.h"
#include "util/contract.h"

/* Atomic, since a thread of the pool may look. */
static void end_time(struct backstore_io *bio)
{
	__atomic_store_n(&bio->deadline_ns, BACKSTORE_CANCELLED, __ATOMIC_RELAXED);
}

bool bio_late(const struct backstore_io *bio)
{
	uint64_t deadline_ns = __atomic_load_n(&bio->deadline_ns, __ATOMIC_RELAXED);

	if (!deadline_ns)
		return false;
	return deadline_ns <= (loop_current() ? loop_pulse_now_ns(bio->loop) : loop_clock_ns());
}

/*
 * I/O waits for its range, for a thread of the pool, or in the loop's own queues. Where it was just leaving one of
 * them, bio_late() sees to it before it begins.
 */
void backstore_cancel(struct backstore_io *bio)
{
	struct backstore_io *with = bio->chain ? &bio->chain->piece : bio; /* what the handler gets to see */

	contract(loop_current() == bio->loop);
	end_time(bio);
	end_time(with);
	if (range_give_up(bio))
		bio_return(bio, TCMUR_TIMEOUT);
	else if (pool_call_cancel(bio->bs, &with->job))
		bio_return(with, TCMUR_TIMEOUT);
	else if (with->request)
		loop_cancel(bio->loop, with->request);
}

void backstore_hold(struct backstore_io *bio)
{
	if (bio_writes(bio))
		range_hold(bio);
}
