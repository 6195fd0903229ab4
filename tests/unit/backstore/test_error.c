/* SPDX-License-Identifier: Apache-2.0 */
/* The filter error: which I/O fails, how often and how, and which values of options are refused. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "filtered.h"
#include "util/bytes.h"

#define SIZE FILTERED_SIZE

static uint8_t data[8 * BLOCK];

static struct backstore *open_failing(const char *handler, struct script *script,
				      const struct tcmur_option_value *options, uint32_t noptions)
{
	const struct backstore_filter_spec filter = {"error", options, noptions};

	return filtered_open_specs(handler, script, &filter, 1);
}

static enum tcmur_status read_blocks(struct backstore *bs, unsigned block, unsigned nblocks)
{
	return run_simple(bs, BACKSTORE_READ, block * BLOCK, nblocks * BLOCK, data, nblocks * BLOCK);
}

static enum tcmur_status write_blocks(struct backstore *bs, unsigned block, unsigned nblocks)
{
	return run_simple(bs, BACKSTORE_WRITE, block * BLOCK, nblocks * BLOCK, data, nblocks * BLOCK);
}

static void everything_fails_without_options(void **state)
{
	struct script *script = script_new(SIZE);
	struct backstore *bs = open_failing("parallel", script, NULL, 0);
	struct tcmur_extent extent;
	struct backstore_io bio = {.op = BACKSTORE_EXTENTS,
				   .io = {.len = SIZE, .extents = &extent, .max_extents = 1}};

	(void)state;
	assert_int_equal(read_blocks(bs, 0, 1), TCMUR_READ_ERROR);
	assert_int_equal(write_blocks(bs, 0, 1), TCMUR_WRITE_ERROR);
	assert_int_equal(run_simple(bs, BACKSTORE_FLUSH, 0, 0, NULL, 0), TCMUR_WRITE_ERROR);
	assert_int_equal(run_simple(bs, BACKSTORE_UNMAP, 0, BLOCK, NULL, 0), TCMUR_WRITE_ERROR);
	assert_int_equal(run_simple(bs, BACKSTORE_WRITE_ZEROES, 0, BLOCK, NULL, 0), TCMUR_WRITE_ERROR);
	assert_int_equal(run_simple(bs, BACKSTORE_WRITE_SAME, 0, BLOCK, data, BLOCK), TCMUR_WRITE_ERROR);
	assert_int_equal(run_simple(bs, BACKSTORE_COMPARE_AND_WRITE, 0, BLOCK, data, 2 * BLOCK),
			 TCMUR_WRITE_ERROR);
	assert_int_equal(run_simple(bs, BACKSTORE_VERIFY, 0, BLOCK, NULL, 0), TCMUR_READ_ERROR);
	assert_int_equal(run_io(bs, 0, &bio), TCMUR_READ_ERROR);
	for (unsigned i = 0; i < SCRIPT_NCALLS; i++)
		assert_int_equal(script->calls[i], 0);
	backstore_close(bs);
	script_free(script);
}

static void the_status_is_chosen(void **state)
{
	static const struct {
		const char *name;
		enum tcmur_status status;
	} statuses[] = {
	    {"read-error", TCMUR_READ_ERROR},
	    {"write-error", TCMUR_WRITE_ERROR},
	    {"no-space", TCMUR_NO_SPACE},
	    {"out-of-range", TCMUR_OUT_OF_RANGE},
	    {"not-supported", TCMUR_NOT_SUPPORTED},
	    {"invalid-field", TCMUR_INVALID_FIELD},
	    {"write-protected", TCMUR_WRITE_PROTECTED},
	    {"not-ready", TCMUR_NOT_READY},
	    {"hardware-error", TCMUR_HARDWARE_ERROR},
	    {"timeout", TCMUR_TIMEOUT},
	    {"aborted", TCMUR_ABORTED},
	    {"busy", TCMUR_BUSY},
	    {"task-set-full", TCMUR_NO_RESOURCE},
	    {"fenced", TCMUR_FENCED},
	    {"conflict", TCMUR_CONFLICT},
	};
	struct script *script = script_new(SIZE);
	struct backstore *bs = open_failing("async", script, NULL, 0);
	struct error error;

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(statuses); i++) {
		assert_int_equal(filtered_set_option(bs, 0, "status", statuses[i].name, &error), 0);
		assert_int_equal(read_blocks(bs, 0, 1), statuses[i].status);
	}
	backstore_close(bs);
	script_free(script);
}

/*
 * The sense data is the same for a whole I/O, for an I/O in pieces, and for an operation that consists of
 * others.
 */
