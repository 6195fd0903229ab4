/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pulse: a function that is called periodically, and a clock that usually costs no system call. (Reading
 * the clock of the C library is a system call in some guests and in User-Mode Linux.)
 *
 * A timerfd expires periodically; each expiry is called a beat. The loop watches the timerfd like any other
 * descriptor, so the pulse changes neither the sleeps nor the turns of the loop. The clock returns the time
 * that was read at the last beat, so until the next beat it lags by less than one period.
 *
 * If this thread is stopped, the next beat may be overdue. It can be noticed in memory: the kernel posts the
 * completion of the poll on the timerfd to the io_uring even while the thread is stopped. Therefore, while
 * the io_uring contains no completion, the time of the last beat is accurate enough. If it contains a
 * completion of any request, the clock is read.
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
	/* Reading the timerfd arms the poll for the next beat, so the clock must be read afterwards. */
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

/*
 * Returns false while the kernel has no poll on the timerfd: the poll is new, or the kernel has ended it, and
 * the loop sets it up again at the end of the turn.
 */
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
