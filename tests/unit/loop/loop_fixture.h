/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each test runs with both engines. The body of a test runs on a loop. run_on_loop() starts it, and returns
 * when the body or one of its callbacks has called finish(). Code on loop threads must use check(), because
 * cmocka's asserts jump to main.
 */
#ifndef TEST_LOOP_FIXTURE_H
#define TEST_LOOP_FIXTURE_H

#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <semaphore.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "check.h"
#include "loop/loop.h"

#define FIXTURE_LOOPS 3

static struct loop_set set;
static sem_t finished;

__attribute__((unused)) static bool fixture_uring = false, fixture_epoll = true; /* no_uring */

static inline int fixture_setup(void **state)
{
	struct loop_options options = {
	    .nloops = FIXTURE_LOOPS, .npool = 4, .no_uring = *(bool *)*state, .buffer_limit = 8u << 20};
	struct error error;

	sem_init(&finished, 0, 0);
	if (loop_set_start(&set, &options, &error) == 0)
		return 0;
	fprintf(stderr, "%s\n", error.text);
	return -1;
}

static inline int fixture_teardown(void **state)
{
	(void)state;
	loop_set_stop(&set);
	sem_destroy(&finished);
	return 0;
}

#define BOTH_ENGINES(test)                                                              \
	{#test " (io_uring)", test, fixture_setup, fixture_teardown, &fixture_uring},   \
	{                                                                               \
#test " (epoll)", test, fixture_setup, fixture_teardown, &fixture_epoll \
	}

static inline void finish(void)
{
	sem_post(&finished);
}

static inline void await_finish(void)
{
	while (sem_wait(&finished) < 0)
		;
}

static inline void run_on_loop(void (*body)(struct loop_work *work))
{
	struct loop_work work = {.fn = body};

	loop_post(set.loops[0], &work);
	await_finish();
}
#endif
