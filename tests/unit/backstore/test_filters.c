/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The path of I/O through filters: the order of the layers, operations that layers leave out, and cancelling.
 */
#include <semaphore.h>
#include <string.h>
#include <unistd.h>

#include "filtered.h"
#include "util/bytes.h"
#include "util/clock.h"

#define SIZE    FILTERED_SIZE
#define HOUR_NS 3600000000000u

static uint8_t data[2 * BLOCK];

static void reset(struct filter_trace *trace)
{
	memset(trace, 0, sizeof(*trace));
}

static void find_thread(struct loop_work *work)
{
	struct pending *pending = container_of(work, struct pending, work);

	*(pthread_t *)(void *)pending->data = pthread_self();
	sem_post(&pending->passed);
}

static pthread_t thread_of_loop(unsigned i)
{
	struct pending pending = {.work.fn = find_thread};

	sem_init(&pending.passed, 0, 0);
	loop_post(loops.loops[i], &pending.work);
	while (sem_wait(&pending.passed) < 0)
		;
	sem_destroy(&pending.passed);
	return *(pthread_t *)(void *)pending.data;
}

/* The I/O goes to the handler and back, with each thread model. All callbacks run on the loop of the I/O. */
static void layers_are_called_in_order(void **state)
{
	static const char *const handlers[] = {"async", "parallel", "serial_lun", "serial_all"};

	(void)state;
	for (unsigned h = 0; h < ARRAY_SIZE(handlers); h++) {
		struct filter_trace trace = {.len = 0};
		struct filter_script a = {.letter = 'a', .trace = &trace},
				     b = {.letter = 'b', .trace = &trace};
		struct script *script = script_new(SIZE);
		struct backstore *bs =
		    filtered_open(handlers[h], script,
				  (struct filter_of_test[]){{"everything", &a}, {"everything", &b}}, 2);

		assert_string_equal(trace.text, "b(a(");
		script->delay_us = 10;
		for (unsigned i = 0; i < NLOOPS; i++) {
			struct iovec iov = {data, BLOCK};
			struct backstore_io bio = {.op = BACKSTORE_READ,
						   .io = {.len = BLOCK, .iov = &iov, .iovcnt = 1}};

			reset(&trace);
			script->media[5] = (uint8_t)(h + 1);
			assert_int_equal(run_io(bs, i, &bio), TCMUR_OK);
			assert_string_equal(trace.text, "a>b>b<a<");
			assert_int_equal(data[5], h + 1);
			assert_true(pthread_equal(a.thread, thread_of_loop(i)));
		}
		reset(&trace);
		backstore_close(bs);
		assert_string_equal(trace.text, "a)b)");
		assert_int_equal(script->closes, 1);
		script_free(script);
	}
}

static void operations_that_are_left_out_pass(void **state)
{
	struct filter_trace trace = {.len = 0};
	struct filter_script a = {.letter = 'a'}, b = {.letter = 'b'}, c = {.letter = 'c'};
	struct script *script = script_new(SIZE);
	struct backstore *bs =
	    filtered_open("async", script,
			  (struct filter_of_test[]){{"writes", &a}, {"everything", &b}, {"writes", &c}}, 3);

	(void)state;
	a.trace = b.trace = c.trace = &trace;
	assert_int_equal(run_simple(bs, BACKSTORE_READ, 0, BLOCK, data, BLOCK), TCMUR_OK);
	assert_string_equal(trace.text, "b>b<");
	reset(&trace);
	assert_int_equal(run_simple(bs, BACKSTORE_WRITE, 0, BLOCK, data, BLOCK), TCMUR_OK);
	assert_string_equal(trace.text, "a>b>c>c<b<a<");
	reset(&trace);
	assert_int_equal(run_simple(bs, BACKSTORE_FLUSH, 0, 0, NULL, 0), TCMUR_OK);
	assert_string_equal(trace.text, "b>b<");
	a.trace = b.trace = c.trace = NULL;
	backstore_close(bs);
	script_free(script);
}

