/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The range lock. COMPARE AND WRITE and its like ("exclusive") are atomic against overlapping I/O of the
 * same backstore on all loops; READ, WRITE and VERIFY ("shared") pay one atomic load while there is none.
 *
 * - Shared I/O that finds the gate open enters its loop's list of I/O in flight. Nobody else touches it.
 * - Exclusive I/O enters the FIFO, which shuts the gate, and then a drain runs on each loop: it marks what
 *   is in flight there and overlaps, and answers once that is over. A loop that read the open gate just
 *   before it was shut has its I/O in the list when the drain gets to run, since both happen on its thread;
 *   after the drain it sees the gate shut, since the post of the drain orders the two. One drain serves all
 *   exclusive I/O that came before it. A loop that never had I/O of the backstore is left alone: its first
 *   takes the lock and sees the FIFO.
 * - While the gate is shut, shared I/O that overlaps an exclusive one in the FIFO enters the FIFO as well.
 *   What does not overlap goes on, and is in flight before any later exclusive I/O starts its drain.
 * - I/O that was given up while it writes (backstore_hold()) becomes an exclusive one that has begun, ahead of all
 *   in the FIFO: it overlaps none that has, and the drain of those that wait already waits for it.
 * - An entry of the FIFO runs when it is drained (exclusive) and no earlier entry conflicts. It stays in the
 *   FIFO until it is over, so that later ones see it. Order of arrival decides: nobody starves.
 */
#include "backstore/private.h"
#include "util/cleanup.h"

static void drain(struct loop_work *work);

void range_init(struct backstore *bs)
{
	pthread_mutex_init(&bs->range.lock, NULL);
	list_init(&bs->range.fifo);
	for (unsigned i = 0; i < bs->set->nloops; i++)
		bs->loops[i].drain.fn = drain;
}

void range_destroy(struct backstore *bs)
{
	pthread_mutex_destroy(&bs->range.lock);
}

static bool overlap(const struct backstore_io *a, const struct backstore_io *b)
{
	return a->io.offset < b->io.offset + b->io.len && b->io.offset < a->io.offset + a->io.len;
}

/* Does bio conflict with an entry of the FIFO before end? */
static bool conflicts(struct range *range, const struct backstore_io *bio, const struct list *end)
{
	for (struct list *node = range->fifo.next; node != end; node = node->next) {
		const struct backstore_io *other = list_entry(node, struct backstore_io, node);

		if (((bio->state | other->state) & BIO_EXCLUSIVE) && overlap(bio, other))
			return true;
	}
	return false;
}

static void resume(struct loop_work *work)
{
	struct backstore_io *bio = container_of(work, struct backstore_io, work);

	if (bio_late(bio))
		bio_finish(bio, TCMUR_TIMEOUT);
	else
		bio_start(bio);
}

/* Lock held. Lets run what may run now. */
static void grant(struct range *range)
{
	struct list *node, *tmp;

	list_for_each (&range->fifo, node, tmp) {
		struct backstore_io *bio = list_entry(node, struct backstore_io, node);

		if (bio->state & BIO_GRANTED)
			continue;
		if ((bio->state & BIO_EXCLUSIVE) && !(bio->state & BIO_DRAINED))
			continue;
		if (conflicts(range, bio, node))
			continue;
		bio->state |= BIO_GRANTED;
		bio->work.fn = resume;
		loop_post(bio->loop, &bio->work);
	}
}

/* Lock held, no drain under way. Starts one for the exclusive I/O that had none yet. */
static void drain_start(struct backstore *bs)
{
	struct list *node, *tmp;
	bool any = false;

	list_for_each (&bs->range.fifo, node, tmp) {
		struct backstore_io *bio = list_entry(node, struct backstore_io, node);

		if ((bio->state & (BIO_EXCLUSIVE | BIO_DRAINED)) != BIO_EXCLUSIVE)
			continue;
		bio->state |= BIO_DRAINING;
		any = true;
	}
	if (!any)
		return;
	for (unsigned i = 0; i < bs->set->nloops; i++) {
		if (!bs->loops[i].joined)
			continue;
		bs->range.pending++;
		loop_post(bs->set->loops[i], &bs->loops[i].drain);
	}
}

/* A loop has nothing left in flight that the drain waits for. The backstore may be gone on return: what is
 * granted here may end, and be the last. */
