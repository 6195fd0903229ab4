/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The range lock. COMPARE AND WRITE, WRITE SAME, UNMAP and similar operations ("exclusive") are atomic with
 * regard to overlapping I/O of the same backstore on all loops. READ, WRITE and VERIFY ("shared") cost one
 * atomic load as long as there is no exclusive I/O. README.md explains the rules with an example. In short:
 *
 * - Shared I/O that finds the gate open enters the list of I/O in flight of its loop. Only this loop uses
 *   the list.
 * - Exclusive I/O becomes an entry of the tree, and closes the gate. Then a drain visits each loop and marks
 *   the overlapping I/O in flight there. The loop answers the drain when this I/O has ended. If a loop has
 *   read the gate just before it was closed, the drain finds the I/O in the list, because the loop itself
 *   runs the visit. After the visit, the loop finds the gate closed, because the gate was closed before the
 *   drain was posted. One drain serves all exclusive I/O that has arrived before the drain starts. A loop
 *   that has never had I/O of the backstore is not visited: its first I/O takes the lock, and so it finds
 *   the tree.
 * - While the gate is closed, shared I/O that overlaps an exclusive entry becomes an entry, too. Other shared
 *   I/O starts, and is in flight before any later exclusive I/O starts its drain.
 * - An entry counts the earlier entries that conflict with it, which means that they overlap it and that one
 *   of both is exclusive. An entry that leaves the tree decrements the counts of the later entries that
 *   conflict with it. An entry starts when its count is 0 and, if it is exclusive, its drain has ended. It
 *   leaves the tree when its I/O has ended. The order of arrival decides, so no I/O starves.
 * - I/O that is given up while it writes (backstore_hold()) becomes an exclusive entry that has started
 *   already.
 */
#include "backstore/private.h"
#include "util/cleanup.h"

/*
 * The number of entries that may wait. Each entry that arrives or leaves examines the entries that overlap
 * it, so this also limits the time for which the lock is held.
 */
#define WAITING_MAX 1024

static const struct loop_broadcast_ops drain_ops;

int backstore_range_init(struct backstore *bs)
{
	pthread_mutex_init(&bs->range.lock, NULL);
	list_init(&bs->range.undrained);
	list_init(&bs->range.draining);
	bs->range.drain = loop_broadcast_new(bs->set, &drain_ops, bs);
	return bs->range.drain ? 0 : -1;
}

void backstore_range_destroy(struct backstore *bs)
{
	loop_broadcast_free(bs->range.drain);
	pthread_mutex_destroy(&bs->range.lock);
}

static struct backstore_io *bio_of(struct range_node *node)
{
	return container_of(node, struct backstore_io, range.node);
}

/* Calls visit() for the entries that overlap bio until visit() returns true. Returns whether it did. */
static bool find_overlapping(const struct range_lock *range, const struct backstore_io *bio,
			     bool (*visit)(struct range_node *node, void *arg), void *arg)
{
	return range_tree_find(&range->entries, bio->io.offset, bio->io.offset + bio->io.len, visit, arg);
}

/* --- granting --------------------------------------------------------------------------------- */

static void resume(struct loop_work *work)
{
	struct backstore_io *bio = container_of(work, struct backstore_io, work);

	if (backstore_io_is_expired(bio))
		backstore_io_finish(bio, TCMUR_TIMEOUT);
	else
		backstore_io_start(bio);
}

/* range->lock must be held. */
static void grant_if_free(struct range_lock *range, struct backstore_io *bio)
{
	if (bio->state & BIO_GRANTED || bio->range.blockers)
		return;
	if (bio->state & BIO_EXCLUSIVE && !(bio->state & BIO_DRAINED))
		return;
	bio->state |= BIO_GRANTED;
	range->waiting--;
	bio->work.fn = resume;
	loop_post(bio->loop, &bio->work);
}

/* Returns whether later waits for earlier; both are entries and overlap. */
static bool waits_for(const struct backstore_io *later, const struct backstore_io *earlier)
{
	return !(later->state & BIO_GRANTED) && later->range.arrival > earlier->range.arrival &&
	       ((later->state | earlier->state) & BIO_EXCLUSIVE);
}