/* Each operation of the handler arrives as the same operation. */
static void all_operations_arrive(void **state)
{
	struct filter_script a = {.letter = 'a'};
	struct script *script = script_new(SIZE);
	struct backstore *bs =
	    filtered_open("async", script, (struct filter_of_test[]){{"everything", &a}}, 1);
	struct tcmur_extent extent;
	struct backstore_io bio = {.op = BACKSTORE_EXTENTS,
				   .io = {.len = SIZE, .extents = &extent, .max_extents = 1}};

	(void)state;
	assert_int_equal(run_simple(bs, BACKSTORE_READ, 0, BLOCK, data, BLOCK), TCMUR_OK);
	assert_int_equal(run_simple(bs, BACKSTORE_WRITE, 0, BLOCK, data, BLOCK), TCMUR_OK);
	assert_int_equal(run_simple(bs, BACKSTORE_FLUSH, 0, 0, NULL, 0), TCMUR_OK);
	assert_int_equal(run_simple(bs, BACKSTORE_UNMAP, 0, BLOCK, NULL, 0), TCMUR_OK);
	assert_int_equal(run_simple(bs, BACKSTORE_WRITE_ZEROES, 0, BLOCK, NULL, 0), TCMUR_OK);
	assert_int_equal(run_simple(bs, BACKSTORE_WRITE_SAME, 0, BLOCK, data, BLOCK), TCMUR_OK);
	assert_int_equal(run_simple(bs, BACKSTORE_COMPARE_AND_WRITE, 0, BLOCK, data, 2 * BLOCK), TCMUR_OK);
	assert_int_equal(run_io(bs, 0, &bio), TCMUR_OK);
	assert_int_equal(bio.io.nextents, 1);
	for (unsigned i = 0; i < TCMUR_OPERATIONS; i++) {
		assert_int_equal(a.calls[i], 1);
		assert_int_equal(script->calls[i], 1);
	}
	backstore_close(bs);
	script_free(script);
}

/*
 * The filter sees the reads and writes of an operation that the daemon emulates, and the pieces of large I/O.
 */
static void emulation_is_above_the_filters(void **state)
{
	struct filter_script a = {.letter = 'a'};
	struct script *script = script_new(SIZE);

	(void)state;
	script->info.max_io = BLOCK;
	struct backstore *bs =
	    filtered_open("minimal", script, (struct filter_of_test[]){{"everything", &a}}, 1);
	memset(script->media, 7, BLOCK);
	memset(data, 7, BLOCK);
	memset(data + BLOCK, 9, BLOCK);
	assert_int_equal(run_simple(bs, BACKSTORE_COMPARE_AND_WRITE, 0, BLOCK, data, 2 * BLOCK), TCMUR_OK);
	assert_int_equal(script->media[0], 9);
	assert_int_equal(a.calls[TCMUR_OPERATION_READ], 1);
	assert_int_equal(a.calls[TCMUR_OPERATION_WRITE], 1);
	assert_int_equal(a.calls[TCMUR_OPERATION_COMPARE_AND_WRITE], 0);
	assert_int_equal(run_simple(bs, BACKSTORE_WRITE, 0, 2 * BLOCK, data, 2 * BLOCK), TCMUR_OK);
	assert_int_equal(a.calls[TCMUR_OPERATION_WRITE], 3);
	/* An error of the filter ends the whole operation. */
	a.early_status = TCMUR_NO_SPACE;
	assert_int_equal(run_simple(bs, BACKSTORE_WRITE_SAME, 0, BLOCK, data, BLOCK), TCMUR_NO_SPACE);
	assert_false(backstore_has_flush(bs));
	backstore_close(bs);
	script_free(script);
}

/* Memory is lent to readers unless a filter has a callback for reads. */
static void lending_stops_at_a_filter_of_reads(void **state)
{
	struct filter_script a = {.letter = 'a'};
	struct script *script = script_new(SIZE);

	(void)state;
	script->lends = true;
	struct backstore *bs = filtered_open("async", script, (struct filter_of_test[]){{"writes", &a}}, 1);
	assert_true(backstore_can_lend(bs));
	backstore_close(bs);
	bs = filtered_open("async", script, (struct filter_of_test[]){{"everything", &a}}, 1);
	assert_false(backstore_can_lend(bs));
	backstore_close(bs);
	script_free(script);
}

static void a_filter_changes_the_outcome(void **state)
{
	struct filter_script a = {.letter = 'a'}, b = {.letter = 'b'};
	struct script *script = script_new(SIZE);
	struct backstore *bs = filtered_open(
	    "parallel", script, (struct filter_of_test[]){{"everything", &a}, {"everything", &b}}, 2);

	(void)state;
	b.final_status = TCMUR_FENCED;
	assert_int_equal(run_simple(bs, BACKSTORE_READ, 0, BLOCK, data, BLOCK), TCMUR_FENCED);
	assert_int_equal(script->calls[SCRIPT_READ], 1);
	a.early_status = TCMUR_BUSY;
	assert_int_equal(run_simple(bs, BACKSTORE_READ, 0, BLOCK, data, BLOCK), TCMUR_BUSY);
	assert_int_equal(b.calls[TCMUR_OPERATION_READ], 1);
	a.early_status = b.final_status = TCMUR_OK;
	/* The outer filter may leave the completion to its successor. */
	a.passes_only = true;
	b.repeats = 3;
	assert_int_equal(run_simple(bs, BACKSTORE_WRITE, 0, BLOCK, data, BLOCK), TCMUR_OK);
	assert_int_equal(script->calls[SCRIPT_WRITE], 4);
	backstore_close(bs);
	script_free(script);
}

