/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls of the handler on the pool, and the wait for the end of all calls: an I/O is over once its handler
 * has completed it, but the callback that did so may still be on its way out, and use the handle and the
 * backstore.
 */
#include <semaphore.h>
#include <time.h>

#include "backstore/private.h"
#include "util/contract.h"

void pool_call(struct backstore *bs, struct pool_job *job)
{
	__atomic_add_fetch(&bs->pool_calls, 1, __ATOMIC_RELAXED);
	switch (bs->handler->api.thread_model) {
	case TCMUR_SERIAL_LUN:
		serial_submit(&bs->serial, bs->set->pool, job);
		break;
	case TCMUR_SERIAL_ALL:
		serial_submit(&bs->handler->serial, bs->set->pool, job);
		break;
	default:
		pool_submit(bs->set->pool, job);
	}
}

void pool_call_end(struct backstore *bs)
{
	/* Release: what the callback did is before the close() that sees the count. bs may be gone
	 * afterwards. */
	__atomic_sub_fetch(&bs->pool_calls, 1, __ATOMIC_RELEASE);
}

static bool unqueue(struct backstore *bs, struct pool_job *job)
{
	switch (bs->handler->api.thread_model) {
	case TCMUR_SERIAL_LUN:
		return serial_cancel(&bs->serial, job);
	case TCMUR_SERIAL_ALL:
		return serial_cancel(&bs->handler->serial, job);
	default:
		return pool_cancel(bs->set->pool, job);
	}
}

bool pool_call_cancel(struct backstore *bs, struct pool_job *job)
{
	bool waited = unqueue(bs, job);

	if (waited)
		pool_call_end(bs);
	return waited;
}

struct barrier {
	struct loop_work work;
	sem_t *passed;
};

static void pass(struct loop_work *work)
{
	sem_post(container_of(work, struct barrier, work)->passed);
}

/* A loop that runs posted work has returned from all callbacks. */
static void quiesce_loop(struct loop *loop)
{
	sem_t passed;
	struct barrier barrier = {.work.fn = pass, .passed = &passed};

	sem_init(&passed, 0, 0);
	loop_post(loop, &barrier.work);
	while (sem_wait(&passed) < 0)
		;
	sem_destroy(&passed);
}

void quiesce(struct backstore *bs)
{
	static const struct timespec moment = {.tv_nsec = 100000};

	contract(!loop_current());
	for (unsigned i = 0; i < bs->set->nloops; i++)
		quiesce_loop(bs->set->loops[i]);
	/* Looked for instead of signalled: a thread that signals would touch memory that is about to be
	 * freed. What is waited for is running already, so this ends even if the caller occupies the pool's
	 * last thread. */
	while (__atomic_load_n(&bs->pool_calls, __ATOMIC_ACQUIRE) || serial_busy(&bs->serial))
		nanosleep(&moment, NULL);
}
