/* SPDX-License-Identifier: Apache-2.0 */
/* Timers fire in the order of their deadlines. */
#include "loop_fixture.h"

#define MS     1000000u
#define TIMERS 200

static struct loop_timer timers[TIMERS];
static uint64_t last_deadline, armed_at;
static unsigned fired, expected;

static void fire(struct loop_timer *timer)
{
	struct loop *loop = loop_current();

	check(timer->slot == 0);
	check(timer->deadline_ns >= last_deadline);
	check(loop_now_ns(loop) >= timer->deadline_ns);
	last_deadline = timer->deadline_ns;
	if (++fired == expected)
		finish();
}

/*
 * Every third timer is cancelled, and every fifth is moved. The others fire in the order of their deadlines.
 */
static void order_body(struct loop_work *work)
{
	struct loop *loop = loop_current();

	(void)work;
	srand(1);
	last_deadline = fired = expected = 0;
	for (unsigned i = 0; i < TIMERS; i++) {
		timers[i] = (struct loop_timer){.fn = fire};
		loop_timer_arm(loop, &timers[i], (uint64_t)(rand() % 50) * MS);
	}
	for (unsigned i = 0; i < TIMERS; i++) {
		if (i % 3 == 0)
			loop_timer_cancel(&timers[i]);
		else if (i % 5 == 0)
			loop_timer_arm(loop, &timers[i], (uint64_t)(rand() % 50) * MS);
		expected += i % 3 != 0;
	}
	loop_timer_cancel(&timers[0]); /* it does not run, so this has no effect */
}

static void fire_in_order(void **state)
{
	(void)state;
	run_on_loop(order_body);
	usleep(60000); /* if a cancelled timer fired, there would be too many */
	assert_int_equal(fired, expected);
}

static void elapsed(struct loop_timer *timer)
{
	uint64_t waited = loop_now_ns(timer->loop) - armed_at;

	check(waited >= 30 * MS);
	check(waited < 2000 * MS);
	finish();
}

static void alone_body(struct loop_work *work)
{
	(void)work;
	timers[0] = (struct loop_timer){.fn = elapsed};
	armed_at = loop_now_ns(loop_current());
	loop_timer_arm(loop_current(), &timers[0], 30 * MS);
}

/* Nothing else happens: the sleep ends in time, and not much more often. */
static void wakes_the_loop(void **state)
{
	struct loop_stats before, after;

	(void)state;
	usleep(20000);
	loop_stats(set.loops[0], &before);
	run_on_loop(alone_body);
	loop_stats(set.loops[0], &after);
	assert_uint_in_range(after.wakeups - before.wakeups, 1, 4);
}

static unsigned periods;

static void period(struct loop_timer *timer)
{
	if (++periods == 5) {
		loop_timer_cancel(&timers[1]);
		finish();
		return;
	}
	loop_timer_arm(timer->loop, timer, periods % 2 ? 0 : MS);
}

static void unexpected(struct loop_timer *timer)
{
	(void)timer;
	check(!"a cancelled timer fired");
}

static void rearm_body(struct loop_work *work)
{
	(void)work;
	periods = 0;
	timers[0] = (struct loop_timer){.fn = period};
	timers[1] = (struct loop_timer){.fn = unexpected};
	loop_timer_arm(loop_current(), &timers[1], UINT64_MAX);
	loop_timer_arm(loop_current(), &timers[0], 0);
}

static void arms_itself_again(void **state)
{
	(void)state;
	run_on_loop(rearm_body);
	assert_int_equal(periods, 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    BOTH_ENGINES(fire_in_order),
	    BOTH_ENGINES(wakes_the_loop),
	    BOTH_ENGINES(arms_itself_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