/* A filter may change the offset and the length; the I/O comes back as it was. */
static void a_filter_moves_io(void **state)
{
	struct filter_script a = {.letter = 'a', .shift = 4 * BLOCK};
	struct script *script = script_new(SIZE);
	struct backstore *bs =
	    filtered_open("async", script, (struct filter_of_test[]){{"everything", &a}}, 1);
	struct iovec iov = {data, BLOCK};
	struct backstore_io bio = {.op = BACKSTORE_WRITE,
				   .io = {.offset = BLOCK, .len = BLOCK, .iov = &iov, .iovcnt = 1}};

	(void)state;
	memset(data, 3, BLOCK);
	assert_int_equal(run_io(bs, 0, &bio), TCMUR_OK);
	assert_int_equal(bio.io.offset, BLOCK);
	assert_int_equal(script->media[BLOCK], 0);
	assert_int_equal(script->media[5 * BLOCK], 3);
	backstore_close(bs);
	script_free(script);
}

static void a_filter_completes_on_any_thread(void **state)
{
	struct filter_script a = {.letter = 'a'}, b = {.letter = 'b', .completes_elsewhere = true};
	struct script *script = script_new(SIZE);
	struct backstore *bs = filtered_open(
	    "async", script, (struct filter_of_test[]){{"everything", &a}, {"everything", &b}}, 2);

	(void)state;
	for (unsigned i = 0; i < NLOOPS; i++) {
		struct iovec iov = {data, BLOCK};
		struct backstore_io bio = {.op = BACKSTORE_READ,
					   .io = {.len = BLOCK, .iov = &iov, .iovcnt = 1}};

		assert_int_equal(run_io(bs, i, &bio), TCMUR_OK);
		assert_true(pthread_equal(a.thread, thread_of_loop(i)));
	}
	backstore_close(bs);
	script_free(script);
}

/* --- time and cancelling --- */

static void a_timer_runs_out(void **state)
{
	struct filter_script a = {.letter = 'a', .wait_ns = 20000000};
	struct script *script = script_new(SIZE);
	struct backstore *bs =
	    filtered_open("async", script, (struct filter_of_test[]){{"everything", &a}}, 1);
	uint64_t start = clock_now_ns();

	(void)state;
	assert_int_equal(run_simple(bs, BACKSTORE_READ, 0, BLOCK, data, BLOCK), TCMUR_OK);
	assert_true(clock_now_ns() - start >= a.wait_ns);
	backstore_close(bs);
	script_free(script);
}

/* The outer filter and the handler do not matter: the inner filter ends its I/O itself. */
static void waiting_io_ends_when_it_is_cancelled(void **state)
{
	struct filter_script a = {.letter = 'a'}, b = {.letter = 'b', .wait_ns = HOUR_NS};
	struct script *script = script_new(SIZE);
	struct backstore *bs = filtered_open(
	    "parallel", script, (struct filter_of_test[]){{"everything", &a}, {"everything", &b}}, 2);
	struct pending pending;

	(void)state;
	pending_submit(&pending, bs, BACKSTORE_WRITE, 0, 1);
	assert_false(pending_is_over(&pending));
	pending_cancel(&pending);
	pending_await(&pending, TCMUR_ABORTED);
	assert_int_equal(b.cancels, 1);
	assert_int_equal(a.cancels, 0);
	assert_int_equal(script->calls[SCRIPT_WRITE], 0);
	backstore_close(bs);
	script_free(script);
}

/* A filter without cancel() gives the I/O to the next layer later, but the I/O does not reach the handler. */
static void cancelled_io_does_not_reach_the_handler(void **state)
{
	struct filter_script a = {.letter = 'a', .wait_ns = 20000000};
	struct script *script = script_new(SIZE);
	struct backstore *bs = filtered_open("async", script, (struct filter_of_test[]){{"writes", &a}}, 1);
	struct pending pending;

	(void)state;
	pending_submit(&pending, bs, BACKSTORE_WRITE, 0, 1);
	pending_cancel(&pending);
	pending_await(&pending, TCMUR_TIMEOUT);
	assert_int_equal(script->calls[SCRIPT_WRITE], 0);
	backstore_close(bs);
	script_free(script);
}