static bool count_blocker(struct range_node *node, void *arg)
{
	struct backstore_io *bio = arg;

	bio->range.blockers += waits_for(bio, bio_of(node));
	return false;
}

struct departure {
	struct range_lock *range;
	const struct backstore_io *bio;
};

static bool unblock(struct range_node *node, void *arg)
{
	const struct departure *departure = arg;
	struct backstore_io *other = bio_of(node);

	if (waits_for(other, departure->bio)) {
		other->range.blockers--;
		grant_if_free(departure->range, other);
	}
	return false;
}

/* --- drains ----------------------------------------------------------------------------------- */

/*
 * range->lock must be held. Starts a drain for the exclusive entries that need one, unless a drain is in
 * progress.
 */
static void drain_start_if_needed(struct backstore *bs)
{
	struct range_lock *range = &bs->range;
	struct list *node, *tmp;

	if (range->is_draining || list_empty(&range->undrained))
		return;
	list_for_each (&range->undrained, node, tmp) {
		struct backstore_io *bio = list_entry(node, struct backstore_io, node);

		bio->state |= BIO_DRAINING;
		list_del(node);
		list_add_tail(&range->draining, node);
	}
	range->is_draining = true;
	loop_broadcast_start(range->drain, NULL);
}

/*
 * Is called with range->lock held when the drain starts. Returns whether the loop has ever had I/O of this
 * backstore.
 */
static bool drain_wants(const void *owner, unsigned index)
{
	const struct backstore *bs = owner;

	return bs->loops[index].has_joined;
}

/* Is called on the loop that answers last. */
static void drain_done(void *owner)
{
	struct backstore *bs = owner;
	struct list *node, *tmp;
	SCOPE_LOCK(&bs->range.lock);

	list_for_each (&bs->range.draining, node, tmp) {
		struct backstore_io *bio = list_entry(node, struct backstore_io, node);

		list_del(node);
		bio->state &= ~(uint32_t)BIO_DRAINING;
		bio->state |= BIO_DRAINED;
		grant_if_free(&bs->range, bio);
	}
	bs->range.is_draining = false;
	drain_start_if_needed(bs);
}

static bool is_draining(struct range_node *node, void *arg)
{
	(void)arg;
	return bio_of(node)->state & BIO_DRAINING;
}

/* Is called on each loop. Marks the I/O in flight for which the drain has to wait. */
static void drain_visit(void *owner, struct loop *loop)
{
	struct backstore *bs = owner;
	struct backstore_loop *bl = &bs->loops[loop_index(loop)];
	struct list *node, *tmp;

	lock_take(&bs->range.lock);
	list_for_each (&bl->inflight, node, tmp) {
		struct backstore_io *bio = list_entry(node, struct backstore_io, node);

		if (find_overlapping(&bs->range, bio, is_draining, NULL)) {
			bio->state |= BIO_WATCHED;
			bl->watched++;
		}
	}
	lock_drop(&bs->range.lock);
	if (!bl->watched)
		loop_broadcast_ack(bs->range.drain);
}

static const struct loop_broadcast_ops drain_ops = {
    .visit = drain_visit, .done = drain_done, .wants = drain_wants};

/* --- entries ---------------------------------------------------------------------------------- */

static bool is_exclusive(struct range_node *node, void *arg)
{
	(void)arg;
	return bio_of(node)->state & BIO_EXCLUSIVE;
}

/* range->lock must be held. */
static void insert(struct range_lock *range, struct backstore_io *bio, uint64_t arrival)
{
	bio->range.arrival = arrival;
	bio->range.node.start = bio->io.offset;
	bio->range.node.end = bio->io.offset + bio->io.len;
	bio->state |= BIO_ENTRY;
	range_tree_insert(&range->entries, &bio->range.node);
	/*
	 * Relaxed: the post of the drain orders this store before the loads of other loops after the drain.
	 */
	atomic_store_explicit(&range->gate, 1, memory_order_relaxed);
}

/* range->lock must be held. */
static void leave(struct range_lock *range, struct backstore_io *bio)
{
	struct departure departure = {range, bio};

	if ((bio->state & (BIO_EXCLUSIVE | BIO_DRAINED)) == BIO_EXCLUSIVE)
		list_del(&bio->node); /* The entry may be in the list undrained or draining. */
	range_tree_remove(&range->entries, &bio->range.node);
	find_overlapping(range, bio, unblock, &departure);
	if (range_tree_is_empty(&range->entries))
		atomic_store_explicit(&range->gate, 0, memory_order_relaxed);
}

