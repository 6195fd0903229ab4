/* SPDX-License-Identifier: Apache-2.0 */
/* The beats of a pulse, and the clock that they advance, even if the thread was stopped unnoticed. */
#include "loop_fixture.h"
#include "util/clock.h"

#define MS 1000000u

static struct loop_pulse slow, fast;
static unsigned beats;
static uint64_t begun;

static void none(struct loop_pulse *pulse)
{
	(void)pulse;
}

/* --- beats come until the pulse is stopped --- */

static struct loop_timer quiet;

static void still_quiet(struct loop_timer *timer)
{
	(void)timer;
	check(beats == 3);
	finish();
}

static void beat(struct loop_pulse *pulse)
{
	check(loop_current() == set.loops[0] && pulse == &fast);
	if (++beats < 3)
		return;
	check(clock_now_ns() - begun >= 30 * MS);
	loop_pulse_stop(&fast);
	loop_pulse_stop(&slow);
	quiet = (struct loop_timer){.fn = still_quiet};
	loop_timer_arm(loop_current(), &quiet, 40 * MS);
}

/* The shortest period is used. */
static void beat_body(struct loop_work *work)
{
	(void)work;
	beats = 0;
	begun = clock_now_ns();
	slow.fn = none;
	fast.fn = beat;
	check(loop_pulse_start(loop_current(), &slow, 3600000ull * MS) == 0);
	check(loop_pulse_start(loop_current(), &fast, 10 * MS) == 0);
}

static void beats_until_stopped(void **state)
{
	(void)state;
	run_on_loop(beat_body);
}

/* --- the clock --------------------------------------------------------------------------------- */

#define PERIOD (20u * MS)

static unsigned checks;

/*
 * The cached time is never ahead of the real one, and at most one period late, however long the loop has not
 * read the clock.
 */
static void check_time(struct loop_timer *timer)
{
	for (unsigned i = 0; i < 20; i++) {
		uint64_t before = clock_now_ns(), seen = loop_pulse_now_ns(loop_current());

		check(seen <= clock_now_ns());
		check(before < seen + PERIOD + 5 * MS); /* interrupts may be late in a virtual machine */
		usleep(i % 4 * 15000);
	}
	if (++checks < 3) {
		loop_timer_arm(loop_current(), timer, 3 * MS);
		return;
	}
	loop_pulse_stop(&fast);
	finish();
}

static void clock_body(struct loop_work *work)
{
	(void)work;
	checks = 0;
	fast.fn = none;
	check(loop_pulse_start(loop_current(), &fast, PERIOD) == 0);
	quiet = (struct loop_timer){.fn = check_time};
	check_time(&quiet);
}

static void the_clock_keeps_up(void **state)
{
	(void)state;
	run_on_loop(clock_body);
}

/* --- the real clock is not read as long as nothing happens --- */

static void steady(struct loop_timer *timer)
{
	uint64_t seen = loop_pulse_now_ns(loop_current());

	(void)timer;
	usleep(1000);
	check((loop_pulse_now_ns(loop_current()) == seen) == loop_uses_uring(loop_current()));
	loop_pulse_stop(&slow);
	finish();
}

static void steady_body(struct loop_work *work)
{
	(void)work;
	slow.fn = none;
	check(loop_pulse_start(loop_current(), &slow, 3600000ull * MS) == 0);
	quiet = (struct loop_timer){.fn = steady};
	loop_timer_arm(loop_current(), &quiet, 10 * MS);
}

static void reading_the_time_is_cheap(void **state)
{
	(void)state;
	run_on_loop(steady_body);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    BOTH_ENGINES(beats_until_stopped),
	    BOTH_ENGINES(the_clock_keeps_up),
	    BOTH_ENGINES(reading_the_time_is_cheap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
