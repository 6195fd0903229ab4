/* SPDX-License-Identifier: Apache-2.0 */
/* The parameters of filters are shown, and changed while all loops do I/O. */
#include <errno.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "filtered.h"
#include "util/bytes.h"

#define WORKERS 6u

static void shown(struct backstore *bs, const char *expected)
{
	char text[256];

	backstore_print_filters(bs, text, sizeof(text));
	assert_string_equal(text, expected);
}

static void note_filter(void *arg, const struct backstore_filter *filter)
{
	char *note = arg;

	snprintf(note + strlen(note), 64, "%u %s %s/%u ", filter->index, filter->filter->name,
		 filter->options[0].name, filter->noptions);
}

static void the_chain_is_shown(void **state)
{
	struct filter_script a = {.letter = 'a'}, b = {.letter = 'b'};
	struct script *script = script_new(FILTERED_SIZE);
	struct backstore *bs =
	    filtered_open("async", script, (struct filter_of_test[]){{"writes", &a}, {"everything", &b}}, 2);
	struct backstore *bare = script_open("async", script);
	char expected[256], text[4], note[128] = "";
	struct error error;

	(void)state;
	snprintf(expected, sizeof(expected), "writes (script=%p), everything (script=%p)", (void *)&a,
		 (void *)&b);
	shown(bs, expected);
	assert_int_equal(filtered_set_option(bs, 0, "pair", "3", &error), 0);
	assert_true(is_logged("filters from now on: writes (script="));
	snprintf(expected, sizeof(expected), "writes (script=%p, pair=3), everything (script=%p)", (void *)&a,
		 (void *)&b);
	shown(bs, expected);
	backstore_show_filters(bs, note_filter, note);
	assert_string_equal(note, "0 writes script/2 1 everything script/1 ");
	shown(bare, "");
	backstore_print_filters(bs, text, sizeof(text));
	assert_string_equal(text, "wri");
	backstore_close(bare);
	backstore_close(bs);
	script_free(script);
}

static void a_wrong_change_changes_nothing(void **state)
{
	struct filter_script a = {.letter = 'a'};
	struct script *script = script_new(FILTERED_SIZE);
	struct backstore *bs = filtered_open("async", script, (struct filter_of_test[]){{"writes", &a}}, 1);
	char expected[256];
	struct error error;

	(void)state;
	assert_int_equal(filtered_set_option(bs, 0, "pair", "1", &error), 0);
	assert_int_equal(filtered_set_option(bs, 0, "pair", "x", &error), -EINVAL);
	assert_string_equal(error.text, "filter writes: pair=x: this is wrong; use for example 7");
	assert_int_equal(filtered_set_option(bs, 0, "nosuch", "x", &error), -EINVAL);
	assert_non_null(strstr(error.text, "filter writes has no option \"nosuch\""));
	assert_int_equal(
	    backstore_set_filters(bs, (struct backstore_filter_spec[]){{"everything", NULL, 0}}, 1, &error),
	    -EINVAL);
	assert_string_equal(error.text, "filtered has other filters; only their options can be changed");
	assert_int_equal(backstore_set_filters(bs, NULL, 0, &error), -EINVAL);
	snprintf(expected, sizeof(expected), "writes (script=%p, pair=1)", (void *)&a);
	shown(bs, expected);
	/* An option that is removed has its default value again. */
	assert_int_equal(filtered_set_option(bs, 0, "pair", NULL, &error), 0);
	snprintf(expected, sizeof(expected), "writes (script=%p)", (void *)&a);
	shown(bs, expected);
	backstore_close(bs);
	script_free(script);
}

/* --- under I/O --- */

struct worker {
	struct loop_work begin;
	struct backstore_io bio;
	struct iovec iov;
	uint8_t data[BLOCK];
	unsigned done;
	sem_t *over;
};

static bool stop; /* Atomic. */

static void go_on(struct backstore_io *bio, enum tcmur_status status)
{
	struct worker *worker = bio->owner;

	assert_int_equal(status, TCMUR_OK);
	worker->done++;
	if (__atomic_load_n(&stop, __ATOMIC_ACQUIRE))
		sem_post(worker->over);
	else
		loop_post(bio->loop, &worker->begin);
}

static void begin(struct loop_work *work)
{
	struct worker *worker = container_of(work, struct worker, begin);

	backstore_submit(&worker->bio);
}

static void start_workers(struct worker *workers, struct backstore *bs, sem_t *over)
{
	__atomic_store_n(&stop, false, __ATOMIC_RELEASE);
	for (unsigned i = 0; i < WORKERS; i++) {
		struct worker *worker = &workers[i];

		*worker = (struct worker){.begin.fn = begin, .iov = {worker->data, BLOCK}, .over = over};
		worker->bio = (struct backstore_io){
		    .io = {.offset = i * BLOCK, .len = BLOCK, .iov = &worker->iov, .iovcnt = 1},
		    .bs = bs,
		    .loop = loops.loops[i % NLOOPS],
		    .op = BACKSTORE_WRITE,
		    .done = go_on,
		    .owner = worker,
		};
		loop_post(worker->bio.loop, &worker->begin);
	}
}

/*
 * The filter ends the program if it sees a change in part, and the sanitizers do if it uses parameters that
 * were freed or are being written.
 */
static void parameters_change_under_io(void **state)
{
	static const char *const handlers[] = {"async", "parallel"};

	(void)state;
	for (unsigned h = 0; h < ARRAY_SIZE(handlers); h++) {
		struct filter_script a = {.letter = 'a'}, b = {.letter = 'b', .wait_ns = 1000};
		struct script *script = script_new(FILTERED_SIZE);
		struct backstore *bs = filtered_open(
		    handlers[h], script, (struct filter_of_test[]){{"everything", &a}, {"writes", &b}}, 2);
		struct worker *workers = calloc(WORKERS, sizeof(*workers));
		char value[32], text[256];
		struct error error;
		sem_t over;

		sem_init(&over, 0, 0);
		start_workers(workers, bs, &over);
		for (unsigned i = 0; i < 150; i++) {
			snprintf(value, sizeof(value), "%u", i);
			assert_int_equal(filtered_set_option(bs, i % 2, "pair", value, &error), 0);
			backstore_print_filters(bs, text, sizeof(text));
			assert_non_null(strstr(text, value));
		}
		__atomic_store_n(&stop, true, __ATOMIC_RELEASE);
		for (unsigned i = 0; i < WORKERS; i++)
			while (sem_wait(&over) < 0)
				;
		for (unsigned i = 0; i < WORKERS; i++)
			assert_true(workers[i].done > 0);
		backstore_close(bs);
		sem_destroy(&over);
		free(workers);
		script_free(script);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_chain_is_shown),
	    cmocka_unit_test(a_wrong_change_changes_nothing),
	    cmocka_unit_test(parameters_change_under_io),
	};

	return cmocka_run_group_tests(tests, fixture_up, fixture_down);
}