static enum range_answer enter_tree(struct backstore_io *bio, bool exclusive)
{
	struct range_lock *range = &bio->bs->range;
	SCOPE_LOCK(&range->lock);

	loop_of(bio)->has_joined = true;
	if (!exclusive && !find_overlapping(range, bio, is_exclusive, NULL))
		return RANGE_FREE;
	if (range->waiting >= WAITING_MAX)
		return RANGE_FULL;
	range->waiting++;
	bio->range.blockers = 0;
	bio->range.arrival = ++range->arrivals;
	if (exclusive)
		bio->state |= BIO_EXCLUSIVE;
	find_overlapping(range, bio, count_blocker, bio);
	insert(range, bio, range->arrivals);
	if (exclusive) {
		list_add_tail(&range->undrained, &bio->node);
		drain_start_if_needed(bio->bs);
	}
	return RANGE_WAIT;
}

enum range_answer backstore_range_enter(struct backstore_io *bio, bool exclusive)
{
	struct backstore_loop *bl = loop_of(bio);
	/*
	 * Relaxed: see insert(). If the loop reads an old 1, it only looks at the tree under the lock. If it
	 * reads an old 0, the drain finds its I/O.
	 */
	bool open = bl->has_joined && !atomic_load_explicit(&bio->bs->range.gate, memory_order_relaxed);

	if (exclusive || !open) {
		enum range_answer answer = enter_tree(bio, exclusive);

		if (answer != RANGE_FREE)
			return answer;
	}
	bio->state |= BIO_INFLIGHT;
	list_add_tail(&bl->inflight, &bio->node);
	return RANGE_FREE;
}

void backstore_range_leave(struct backstore_io *bio)
{
	if (bio->state & BIO_ENTRY) {
		SCOPE_LOCK(&bio->bs->range.lock);
		leave(&bio->bs->range, bio);
	} else if (bio->state & BIO_INFLIGHT) {
		list_del(&bio->node);
	}
	if ((bio->state & BIO_WATCHED) && !--loop_of(bio)->watched)
		loop_broadcast_ack(bio->bs->range.drain);
}

bool backstore_range_give_up(struct backstore_io *bio)
{
	struct range_lock *range = &bio->bs->range;
	SCOPE_LOCK(&range->lock);

	if ((bio->state & (BIO_ENTRY | BIO_GRANTED)) != BIO_ENTRY)
		return false;
	range->waiting--;
	leave(range, bio);
	bio->state = 0;
	return true;
}

/* --- I/O that is given up while it writes ----------------------------------------------------- */

/*
 * Is called for each waiting entry that overlaps the I/O which has just become exclusive. Makes the entry
 * wait for this I/O, too, unless it already did.
 */
static bool block(struct range_node *node, void *arg)
{
	const struct backstore_io *held = arg;
	struct backstore_io *other = bio_of(node);

	other->range.blockers += waits_for(other, held) && !(other->state & BIO_EXCLUSIVE);
	return false;
}

static bool block_always(struct range_node *node, void *arg)
{
	struct backstore_io *other = bio_of(node);

	(void)arg;
	other->range.blockers += !(other->state & BIO_GRANTED);
	return false;
}

void backstore_range_hold(struct backstore_io *bio)
{
	struct range_lock *range = &bio->bs->range;
	SCOPE_LOCK(&range->lock);

	if (bio->state & BIO_EXCLUSIVE)
		return;
	if (bio->state & BIO_INFLIGHT) {
		/*
		 * The I/O precedes all entries. The drain for waiting entries may not have found it in the
		 * list of the loop yet.
		 */
		list_del(&bio->node);
		bio->state &= ~(uint32_t)BIO_INFLIGHT;
		find_overlapping(range, bio, block_always, NULL);
		insert(range, bio, 0);
	} else if (bio->state & BIO_ENTRY) {
		bio->state |= BIO_EXCLUSIVE;
		find_overlapping(range, bio, block, bio);
	} else {
		return;
	}
	bio->state |= BIO_EXCLUSIVE | BIO_DRAINED | BIO_GRANTED;
}
