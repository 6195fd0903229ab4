/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Timers in a binary heap. The next deadline is the timeout of the loop's sleep, so timers cost no system
 * calls.
 */
#include <stdlib.h>

#include "loop/internal.h"
#include "util/bytes.h"
#include "util/log.h"

static void place(struct timers *timers, size_t at, struct loop_timer *timer)
{
	timers->heap[at] = timer;
	timer->slot = at + 1;
}

static void sift_up(struct timers *timers, size_t at, struct loop_timer *timer)
{
	while (at > 0 && timers->heap[(at - 1) / 2]->deadline_ns > timer->deadline_ns) {
		place(timers, at, timers->heap[(at - 1) / 2]);
		at = (at - 1) / 2;
	}
	place(timers, at, timer);
}

static void sift_down(struct timers *timers, size_t at, struct loop_timer *timer)
{
	for (;;) {
		size_t child = 2 * at + 1;

		if (child + 1 < timers->n &&
		    timers->heap[child + 1]->deadline_ns < timers->heap[child]->deadline_ns)
			child++;
		if (child >= timers->n || timers->heap[child]->deadline_ns >= timer->deadline_ns)
			break;
		place(timers, at, timers->heap[child]);
		at = child;
	}
	place(timers, at, timer);
}

static void remove_at(struct timers *timers, size_t at)
{
	struct loop_timer *gone = timers->heap[at];
	struct loop_timer *last = timers->heap[--timers->n];

	gone->slot = 0;
	if (last == gone)
		return;
	if (last->deadline_ns < gone->deadline_ns)
		sift_up(timers, at, last);
	else
		sift_down(timers, at, last);
}

static void make_room(struct timers *timers)
{
	if (timers->n < timers->room)
		return;
	timers->room = MAX(2 * timers->room, (size_t)64);
	timers->heap = realloc(timers->heap, timers->room * sizeof(*timers->heap));
	if (!timers->heap) {
		/*
		 * If a timer never fired, commands that wait for it would hang. A restart by the service
		 * manager is better.
		 */
		log_crit(NULL, "out of memory for %zu timers", timers->room);
		abort();
	}
}

void loop_timer_arm(struct loop *loop, struct loop_timer *timer, uint64_t delay_ns)
{
	struct timers *timers = &loop->timers;
	uint64_t now = loop_now_ns(loop);

	loop_timer_cancel(timer);
	make_room(timers);
	timer->loop = loop;
	timer->deadline_ns = delay_ns < NEVER_NS - now ? now + delay_ns : NEVER_NS;
	sift_up(timers, timers->n++, timer);
}

void loop_timer_cancel(struct loop_timer *timer)
{
	if (timer->slot)
		remove_at(&timer->loop->timers, timer->slot - 1);
}

void timers_run(struct loop *loop)
{
	struct timers *timers = &loop->timers;

	/*
	 * The number is limited to the timers that exist now, so that a timer that arms itself without a
	 * delay does not extend the turn.
	 */
	for (size_t left = timers->n; left && timers->n; left--) {
		struct loop_timer *timer = timers->heap[0];

		if (timer->deadline_ns > loop_now_ns(loop))
			break;
		remove_at(timers, 0);
		timer->fn(timer);
		assert_unlocked();
	}
}

uint64_t timers_wait_ns(const struct timers *timers, uint64_t now_ns)
{
	if (!timers->n)
		return NEVER_NS;
	return timers->heap[0]->deadline_ns > now_ns ? timers->heap[0]->deadline_ns - now_ns : 0;
}