static void io_that_is_too_late_does_not_reach_the_handler(void **state)
{
	struct filter_script a = {.letter = 'a', .wait_ns = 20000000};
	struct script *script = script_new(SIZE);
	struct backstore *bs = filtered_open("async", script, (struct filter_of_test[]){{"writes", &a}}, 1);
	struct iovec iov = {data, BLOCK};
	struct backstore_io bio = {.op = BACKSTORE_WRITE,
				   .io = {.len = BLOCK, .iov = &iov, .iovcnt = 1},
				   .deadline_ns = clock_now_ns() + 1000000};

	(void)state;
	assert_int_equal(run_io(bs, 0, &bio), TCMUR_TIMEOUT);
	assert_int_equal(script->calls[SCRIPT_WRITE], 0);
	backstore_close(bs);
	script_free(script);
}

/* The handler abandons its I/O, with and without a filter before it, whole and in pieces. */
static void the_handler_is_asked_to_cancel(void **state)
{
	struct filter_script a = {.letter = 'a'};
	const struct filter_of_test filter = {"everything", &a};

	(void)state;
	for (unsigned nfilters = 0; nfilters < 2; nfilters++) {
		for (unsigned nblocks = 1; nblocks < 4; nblocks += 2) {
			struct script *script = script_new(SIZE);
			struct pending pending;

			script->info.max_io = 2 * BLOCK;
			script->parks = true;
			struct backstore *bs = filtered_open("cancelling", script, &filter, nfilters);
			pending_submit(&pending, bs, BACKSTORE_WRITE, 0, nblocks);
			assert_int_equal(script->calls[SCRIPT_WRITE], 1);
			pending_cancel(&pending);
			pending_await(&pending, TCMUR_ABORTED);
			assert_int_equal(script->cancels, 1);
			assert_int_equal(script->calls[SCRIPT_WRITE], 1);
			backstore_close(bs);
			script_free(script);
		}
	}
	assert_int_equal(a.cancels, 0);
}

/* A WRITE that waits in a filter delays an overlapping WRITE SAME, and no other I/O. */
static void the_range_lock_is_above_the_filters(void **state)
{
	struct filter_script a = {.letter = 'a', .wait_ns = HOUR_NS};
	struct script *script = script_new(SIZE);
	struct backstore *bs =
	    filtered_open("async", script, (struct filter_of_test[]){{"everything", &a}}, 1);
	struct pending write, same, elsewhere;

	(void)state;
	pending_submit(&write, bs, BACKSTORE_WRITE, 0, 2);
	a.wait_ns = 0;
	pending_submit(&same, bs, BACKSTORE_WRITE_SAME, 1, 1);
	pending_submit(&elsewhere, bs, BACKSTORE_WRITE, 2, 1);
	pending_await(&elsewhere, TCMUR_OK);
	assert_int_equal(a.calls[TCMUR_OPERATION_WRITE_SAME], 0);
	assert_false(pending_is_over(&same));
	pending_cancel(&write);
	pending_await(&write, TCMUR_ABORTED);
	pending_await(&same, TCMUR_OK);
	assert_int_equal(script->media[BLOCK], 7);
	assert_int_equal(script->media[0], 0);
	backstore_close(bs);
	script_free(script);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(layers_are_called_in_order),
	    cmocka_unit_test(operations_that_are_left_out_pass),
	    cmocka_unit_test(all_operations_arrive),
	    cmocka_unit_test(emulation_is_above_the_filters),
	    cmocka_unit_test(lending_stops_at_a_filter_of_reads),
	    cmocka_unit_test(a_filter_changes_the_outcome),
	    cmocka_unit_test(a_filter_moves_io),
	    cmocka_unit_test(a_filter_completes_on_any_thread),
	    cmocka_unit_test(a_timer_runs_out),
	    cmocka_unit_test(waiting_io_ends_when_it_is_cancelled),
	    cmocka_unit_test(cancelled_io_does_not_reach_the_handler),
	    cmocka_unit_test(io_that_is_too_late_does_not_reach_the_handler),
	    cmocka_unit_test(the_handler_is_asked_to_cancel),
	    cmocka_unit_test(the_range_lock_is_above_the_filters),
	};

	return cmocka_run_group_tests(tests, fixture_up, fixture_down);
}
