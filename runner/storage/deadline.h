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
	/* --- set by the owner before deadline_start() --- */
	struct loop *loop;
	struct main_queue *main;
	/* Is called when the time is over. The deadline may be started again. */
	void (*expired)(struct deadline *deadline);
	/*
	 * Is called after deadline_stop(), when nothing uses the deadline any more, so that it may be freed.
	 */
	void (*stopped)(struct deadline *deadline);

	/* --- these members belong to deadline.c --- */
	struct loop_work start, stop;
	struct loop_timer timer;
	struct main_work expired_work, stopped_work;
	unsigned seconds;
	bool is_stopping;
};

/* Starts the deadline, which must not be running. */
void deadline_start(struct deadline *deadline, unsigned seconds);
/* Stops the deadline, which must be running. deadline_stop() must not be called again before stopped(). */
void deadline_stop(struct deadline *deadline);
static inline bool deadline_is_stopping(const struct deadline *deadline)
{
	return deadline->is_stopping;
}
#endif