static void sense_data_reach_the_submitter(void **state)
{
	static const struct tcmur_option_value options[] = {{"sense", "3/0C/3"}, {"lba", "5"}};
	struct script *script = script_new(SIZE);

	(void)state;
	script->info.max_io = 2 * BLOCK;
	struct backstore *bs = open_failing("minimal", script, options, 2);
	for (unsigned nblocks = 1; nblocks < 8; nblocks += 3) {
		struct iovec iov = {data, nblocks * BLOCK};
		struct backstore_io bio = {.op = BACKSTORE_READ,
					   .io = {.offset = 5 * BLOCK - nblocks / 4 * BLOCK,
						  .len = nblocks * BLOCK,
						  .iov = &iov,
						  .iovcnt = 1}};

		assert_int_equal(run_io(bs, 0, &bio), TCMUR_SENSE);
		assert_int_equal(bio.io.sense, 0x30c03);
		assert_int_equal(bio.io.miscompare_offset, nblocks / 4 * BLOCK);
	}
	assert_int_equal(run_simple(bs, BACKSTORE_WRITE_SAME, 4 * BLOCK, 2 * BLOCK, data, BLOCK),
			 TCMUR_SENSE);
	backstore_close(bs);
	script_free(script);
}

static void only_a_range_fails(void **state)
{
	static const struct tcmur_option_value ranges[] = {{"lba", "3-4"}, {"range", "1536+1K"}};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(ranges); i++) {
		struct script *script = script_new(SIZE);
		struct backstore *bs = open_failing("async", script, &ranges[i], 1);
		struct iovec iov = {data, 8 * BLOCK};
		struct backstore_io bio = {.op = BACKSTORE_READ,
					   .io = {.len = 8 * BLOCK, .iov = &iov, .iovcnt = 1}};

		assert_int_equal(read_blocks(bs, 0, 3), TCMUR_OK);
		assert_int_equal(read_blocks(bs, 5, 3), TCMUR_OK);
		assert_int_equal(read_blocks(bs, 4, 4), TCMUR_READ_ERROR);
		assert_int_equal(read_blocks(bs, 3, 1), TCMUR_READ_ERROR);
		assert_int_equal(write_blocks(bs, 2, 2), TCMUR_WRITE_ERROR);
		assert_int_equal(run_simple(bs, BACKSTORE_FLUSH, 0, 0, NULL, 0), TCMUR_OK);
		/* The first bad byte is reported. */
		assert_int_equal(run_io(bs, 0, &bio), TCMUR_READ_ERROR);
		assert_int_equal(bio.io.miscompare_offset, 3 * BLOCK);
		backstore_close(bs);
		script_free(script);
	}
}

static void only_some_operations_fail(void **state)
{
	static const struct tcmur_option_value option = {"operations", "flush+write-same+unmap"};
	struct script *script = script_new(SIZE);
	struct backstore *bs = open_failing("async", script, &option, 1);

	(void)state;
	assert_int_equal(read_blocks(bs, 0, 1), TCMUR_OK);
	assert_int_equal(write_blocks(bs, 0, 1), TCMUR_OK);
	assert_int_equal(run_simple(bs, BACKSTORE_FLUSH, 0, 0, NULL, 0), TCMUR_WRITE_ERROR);
	assert_int_equal(run_simple(bs, BACKSTORE_WRITE_SAME, 0, BLOCK, data, BLOCK), TCMUR_WRITE_ERROR);
	assert_int_equal(run_simple(bs, BACKSTORE_UNMAP, 0, BLOCK, NULL, 0), TCMUR_WRITE_ERROR);
	assert_int_equal(run_simple(bs, BACKSTORE_WRITE_ZEROES, 0, BLOCK, NULL, 0), TCMUR_OK);
	backstore_close(bs);
	script_free(script);
}

