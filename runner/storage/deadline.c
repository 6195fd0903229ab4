/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A loop's timer that reports its end on the main thread. The timer may expire on the loop while the main
 * thread ends the wait. Therefore deadline_stop() always posts to the loop first, and an expiry that was
 * posted before is then ignored.
 */
#include "storage/deadline.h"

/* Called on the main thread. */
static void on_expired(struct main_work *work)
{
	struct deadline *deadline = container_of(work, struct deadline, expired_work);

	if (deadline->is_stopping)
		return;
	deadline->expired(deadline);
}

/* Called on the main thread. */
static void on_stopped(struct main_work *work)
{
	struct deadline *deadline = container_of(work, struct deadline, stopped_work);

	deadline->is_stopping = false;
	deadline->stopped(deadline);
}

/* Called on the loop. */
static void on_timer(struct loop_timer *timer)
{
	struct deadline *deadline = container_of(timer, struct deadline, timer);

	main_queue_post(deadline->main, &deadline->expired_work);
}

/* Called on the loop. */
static void start_on_loop(struct loop_work *work)
{
	struct deadline *deadline = container_of(work, struct deadline, start);

	loop_timer_arm(deadline->loop, &deadline->timer, deadline->seconds * NS_PER_S);
}

/* Called on the loop. */
static void stop_on_loop(struct loop_work *work)
{
	struct deadline *deadline = container_of(work, struct deadline, stop);

	loop_timer_cancel(&deadline->timer);
	main_queue_post(deadline->main, &deadline->stopped_work);
}

void deadline_start(struct deadline *deadline, unsigned seconds)
{
	deadline->seconds = seconds;
	deadline->start.fn = start_on_loop;
	deadline->stop.fn = stop_on_loop;
	deadline->timer.fn = on_timer;
	deadline->expired_work.fn = on_expired;
	deadline->stopped_work.fn = on_stopped;
	loop_post(deadline->loop, &deadline->start);
}

void deadline_stop(struct deadline *deadline)
{
	deadline->is_stopping = true;
	loop_post(deadline->loop, &deadline->stop);
}
