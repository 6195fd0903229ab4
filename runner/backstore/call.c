/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls of the handler on the pool, and the wait for the end of all such calls. An I/O ends when its handler
 * has completed it. But the callback in which the handler completed it may not have returned yet, and may
 * still use the handle and the backstore.
 */
#include <time.h>

#include "backstore/private.h"
#include "util/contract.h"

void backstore_pool_call(struct backstore *bs, struct loop_pool_job *job)
{
	atomic_fetch_add_explicit(&bs->pool_calls, 1, memory_order_relaxed);
	switch (bs->handler->api.thread_model) {
	case TCMUR_SERIAL_LUN:
		loop_lane_submit(&bs->lane, bs->set->pool, job);
		break;
	case TCMUR_SERIAL_ALL:
		loop_lane_submit(&bs->handler->lane, bs->set->pool, job);
		break;
	default:
		loop_pool_submit(bs->set->pool, job);
	}
}

void backstore_pool_call_end(struct backstore *bs)
{
	/*
	 * Release: everything that the callback did must happen before the close(), which reads this count.
	 * The backstore may be freed right after this statement.
	 */
	atomic_fetch_sub_explicit(&bs->pool_calls, 1, memory_order_release);
}

static bool unqueue(struct backstore *bs, struct loop_pool_job *job)
{
	switch (bs->handler->api.thread_model) {
	case TCMUR_SERIAL_LUN:
		return loop_lane_cancel(&bs->lane, job);
	case TCMUR_SERIAL_ALL:
		return loop_lane_cancel(&bs->handler->lane, job);
	default:
		return loop_pool_cancel(bs->set->pool, job);
	}
}

bool backstore_pool_call_cancel(struct backstore *bs, struct loop_pool_job *job)
{
	bool waited = unqueue(bs, job);

	if (waited)
		backstore_pool_call_end(bs);
	return waited;
}

void backstore_wait_for_pool_calls(struct backstore *bs)
{
	static const struct timespec moment = {.tv_nsec = 100000};

	contract(!loop_current());
	loop_set_barrier(bs->set);
	/*
	 * This loop polls, because a thread that signalled the end would use memory that is about to be
	 * freed. The callbacks are running already, so the wait ends even if its caller occupies the last
	 * thread of the pool.
	 */
	while (atomic_load_explicit(&bs->pool_calls, memory_order_acquire) || loop_lane_is_busy(&bs->lane))
		nanosleep(&moment, NULL);
}
