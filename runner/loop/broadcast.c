/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Broadcasts: call a function on every loop, and wait until all loops have acknowledged. The memory for the
 * posts is allocated once, when the broadcast is made, so that starting it cannot fail. The owner decides
 * what happens during a visit, and when to acknowledge it.
 */
#include <semaphore.h>
#include <stdlib.h>

#include "loop/internal.h"

/* The part of the broadcast that visits one loop. */
struct leg {
	struct loop_work work;
	struct loop_broadcast *broadcast;
};

struct loop_broadcast {
	const struct loop_broadcast_ops *ops;
	void *owner;
	struct loop_set *set;
	/* The number of loops that have not acknowledged yet; 0 if no broadcast is in progress. */
	atomic_uint pending;
	/* The loop on which ops->done() is called. NULL means the loop that acknowledges last. */
	struct loop *origin;
	/* For the thread that waits in loop_broadcast_run(), or NULL. */
	sem_t *waiting;
	struct loop_work finish;
	/* An array with one element for each loop of the set. */
	struct leg legs[];
};

static void visit_loop(struct loop_work *work)
{
	struct loop_broadcast *broadcast = container_of(work, struct leg, work)->broadcast;

	/*
	 * visit() may acknowledge, and then the broadcast may be started again or freed before visit()
	 * returns.
	 */
	broadcast->ops->visit(broadcast->owner, loop_current());
}

static void finish_on_origin(struct loop_work *work)
{
	struct loop_broadcast *broadcast = container_of(work, struct loop_broadcast, finish);

	broadcast->ops->done(broadcast->owner);
}

struct loop_broadcast *loop_broadcast_new(struct loop_set *set, const struct loop_broadcast_ops *ops,
					  void *owner)
{
	struct loop_broadcast *broadcast =
	    calloc(1, sizeof(*broadcast) + set->nloops * sizeof(broadcast->legs[0]));

	if (!broadcast)
		return NULL;
	broadcast->ops = ops;
	broadcast->owner = owner;
	broadcast->set = set;
	broadcast->finish.fn = finish_on_origin;
	for (unsigned i = 0; i < set->nloops; i++)
		broadcast->legs[i] = (struct leg){{.fn = visit_loop}, broadcast};
	return broadcast;
}

void loop_broadcast_free(struct loop_broadcast *broadcast)
{
	contract(!broadcast || !atomic_load_explicit(&broadcast->pending, memory_order_relaxed));
	free(broadcast);
}

static bool wants(const struct loop_broadcast *broadcast, unsigned index)
{
	return !broadcast->ops->wants || broadcast->ops->wants(broadcast->owner, index);
}

static void start(struct loop_broadcast *broadcast)
{
	struct loop_set *set = broadcast->set;
	unsigned visits = 0;

	contract(!atomic_load_explicit(&broadcast->pending, memory_order_relaxed));
	for (unsigned i = 0; i < set->nloops; i++)
		visits += wants(broadcast, i);
	contract(visits);
	/* Relaxed, because each post publishes everything that was written before it. */
	atomic_store_explicit(&broadcast->pending, visits, memory_order_relaxed);
	/* After the last post, the broadcast may end and be freed at any time. */
	for (unsigned i = 0; visits; i++) {
		if (!wants(broadcast, i))
			continue;
		visits--;
		loop_post(set->loops[i], &broadcast->legs[i].work);
	}
}

void loop_broadcast_start(struct loop_broadcast *broadcast, struct loop *origin)
{
	broadcast->origin = origin;
	broadcast->waiting = NULL;
	start(broadcast);
}

static void wait_for(sem_t *sem)
{
	while (sem_wait(sem) < 0)
		; /* EINTR */
	sem_destroy(sem);
}

void loop_broadcast_run(struct loop_broadcast *broadcast)
{
	sem_t acknowledged;

	contract(!loop_current());
	sem_init(&acknowledged, 0, 0);
	broadcast->waiting = &acknowledged;
	start(broadcast);
	wait_for(&acknowledged);
}

void loop_broadcast_ack(struct loop_broadcast *broadcast)
{
	/*
	 * Release: other threads must see, after the end, what this thread has done before. Acquire: the last
	 * thread must see what all others have done.
	 */
	if (atomic_fetch_sub_explicit(&broadcast->pending, 1, memory_order_acq_rel) != 1)
		return;
	if (broadcast->waiting)
		sem_post(broadcast->waiting);
	else if (broadcast->origin)
		loop_post(broadcast->origin, &broadcast->finish);
	else
		broadcast->ops->done(broadcast->owner);
}

/* --- barriers --------------------------------------------------------------------------------- */

struct barrier {
	struct loop_work work;
	sem_t passed;
};

static void pass_barrier(struct loop_work *work)
{
	sem_post(&container_of(work, struct barrier, work)->passed);
}

void loop_set_barrier(struct loop_set *set)
{
	contract(!loop_current());
	for (unsigned i = 0; i < set->nloops; i++) {
		struct barrier barrier = {.work.fn = pass_barrier};

		sem_init(&barrier.passed, 0, 0);
		loop_post(set->loops[i], &barrier.work);
		wait_for(&barrier.passed);
	}
}
