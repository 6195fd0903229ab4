/* SPDX-License-Identifier: Apache-2.0 */
/* Mailboxes, deferred work and broadcasts. */
#include "loop_fixture.h"

#include <pthread.h>

#define POSTERS 4
#define POSTS   20000

/* --- posts from many threads arrive once, and in order for each poster ------------------------ */

struct letter {
	struct loop_work work;
	unsigned poster, number;
};

static unsigned next_number[POSTERS]; /* Only used on loop 0. */
static unsigned nreceived;

static void receive(struct loop_work *work)
{
	struct letter *letter = container_of(work, struct letter, work);

	check(loop_current() == set.loops[0]);
	check(letter->number == next_number[letter->poster]);
	next_number[letter->poster]++;
	if (++nreceived == POSTERS * POSTS)
		finish();
	free(letter); /* the loop does not use it any more */
}

static void *poster(void *arg)
{
	unsigned me = (unsigned)(uintptr_t)arg;

	for (unsigned i = 0; i < POSTS; i++) {
		struct letter *letter = malloc(sizeof(*letter));

		*letter = (struct letter){{.fn = receive}, me, i};
		loop_post(set.loops[0], &letter->work);
		if (i % 1000 == 0)
			usleep(200); /* lets the loop fall asleep sometimes */
	}
	return NULL;
}

static void posts_of_many_threads(void **state)
{
	pthread_t threads[POSTERS];

	(void)state;
	memset(next_number, 0, sizeof(next_number));
	nreceived = 0;
	for (uintptr_t i = 0; i < POSTERS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, poster, (void *)i), 0);
	for (int i = 0; i < POSTERS; i++)
		pthread_join(threads[i], NULL);
	await_finish();
	for (int i = 0; i < POSTERS; i++)
		assert_int_equal(next_number[i], POSTS);
}

/* --- ping-pong: each post reaches a loop that sleeps or is about to sleep --- */

static unsigned hops;

static void hop(struct loop_work *work)
{
	unsigned here = loop_index(loop_current());

	if (++hops == 20000)
		finish();
	else
		loop_post(set.loops[(here + 1) % FIXTURE_LOOPS], work);
}

static void no_wake_up_is_lost(void **state)
{
	(void)state;
	hops = 0;
	run_on_loop(hop);
	assert_int_equal(hops, 20000);
}

/* --- an idle loop executes nothing --- */

static void idle_loops_sleep(void **state)
{
	struct loop_stats before, after;

	(void)state;
	usleep(50000);
	loop_stats(set.loops[1], &before);
	usleep(200000);
	loop_stats(set.loops[1], &after);
	assert_int_equal(before.turns, after.turns);
	assert_int_equal(before.enters, after.enters);
}

/* --- deferred work ---------------------------------------------------------------------------- */

static char order[16];
static struct loop_work first_work, second_work, posted_work;

static void append(const char *text)
{
	strcat(order, text);
}

static void first(struct loop_work *work)
{
	append("1");
	if (strlen(order) < 4)
		loop_defer(loop_current(), work); /* once more in the same turn */
}

static void second(struct loop_work *work)
{
	(void)work;
	append("2");
}

static void posted(struct loop_work *work)
{
	(void)work;
	append("p");
	finish();
}

static void defer_body(struct loop_work *work)
{
	struct loop *loop = loop_current();

	(void)work;
	first_work.fn = first;
	second_work.fn = second;
	posted_work.fn = posted;
	loop_post(loop, &posted_work);
	loop_defer(loop, &first_work);
	loop_defer(loop, &second_work);
	loop_defer(loop, &first_work); /* it is already queued, so this has no effect */
	check(order[0] == 0);
}

static void deferred_runs_in_this_turn(void **state)
{
	(void)state;
	order[0] = 0;
	run_on_loop(defer_body);
	assert_string_equal(order, "1211p");
}

/* --- broadcasts ------------------------------------------------------------------------------- */

static struct loop_broadcast *broadcast;
/* Each loop writes its element, which is read after the last acknowledgement. */
static unsigned visits[FIXTURE_LOOPS];
static unsigned rounds;
static struct loop *origin;
static struct loop_work late_ack;

