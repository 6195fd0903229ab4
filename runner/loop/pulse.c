/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pulse: a timerfd that the loop watches, so that neither the loop's sleeps nor its turns pay for it, and a
 * clock that costs no system call. (The C library's clock is one where the kernel offers no other way: in
 * some guests, and in User-Mode Linux.)
 *
 * The clock is what was read at the last beat. It is behind by less than a period as long as the next beat has
 * not come, and whether it has is seen in memory: the poll on the timerfd is with the kernel, whose interrupt
 * notes its completion in the ring even while this thread is stopped. Whatever else lies there is a reason to
 * read the clock, too, so no other completion has to be told from it.
 */
#include <errno.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "loop/internal.h"
#include "util/bytes.h"
#include "util/clock.h"

static int set_period(struct beat *beat, uint64_t period_ns)
{
	const struct timespec period = clock_timespec(period_ns);
	const struct itimerspec timer = {.it_interval = period, .it_value = period};

	if (timerfd_settime(beat->watch.fd, 0, &timer, NULL) < 0)
		return -errno;
	beat->period_ns = period_ns;
	beat->now_ns = clock_now_ns();
	return 0;
}

static void on_beat(struct loop_watch *watch, uint32_t events)
{
	struct beat *beat = container_of(watch, struct beat, watch);
	struct list *node, *tmp;
	uint64_t expirations;

	(void)events;
	/* This starts the timer for the next beat, so the clock is read after it. */
	if (read(watch->fd, &expirations, sizeof(expirations)) < 0)
		return;
	beat->now_ns = clock_now_ns();
	list_for_each (&beat->pulses, node, tmp) {
		struct loop_pulse *pulse = list_entry(node, struct loop_pulse, node);

		pulse->fn(pulse);
	}
}

static int beat_start(struct loop *loop, uint64_t period_ns)
{
	struct beat *beat = &loop->beat;
	int ret;

	beat->watch = (struct loop_watch){.fn = on_beat,
					  .fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK),
					  .events = EPOLLIN};
	if (beat->watch.fd < 0)
		return -errno;
	ret = set_period(beat, period_ns);
	if (ret == 0)
		ret = loop_watch_add(loop, &beat->watch);
	if (ret < 0)
		close(beat->watch.fd);
	return ret;
}

int loop_pulse_start(struct loop *loop, struct loop_pulse *pulse, uint64_t period_ns)
{
	struct beat *beat = &loop->beat;
	int ret = 0;

	contract(loop == loop_current());
	if (list_empty(&beat->pulses))
		ret = beat_start(loop, period_ns);
	else if (period_ns < beat->period_ns)
		ret = set_period(beat, period_ns);
	if (ret < 0)
		return ret;
	pulse->loop = loop;
	list_add_tail(&beat->pulses, &pulse->node);
	return 0;
}

void loop_pulse_stop(struct loop_pulse *pulse)
{
	struct beat *beat = &pulse->loop->beat;

	list_del(&pulse->node);
	if (!list_empty(&beat->pulses))
		return;
	loop_watch_del(&beat->watch);
	close(beat->watch.fd);
}

/* The poll may be new, or have ended for reasons of the kernel's: it is set up again at the end of the turn. */
static bool is_watched(const struct loop *loop)
{
	return loop_uses_uring(loop) && !list_empty(&loop->beat.pulses) &&
	       loop->watches.slots[token_index(loop->beat.watch.token)].armed;
}

uint64_t loop_pulse_now_ns(struct loop *loop)
{
	if (!is_watched(loop) || loop->engine->ready(loop))
		loop->beat.now_ns = clock_now_ns();
	return loop->beat.now_ns;
}
