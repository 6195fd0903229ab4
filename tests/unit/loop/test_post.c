/* SPDX-License-Identifier: Apache-2.0 */
/* Mailboxes, deferred work and broadcasts. */
#include "harness.h"

#include <pthread.h>

#define POSTERS 4
#define POSTS   20000

/* --- posts from many threads arrive once, and in order for each poster ------------------------ */

struct letter {
	struct loop_work work;
	unsigned poster, number;
};

static unsigned next_number[POSTERS]; /* loop 0 only */
static unsigned nreceived;

static void receive(struct loop_work *work)
{
	struct letter *letter = container_of(work, struct letter, work);

	check(loop_current() == set.loops[0]);
	check(letter->number == next_number[letter->poster]);
	next_number[letter->poster]++;
	if (++nreceived == POSTERS * POSTS)
		finish();
	free(letter); /* the loop is through with it */
}

static void *poster(void *arg)
{
	unsigned me = (unsigned)(uintptr_t)arg;

	for (unsigned i = 0; i < POSTS; i++) {
		struct letter *letter = malloc(sizeof(*letter));

		*letter = (struct letter){{.fn = receive}, me, i};
		loop_post(set.loops[0], &letter->work);
		if (i % 1000 == 0)
			usleep(200); /* lets the loop fall asleep at times */
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

/* --- ping-pong: each post meets a loop that is asleep or about to be -------------------------- */

static unsigned hops;

static void hop(struct loop_work *work)
{
	unsigned here = loop_index(loop_current());

	if (++hops == 20000)
		finish();
	else
		loop_post(set.loops[(here + 1) % HARNESS_LOOPS], work);
}

static void no_wake_up_is_lost(void **state)
{
	(void)state;
	hops = 0;
	run_on_loop(hop);
	assert_int_equal(hops, 20000);
}

/* --- a loop with nothing to do does nothing --------------------------------------------------- */

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
		loop_defer(loop_current(), work); /* again in the same turn */
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
	loop_defer(loop, &first_work); /* is queued: nothing */
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

static struct loop_broadcast broadcast;
static unsigned
    visits[HARNESS_LOOPS]; /* each written by its loop, read by loop 0 in done: that is the point */
static unsigned rounds;
static struct loop_work late_ack;

static void acknowledge(struct loop_work *work)
{
	(void)work;
	loop_broadcast_ack(&broadcast);
}

static void visit(struct loop_broadcast *b, struct loop *loop)
{
	check(loop == loop_current());
	visits[loop_index(loop)]++;
	if (loop_index(loop) == 1) { /* later */
		late_ack.fn = acknowledge;
		loop_post(loop, &late_ack);
		return;
	}
	loop_broadcast_ack(b);
}

static void visited(struct loop_broadcast *b)
{
	check(loop_current() == set.loops[0]);
	rounds++;
	for (int i = 0; i < HARNESS_LOOPS; i++)
		check(visits[i] == rounds);
	if (rounds < 1000)
		check(loop_broadcast(loop_current(), b) == 0);
	else
		finish();
}

static void broadcast_body(struct loop_work *work)
{
	(void)work;
	broadcast = (struct loop_broadcast){.fn = visit, .done = visited};
	check(loop_broadcast(loop_current(), &broadcast) == 0);
}

static void broadcasts_reach_every_loop(void **state)
{
	(void)state;
	rounds = 0;
	memset(visits, 0, sizeof(visits));
	run_on_loop(broadcast_body);
	assert_int_equal(rounds, 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    BOTH_ENGINES(posts_of_many_threads),
	    BOTH_ENGINES(no_wake_up_is_lost),
	    BOTH_ENGINES(idle_loops_sleep),
	    BOTH_ENGINES(deferred_runs_in_this_turn),
	    BOTH_ENGINES(broadcasts_reach_every_loop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
