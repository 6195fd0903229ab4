/* SPDX-License-Identifier: Apache-2.0 */
/* The queue of the main thread: order, posts from other threads, and work that runs the queue itself. */
#include "util/main_queue.h"

#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#define NWORKS 8

static struct main_queue *queue;
static struct main_work works[NWORKS];
static unsigned order[NWORKS], ndone;

static void note(struct main_work *work)
{
	order[ndone++] = (unsigned)(work - works);
}

/* Waits for work that was posted after this one. */
static void note_and_wait(struct main_work *work)
{
	note(work);
	while (ndone < 3)
		assert_true(main_queue_wait(queue, 60000));
}

static bool is_readable(void)
{
	struct pollfd look = {.fd = main_queue_fd(queue), .events = POLLIN};

	return poll(&look, 1, 0) == 1;
}

static int set_up(void **state)
{
	(void)state;
	queue = main_queue_new();
	ndone = 0;
	for (unsigned i = 0; i < NWORKS; i++)
		works[i] = (struct main_work){.fn = note};
	return queue ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	main_queue_free(queue);
	return 0;
}

static void test_order_and_descriptor(void **state)
{
	(void)state;
	assert_false(is_readable());
	assert_false(main_queue_wait(queue, 0));
	for (unsigned i = 0; i < NWORKS; i++)
		main_queue_post(queue, &works[NWORKS - 1 - i]);
	assert_true(is_readable());
	main_queue_run(queue);
	assert_false(is_readable());
	assert_int_equal(ndone, NWORKS);
	for (unsigned i = 0; i < NWORKS; i++)
		assert_int_equal(order[i], NWORKS - 1 - i);
}

static void *post_all(void *arg)
{
	(void)arg;
	for (unsigned i = 0; i < NWORKS; i++)
		main_queue_post(queue, &works[i]);
	return NULL;
}

static void test_posts_of_another_thread(void **state)
{
	pthread_t thread;

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, post_all, NULL), 0);
	while (ndone < NWORKS)
		assert_true(main_queue_wait(queue, 60000));
	pthread_join(thread, NULL);
	assert_false(is_readable());
}

static void test_work_that_runs_the_queue(void **state)
{
	(void)state;
	works[0].fn = note_and_wait;
	for (unsigned i = 0; i < 3; i++)
		main_queue_post(queue, &works[i]);
	main_queue_run(queue);
	assert_int_equal(ndone, 3);
	assert_false(is_readable());
}

static void post_again(struct main_work *work)
{
	note(work);
	if (ndone < 2)
		main_queue_post(queue, work);
}

/* Work that is posted while the queue runs waits for the next run, so that the main loop is not blocked. */
static void test_work_that_posts_itself(void **state)
{
	(void)state;
	works[0].fn = post_again;
	main_queue_post(queue, &works[0]);
	main_queue_run(queue);
	assert_int_equal(ndone, 1);
	assert_true(is_readable());
	main_queue_run(queue);
	assert_int_equal(ndone, 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_order_and_descriptor),
	    TEST(test_posts_of_another_thread),
	    TEST(test_work_that_runs_the_queue),
	    TEST(test_work_that_posts_itself),
	};

	return cmocka_run_group_tests_name("main_queue", tests, NULL, NULL);
}