static void drain_answer(struct backstore *bs)
{
	SCOPE_LOCK(&bs->range.lock);
	struct list *node, *tmp;

	if (--bs->range.pending)
		return;
	list_for_each (&bs->range.fifo, node, tmp) {
		struct backstore_io *bio = list_entry(node, struct backstore_io, node);

		if (bio->state & BIO_DRAINING)
			bio->state ^= BIO_DRAINING | BIO_DRAINED;
	}
	grant(&bs->range);
	drain_start(bs);
}

static bool must_drain(struct range *range, const struct backstore_io *inflight)
{
	struct list *node, *tmp;

	list_for_each (&range->fifo, node, tmp) {
		const struct backstore_io *bio = list_entry(node, struct backstore_io, node);

		if ((bio->state & BIO_DRAINING) && overlap(bio, inflight))
			return true;
	}
	return false;
}

/* On each loop: marks what the drain has to wait for. */
static void drain(struct loop_work *work)
{
	struct backstore_loop *bl = container_of(work, struct backstore_loop, drain);
	struct backstore *bs = bl->bs;
	struct list *node, *tmp;

	lock_take(&bs->range.lock);
	list_for_each (&bl->inflight, node, tmp) {
		struct backstore_io *bio = list_entry(node, struct backstore_io, node);

		if (must_drain(&bs->range, bio)) {
			bio->state |= BIO_WATCHED;
			bl->watched++;
		}
	}
	lock_drop(&bs->range.lock);
	if (!bl->watched)
		drain_answer(bs);
}

static bool enter_fifo(struct backstore_io *bio, bool exclusive)
{
	struct range *range = &bio->bs->range;
	SCOPE_LOCK(&range->lock);

	loop_of(bio)->joined = true;
	if (!exclusive && !conflicts(range, bio, &range->fifo))
		return false;
	bio->state |= BIO_FIFO | (exclusive ? BIO_EXCLUSIVE : 0);
	list_add_tail(&range->fifo, &bio->node);
	/* Relaxed: the post of the drain orders this store before what other loops load after the drain. */
	__atomic_store_n(&range->gate, 1, __ATOMIC_RELAXED);
	if (exclusive && !range->pending)
		drain_start(bio->bs);
	return true;
}

bool range_enter(struct backstore_io *bio, bool exclusive)
{
	struct backstore_loop *bl = loop_of(bio);
	/* Relaxed: see enter_fifo(). A stale 1 costs a look under the lock, a stale 0 is caught by the drain.
	 */
	bool open = bl->joined && !__atomic_load_n(&bio->bs->range.gate, __ATOMIC_RELAXED);

	if ((exclusive || !open) && enter_fifo(bio, exclusive))
		return false;
	bio->state |= BIO_INFLIGHT;
	list_add_tail(&bl->inflight, &bio->node);
	return true;
}

/* Lock held. */
static void leave_fifo(struct range *range, struct backstore_io *bio)
{
	list_del(&bio->node);
	if (list_empty(&range->fifo))
		__atomic_store_n(&range->gate, 0, __ATOMIC_RELAXED);
	else
		grant(range);
}

void range_leave(struct backstore_io *bio)
{
	if (bio->state & BIO_FIFO) {
		SCOPE_LOCK(&bio->bs->range.lock);
		leave_fifo(&bio->bs->range, bio);
	} else if (bio->state & BIO_INFLIGHT) {
		list_del(&bio->node);
	}
	if ((bio->state & BIO_WATCHED) && !--loop_of(bio)->watched)
		drain_answer(bio->bs);
}

bool range_give_up(struct backstore_io *bio)
{
	struct range *range = &bio->bs->range;
	SCOPE_LOCK(&range->lock);

	if ((bio->state & (BIO_FIFO | BIO_GRANTED)) != BIO_FIFO)
		return false;
	bio->state = 0;
	leave_fifo(range, bio);
	return true;
}

void range_hold(struct backstore_io *bio)
{
	struct range *range = &bio->bs->range;
	SCOPE_LOCK(&range->lock);

	if (bio->state & BIO_INFLIGHT) {
		list_del(&bio->node);
		list_add_head(&range->fifo, &bio->node);
		bio->state ^= BIO_INFLIGHT | BIO_FIFO;
		__atomic_store_n(&range->gate, 1, __ATOMIC_RELAXED);
	}
	if (bio->state & BIO_FIFO)
		bio->state |= BIO_EXCLUSIVE | BIO_DRAINED | BIO_GRANTED;
}
