/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A time limit for the main thread, which has no timers of its own: a loop's timer posts to the main thread's
 * queue. All functions and callbacks run on the main thread.
 */
#ifndef STORAGE_DEADLINE_H
#define STORAGE_DEADLINE_H

#include <stdbool.h>

#include "loop/loop.h"
#include "util/main_queue.h"

struct deadline {
	/* --- the owner, before deadline_start() --- */
	struct loop *loop;
	struct main_queue *main;
	/* The time is over. The deadline may be started again. */
	void (*expired)(struct deadline *deadline);
	/* Follows deadline_stop(): nothing uses the deadline any more, so it may be freed. */
	void (*stopped)(struct deadline *deadline);

	/* --- deadline's own --- */
	struct loop_work start, stop;
	struct loop_timer timer;
	struct main_work expired_work, stopped_work;
	unsigned seconds;
	bool is_stopping;
};

/* The deadline must not be running. */
void deadline_start(struct deadline *deadline, unsigned seconds);
/* The deadline must be running, and deadline_stop() must not have been called yet. */
void deadline_stop(struct deadline *deadline);
static inline bool deadline_is_stopping(const struct deadline *deadline)
{
	return deadline->is_stopping;
}
#endif
