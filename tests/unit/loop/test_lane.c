/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lanes of the pool: the jobs of one lane never run at the same time, and lanes do not wait for each other.
 */
#include "loop_fixture.h"

#define JOBS 200 /* More jobs than a thread runs without a pause. */

static struct loop_lane lanes[2];
static struct loop_op ops[JOBS];
/* ran and running are only written inside the lane, so they need no lock; this is what the test checks. */
static unsigned ended, ran, running;
static int results[JOBS];
static sem_t gate;

static int run_alone(struct loop_op *op)
{
	check(++running == 1);
	check(op == &ops[ran]);
	ran++;
	running--;
	return (int)ran;
}

static void job_ended(struct loop_op *op, int result)
{
	check(loop_current() == set.loops[0]);
	results[op - ops] = result;
	if (++ended == JOBS)
		finish();
}

static void init(void)
{
	ended = ran = running = 0;
	sem_init(&gate, 0, 0);
	loop_lane_init(&lanes[0]);
	loop_lane_init(&lanes[1]);
	for (unsigned i = 0; i < JOBS; i++)
		ops[i] = (struct loop_op){.done = job_ended};
}

static void destroy(void)
{
	for (unsigned i = 0; i < 2; i++) {
		while (loop_lane_is_busy(&lanes[i]))
			usleep(100);
		loop_lane_destroy(&lanes[i]);
	}
	sem_destroy(&gate);
}

static void order_body(struct loop_work *work)
{
	(void)work;
	for (unsigned i = 0; i < JOBS; i++)
		loop_blocking_in_lane(loop_current(), &ops[i], &lanes[0], run_alone);
}

static void jobs_run_one_by_one_in_order(void **state)
{
	(void)state;
	init();
	run_on_loop(order_body);
	for (int i = 0; i < JOBS; i++)
		assert_int_equal(results[i], i + 1);
	destroy();
}

/* --- a lane that hangs ------------------------------------------------------------------------- */

static int wait_at_gate(struct loop_op *op)
{
	(void)op;
	while (sem_wait(&gate) < 0)
		;
	return -1;
}

static int run_in_any_order(struct loop_op *op)
{
	(void)op;
	return 1;
}

static void other_lane_ended(struct loop_op *op, int result)
{
	job_ended(op, result);
	if (ended == JOBS / 2) /* all jobs of the second lane have ended while the first lane hangs */
		for (unsigned i = 0; i < JOBS / 2; i++)
			sem_post(&gate);
}

static void hang_body(struct loop_work *work)
{
	(void)work;
	for (unsigned i = 0; i < JOBS; i++) {
		ops[i].done = i % 2 ? other_lane_ended : job_ended;
		loop_blocking_in_lane(loop_current(), &ops[i], &lanes[i % 2],
				      i % 2 ? run_in_any_order : wait_at_gate);
	}
}

static void a_slow_lane_delays_no_other(void **state)
{
	(void)state;
	init();
	run_on_loop(hang_body);
	for (int i = 0; i < JOBS; i++)
		assert_int_equal(results[i], i % 2 ? 1 : -1);
	destroy();
}

/* --- cancelling -------------------------------------------------------------------------------- */

static void cancelled_ended(struct loop_op *op, int result)
{
	job_ended(op, result);
	if (ended == JOBS / 2) /* the cancelled jobs have ended while the first job still runs */
		for (unsigned i = 0; i < JOBS; i++)
			sem_post(&gate);
}

static void cancel_body(struct loop_work *work)
{
	(void)work;
	for (unsigned i = 0; i < JOBS; i++) {
		ops[i].done = cancelled_ended;
		loop_blocking_in_lane(loop_current(), &ops[i], &lanes[0], wait_at_gate);
	}
	for (unsigned i = 1; i < JOBS; i += 2) /* this includes the last job */
		loop_cancel(loop_current(), &ops[i]);
}

static void a_waiting_job_is_cancelled(void **state)
{
	(void)state;
	init();
	run_on_loop(cancel_body);
	for (int i = 0; i < JOBS; i++)
		assert_int_equal(results[i], i % 2 ? -ECANCELED : -1);
	destroy();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    BOTH_ENGINES(jobs_run_one_by_one_in_order),
	    BOTH_ENGINES(a_slow_lane_delays_no_other),
	    BOTH_ENGINES(a_waiting_job_is_cancelled),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
