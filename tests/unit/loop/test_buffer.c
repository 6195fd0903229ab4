/* SPDX-License-Identifier: Apache-2.0 */
/* Data buffers: size classes, limits and accounts. */
#include "loop_fixture.h"

#include "loop/internal.h" /* runs the trimming without waiting for its timer */

static void sizes_body(struct loop_work *work)
{
	static const size_t sizes[] = {0, 1, 512, 4096, 4097, 65536, 65537, 131072, 262144, 1 << 20, 3 << 20};
	enum { N = sizeof(sizes) / sizeof(sizes[0]) };
	struct loop *loop = loop_current();
	void *buffers[N];

	(void)work;
	for (int i = 0; i < N; i++) {
		buffers[i] = loop_buffer_get(loop, sizes[i]);
		check(buffers[i] && (uintptr_t)buffers[i] % 4096 == 0);
		memset(buffers[i], i, sizes[i]);
	}
	for (int i = 0; i < N; i++) {
		for (size_t byte = 0; byte < sizes[i]; byte++)
			check(((char *)buffers[i])[byte] == i);
		loop_buffer_put(loop, buffers[i], sizes[i]);
	}
	finish();
}

static void of_every_size(void **state)
{
	(void)state;
	run_on_loop(sizes_body);
}

/* The fixture sets a limit of 8 MiB. */
static void limit_body(struct loop_work *work)
{
	struct loop *loop = loop_current();
	void *buffers[8];

	(void)work;
	check(!loop_buffer_get(loop, (8u << 20) + 1));
	check(!loop_buffer_get(loop, SIZE_MAX));
	for (int i = 0; i < 8; i++) {
		buffers[i] = loop_buffer_get(loop, 1u << 20);
		check(buffers[i]);
	}
	check(!loop_buffer_get(loop, 1));
	loop_buffer_put(loop, buffers[0], 1u << 20);
	buffers[0] = loop_buffer_get(loop, 100);
	check(buffers[0]);
	check(!loop_buffer_get(loop, 1u << 20));
	loop_buffer_put(loop, buffers[0], 100);
	for (int i = 1; i < 8; i++)
		loop_buffer_put(loop, buffers[i], 1u << 20);
	check(loop->buffers.handed_out == 0);
	check(loop->buffers.kept <= 8u << 20);
	finish();
}

static void up_to_the_limit(void **state)
{
	(void)state;
	run_on_loop(limit_body);
}

static void trim_body(struct loop_work *work)
{
	struct loop *loop = loop_current();
	struct buffers *pool = &loop->buffers;
	void *a = loop_buffer_get(loop, 65536), *b = loop_buffer_get(loop, 65536);

	(void)work;
	loop_buffer_put(loop, a, 65536);
	loop_buffer_put(loop, b, 65536);
	check(loop_buffer_get(loop, 65536) == b); /* this is the buffer that was used last */
	loop_buffer_put(loop, b, 65536);
	pool->trim.fn(&pool->trim); /* both have been in use since the start */
	check(pool->kept == 2 * 65536);
	check(loop_buffer_get(loop, 65536) == b);
	loop_buffer_put(loop, b, 65536);
	pool->trim.fn(&pool->trim); /* one was enough in this period */
	check(pool->kept == 65536);
	check(pool->trim.slot);
	loop_timer_cancel(&pool->trim);
	pool->trim.fn(&pool->trim);
	check(pool->kept == 0);
	check(!pool->trim.slot); /* the timer does not run any more */
	finish();
}

static void unused_ones_are_given_back(void **state)
{
	(void)state;
	run_on_loop(trim_body);
}

/* --- accounts ---------------------------------------------------------------------------------- */

static void account_body(struct loop_work *work)
{
	struct loop_buffer_account small = {.limit = 64u << 10}, unlimited = {0};
	struct loop *loop = loop_current();
	void *first, *second, *third;

	(void)work;
	first = loop_buffer_get_charged(loop, &small, 5000); /* this counts as 8 KiB */
	check(first && small.used == 8192);
	check(!loop_buffer_get_charged(loop, &small, (56u << 10) + 1));
	check(!loop_buffer_get_charged(loop, &small, SIZE_MAX));
	check(small.used == 8192);
	second = loop_buffer_get_charged(loop, &small, 32u << 10);
	check(second && small.used == 40u << 10);
	check(!loop_buffer_get_charged(loop, &small, 32u << 10));
	third = loop_buffer_get_charged(loop, &unlimited, 1u << 20); /* other accounts are not affected */
	check(third && unlimited.used == 1u << 20);
	loop_buffer_put_charged(loop, &unlimited, third, 1u << 20);
	loop_buffer_put_charged(loop, &small, first, 5000);
	check(small.used == 32u << 10);
	small.limit = 4096; /* the owner may set a limit below the present use */
	check(!loop_buffer_get_charged(loop, &small, 1));
	loop_buffer_put_charged(loop, &small, second, 32u << 10);
	check(small.used == 0 && unlimited.used == 0 && loop->buffers.handed_out == 0);
	first = loop_buffer_get_charged(loop, NULL, 1);
	check(first);
	loop_buffer_put_charged(loop, NULL, first, 1);
	finish();
}

static void charged_to_an_account(void **state)
{
	(void)state;
	run_on_loop(account_body);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    BOTH_ENGINES(of_every_size),
	    BOTH_ENGINES(up_to_the_limit),
	    BOTH_ENGINES(unused_ones_are_given_back),
	    BOTH_ENGINES(charged_to_an_account),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