static void acknowledge(struct loop_work *work)
{
	(void)work;
	loop_broadcast_ack(broadcast);
}

/* Loop 1 acknowledges later, and the others at once. */
static void visit(void *owner, struct loop *loop)
{
	check(owner == visits);
	check(loop == loop_current());
	visits[loop_index(loop)]++;
	if (loop_index(loop) == 1) {
		late_ack.fn = acknowledge;
		loop_post(loop, &late_ack);
		return;
	}
	loop_broadcast_ack(broadcast);
}

static void check_visits(void)
{
	rounds++;
	for (int i = 0; i < FIXTURE_LOOPS; i++)
		check(visits[i] == rounds);
}

/*
 * Starts the next round. Its end is reported alternately on loop 2 and on the loop of the last
 * acknowledgement.
 */
static void end_round(void *owner)
{
	(void)owner;
	check(!origin || loop_current() == origin);
	check_visits();
	origin = rounds % 2 ? set.loops[2] : NULL;
	if (rounds < 1000)
		loop_broadcast_start(broadcast, origin);
	else
		finish();
}

static const struct loop_broadcast_ops every_loop = {.visit = visit, .done = end_round};

static void prepare_broadcast(const struct loop_broadcast_ops *ops)
{
	broadcast = loop_broadcast_new(&set, ops, visits);
	assert_non_null(broadcast);
	rounds = 0;
	origin = NULL;
	memset(visits, 0, sizeof(visits));
}

/* The first round is started on a thread that is not a loop. */
static void broadcasts_reach_every_loop(void **state)
{
	(void)state;
	prepare_broadcast(&every_loop);
	loop_broadcast_start(broadcast, NULL);
	await_finish();
	assert_int_equal(rounds, 1000);
	loop_set_barrier(&set); /* the loop that made the last acknowledgement has returned from it */
	loop_broadcast_free(broadcast);
}

static void broadcasts_are_waited_for(void **state)
{
	(void)state;
	prepare_broadcast(&every_loop);
	while (rounds < 1000) {
		loop_broadcast_run(broadcast);
		check_visits();
	}
	loop_broadcast_free(broadcast);
}

static bool is_not_loop_0(const void *owner, unsigned index)
{
	(void)owner;
	return index != 0;
}

static void broadcasts_leave_loops_out(void **state)
{
	static const struct loop_broadcast_ops ops = {.visit = visit, .wants = is_not_loop_0};

	(void)state;
	prepare_broadcast(&ops);
	loop_broadcast_run(broadcast);
	assert_int_equal(visits[0], 0);
	for (int i = 1; i < FIXTURE_LOOPS; i++)
		assert_int_equal(visits[i], 1);
	loop_broadcast_free(broadcast);
}

/* --- barriers --------------------------------------------------------------------------------- */

static void count_visit(struct loop_work *work)
{
	(void)work;
	usleep(20000);
	visits[loop_index(loop_current())]++;
}

static void barrier_waits_for_posted_work(void **state)
{
	struct loop_work works[FIXTURE_LOOPS];

	(void)state;
	memset(visits, 0, sizeof(visits));
	for (int i = 0; i < FIXTURE_LOOPS; i++) {
		works[i] = (struct loop_work){.fn = count_visit};
		loop_post(set.loops[i], &works[i]);
	}
	loop_set_barrier(&set);
	for (int i = 0; i < FIXTURE_LOOPS; i++)
		assert_int_equal(visits[i], 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    BOTH_ENGINES(posts_of_many_threads),
	    BOTH_ENGINES(no_wake_up_is_lost),
	    BOTH_ENGINES(idle_loops_sleep),
	    BOTH_ENGINES(deferred_runs_in_this_turn),
	    BOTH_ENGINES(broadcasts_reach_every_loop),
	    BOTH_ENGINES(broadcasts_are_waited_for),
	    BOTH_ENGINES(broadcasts_leave_loops_out),
	    BOTH_ENGINES(barrier_waits_for_posted_work),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