/* Only I/O that the other options select is counted, and a change of an option restarts the counts. */
static void each_nth_fails_until_the_count_is_used_up(void **state)
{
	static const struct tcmur_option_value options[] = {
	    {"operations", "read"}, {"lba", "0"}, {"every", "3"}, {"count", "2"}};
	struct script *script = script_new(SIZE);
	struct backstore *bs = open_failing("async", script, options, ARRAY_SIZE(options));
	struct error error;

	(void)state;
	for (unsigned round = 0; round < 2; round++) {
		for (unsigned i = 1; i <= 12; i++) {
			assert_int_equal(read_blocks(bs, 0, 1),
					 i == 3 || i == 6 ? TCMUR_READ_ERROR : TCMUR_OK);
			assert_int_equal(read_blocks(bs, 1, 1), TCMUR_OK);
			assert_int_equal(write_blocks(bs, 0, 1), TCMUR_OK);
		}
		assert_int_equal(filtered_set_option(bs, 0, "count", "2", &error), 0);
	}
	/* Without a limit, every third I/O fails for ever. */
	assert_int_equal(filtered_set_option(bs, 0, "count", NULL, &error), 0);
	for (unsigned i = 1; i <= 12; i++)
		assert_int_equal(read_blocks(bs, 0, 1), i % 3 ? TCMUR_OK : TCMUR_READ_ERROR);
	backstore_close(bs);
	script_free(script);
}

/* The limits are so wide that chance does not reach them. */
static void io_fails_with_a_probability(void **state)
{
	enum { MANY = 4000 };
	static const struct {
		const char *probability;
		unsigned least, most;
	} cases[] = {
	    {"0", 0, 0}, {"0.25", 700, 1300}, {"1", MANY, MANY}, {"1.0", MANY, MANY}, {"0.00000", 0, 0}};
	struct script *script = script_new(SIZE);
	struct backstore *bs = open_failing("async", script, NULL, 0);
	struct error error;

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		unsigned errors = 0;

		assert_int_equal(filtered_set_option(bs, 0, "probability", cases[i].probability, &error), 0);
		for (unsigned k = 0; k < MANY; k++)
			errors += read_blocks(bs, 0, 1) != TCMUR_OK;
		assert_uint_in_range(errors, cases[i].least, cases[i].most);
	}
	backstore_close(bs);
	script_free(script);
}

/* --- from several loops --- */

#define WORKERS    6u
#define PER_WORKER 500u

struct worker {
	struct loop_work begin;
	struct backstore_io bio;
	struct iovec iov;
	uint8_t data[BLOCK];
	unsigned left, errors;
	sem_t *over;
};

static void begin(struct loop_work *work)
{
	backstore_submit(&container_of(work, struct worker, begin)->bio);
}

static void go_on(struct backstore_io *bio, enum tcmur_status status)
{
	struct worker *worker = bio->owner;

	worker->errors += status != TCMUR_OK;
	if (--worker->left)
		loop_post(bio->loop, &worker->begin);
	else
		sem_post(worker->over);
}

/* However many loops do I/O, the number of errors is exactly the count. */
static void the_count_is_exact_on_several_loops(void **state)
{
	static const struct tcmur_option_value options[] = {{"every", "2"}, {"count", "1000"}};
	struct script *script = script_new(SIZE);
	struct backstore *bs = open_failing("async", script, options, ARRAY_SIZE(options));
	struct worker *workers = calloc(WORKERS, sizeof(*workers));
	unsigned errors = 0;
	sem_t over;

	(void)state;
	sem_init(&over, 0, 0);
	for (unsigned i = 0; i < WORKERS; i++) {
		struct worker *worker = &workers[i];

		*worker = (struct worker){
		    .begin.fn = begin, .iov = {worker->data, BLOCK}, .left = PER_WORKER, .over = &over};
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
	for (unsigned i = 0; i < WORKERS; i++)
		while (sem_wait(&over) < 0)
			;
	for (unsigned i = 0; i < WORKERS; i++)
		errors += workers[i].errors;
	assert_int_equal(errors, 1000);
	assert_int_equal(script->calls[SCRIPT_WRITE], WORKERS * PER_WORKER - 1000);
	backstore_close(bs);
	sem_destroy(&over);
	free(workers);
	script_free(script);
}

/* --- wrong options --- */

static void refused_beside(const struct tcmur_option_value *first, const char *name, const char *value,
			   const char *reason)
{
	const struct tcmur_option_value option = {name, value};
	const struct tcmur_option_value options[] = {first ? *first : option, option};
	const struct backstore_filter_spec filter = {"error", options, first ? 2 : 1};
	struct error error = {""};

	assert_int_equal(backstore_check_filters(&filter, 1, &error), -EINVAL);
	if (!strstr(error.text, reason) || !strstr(error.text, name) || !strstr(error.text, value))
		fail_msg("the error for %s=%s does not contain \"%s\": %s", name, value, reason, error.text);
}

static void refused(const char *name, const char *value, const char *reason)
{
	refused_beside(NULL, name, value, reason);
}

static void wrong_values_are_refused(void **state)
{
	(void)state;
	refused("status", "bad", "there is no such status; use for example read-error");
	refused("status", "", "there is no such status");
	refused("sense", "3", "this is not KEY/ASC/ASCQ in hexadecimal digits; use for example 3/0c/03");
	refused("sense", "3/0c", "not KEY/ASC/ASCQ");
	refused("sense", "3/0c/03/1", "not KEY/ASC/ASCQ");
	refused("sense", "3/100/0", "not KEY/ASC/ASCQ");
	refused("sense", "3/0g/0", "not KEY/ASC/ASCQ");
	refused("sense", "10/0/0", "not KEY/ASC/ASCQ");
	refused("sense", "1/17/00", "mean that there was no error");
	refused("operations", "reads", "\"reads\" is not an operation; use for example read+write");
	refused("operations", "read+", "\"\" is not an operation");
	refused("lba", "9-8", "this is not a range of blocks; use for example 100-199 or 100");
	refused("lba", "", "not a range of blocks");
	refused("lba", "1-", "not a range of blocks");
	refused("lba", "99999999999999999999", "not a range of blocks");
	refused("range", "1M", "this is not OFFSET+LENGTH in bytes; use for example 1M+64K");
	refused("range", "1M+0", "not OFFSET+LENGTH");
	refused("range", "x+1", "not OFFSET+LENGTH");
	refused("every", "0", "this is not a whole number from 1 to 4294967295; use for example 10");
	refused("every", "1.5", "not a whole number");
	refused("count", "-1", "not a whole number");
	refused("probability", "1.1", "this is not a probability from 0 to 1; use for example 0.05");
	refused("probability", "50%", "not a probability");
	refused("probability", ".5", "not a probability");
	refused("probability", "0.", "not a probability");
	refused("probability", "0.1234567", "not a probability");
}

static void contradictions_are_refused(void **state)
{
	(void)state;
	refused_beside(&(struct tcmur_option_value){"status", "busy"}, "sense", "3/0/0",
		       "status and sense exclude each other");
	refused_beside(&(struct tcmur_option_value){"sense", "3/0/0"}, "status", "busy",
		       "status and sense exclude each other");
	refused_beside(&(struct tcmur_option_value){"lba", "1"}, "range", "0+1K",
		       "lba and range exclude each other");
	refused_beside(&(struct tcmur_option_value){"every", "2"}, "probability", "0.5",
		       "every and probability exclude each other");
	refused_beside(&(struct tcmur_option_value){"probability", "0"}, "every", "2",
		       "every and probability exclude each other");
}

static int up(void **state)
{
	int err = fixture_up(state);

	return err ? err : backstore_load_filters(FILTERS, NULL) > 0 ? 0 : -1;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(everything_fails_without_options),
	    cmocka_unit_test(the_status_is_chosen),
	    cmocka_unit_test(sense_data_reach_the_submitter),
	    cmocka_unit_test(only_a_range_fails),
	    cmocka_unit_test(only_some_operations_fail),
	    cmocka_unit_test(each_nth_fails_until_the_count_is_used_up),
	    cmocka_unit_test(io_fails_with_a_probability),
	    cmocka_unit_test(the_count_is_exact_on_several_loops),
	    cmocka_unit_test(wrong_values_are_refused),
	    cmocka_unit_test(contradictions_are_refused),
	};

	return cmocka_run_group_tests(tests, up, fixture_down);
}
