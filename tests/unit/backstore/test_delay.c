/* SPDX-License-Identifier: Apache-2.0 */
/* The filter delay: how long I/O waits, that it can be cancelled, and which values of options are refused. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "filtered.h"
#include "util/bytes.h"
#include "util/clock.h"

#define SIZE  FILTERED_SIZE
#define MS_NS 1000000u

static uint8_t data[2 * BLOCK];

static struct backstore *open_delayed(const char *handler, struct script *script,
				      const struct tcmur_option_value *options, uint32_t noptions)
{
	const struct backstore_filter_spec filter = {"delay", options, noptions};

	return filtered_open_specs(handler, script, &filter, 1);
}

/* Does I/O of one block and returns how many nanoseconds it took. */
static uint64_t time_of(struct backstore *bs, enum backstore_op op, size_t data_len)
{
	uint64_t start = clock_now_ns();
	bool whole = op == BACKSTORE_FLUSH;

	assert_int_equal(run_simple(bs, op, 0, whole ? 0 : BLOCK, data_len ? data : NULL, data_len),
			 TCMUR_OK);
	return clock_now_ns() - start;
}

static void io_waits_for_its_time(void **state)
{
	static const struct tcmur_option_value options[] = {
	    {"delay", "20ms"}, {"delay-random", "1-2ms"}, {"write", "5ms-6ms"}, {"flush", "30000us"}};
	struct script *script = script_new(SIZE);
	struct backstore *bs = open_delayed("parallel", script, options, ARRAY_SIZE(options));

	(void)state;
	assert_true(time_of(bs, BACKSTORE_READ, BLOCK) >= 21 * MS_NS);
	assert_true(time_of(bs, BACKSTORE_WRITE, BLOCK) >= 5 * MS_NS);
	assert_true(time_of(bs, BACKSTORE_FLUSH, 0) >= 30 * MS_NS);
	assert_true(time_of(bs, BACKSTORE_UNMAP, 0) >= 21 * MS_NS);
	assert_true(time_of(bs, BACKSTORE_WRITE_ZEROES, 0) >= 21 * MS_NS);
	assert_true(time_of(bs, BACKSTORE_WRITE_SAME, BLOCK) >= 21 * MS_NS);
	assert_true(time_of(bs, BACKSTORE_COMPARE_AND_WRITE, 2 * BLOCK) >= 21 * MS_NS);
	backstore_close(bs);
	script_free(script);
}

/* Without a time, an I/O ends before the submission returns, as it does without the filter. */
static void io_without_a_time_does_not_wait(void **state)
{
	static const struct tcmur_option_value options[] = {{"delay", "3600s"}, {"write", "0"}};
	struct script *script = script_new(SIZE);
	struct backstore *bs = open_delayed("async", script, options, ARRAY_SIZE(options));
	struct pending write, read;

	(void)state;
	pending_submit(&write, bs, BACKSTORE_WRITE, 0, 1);
	assert_true(pending_is_over(&write));
	pending_submit(&read, bs, BACKSTORE_READ, 0, 1);
	assert_false(pending_is_over(&read));
	pending_cancel(&read);
	pending_await(&read, TCMUR_ABORTED);
	assert_int_equal(script->calls[SCRIPT_READ], 0);
	backstore_close(bs);
	script_free(script);
}

/* An emulated COMPARE AND WRITE waits for its read and for its write. */
static void each_part_waits(void **state)
{
	static const struct tcmur_option_value option = {"delay", "10ms"};
	struct script *script = script_new(SIZE);
	struct backstore *bs = open_delayed("minimal", script, &option, 1);

	(void)state;
	memset(data, 0, sizeof(data));
	assert_true(time_of(bs, BACKSTORE_COMPARE_AND_WRITE, 2 * BLOCK) >= 20 * MS_NS);
	backstore_close(bs);
	script_free(script);
}

/* No thread waits with them: the handler has one thread, and gets each I/O when its time has passed. */
static void many_wait_at_once(void **state)
{
	enum { MANY = 300 };
	static const struct tcmur_option_value option = {"delay-random", "1-40ms"};
	struct script *script = script_new(SIZE);
	struct backstore *bs = open_delayed("serial_lun", script, &option, 1);
	struct pending *pending = calloc(MANY, sizeof(*pending));

	(void)state;
	for (unsigned i = 0; i < MANY; i++)
		pending_submit(&pending[i], bs, i % 2 ? BACKSTORE_READ : BACKSTORE_WRITE, i % 100, 1);
	for (unsigned i = 0; i < MANY; i++)
		pending_await(&pending[i], TCMUR_OK);
	assert_int_equal(script->calls[SCRIPT_READ] + script->calls[SCRIPT_WRITE], MANY);
	backstore_close(bs);
	free(pending);
	script_free(script);
}

static void refused(const char *name, const char *value, const char *reason)
{
	const struct tcmur_option_value option = {name, value};
	const struct backstore_filter_spec filter = {"delay", &option, 1};
	struct error error = {""};

	assert_int_equal(backstore_check_filters(&filter, 1, &error), -EINVAL);
	if (!strstr(error.text, reason) || !strstr(error.text, name) || !strstr(error.text, value))
		fail_msg("the error for %s=%s does not contain \"%s\": %s", name, value, reason, error.text);
}

static void wrong_values_are_refused(void **state)
{
	(void)state;
	refused("delay", "10", "this is not a time; use for example 500us, 10ms or 2s");
	refused("delay", "ms", "not a time");
	refused("delay", "", "not a time");
	refused("delay", "-1ms", "not a time");
	refused("delay", "1.5ms", "not a time");
	refused("delay", "10min", "not a time");
	refused("delay", "10ms ", "not a time");
	refused("delay", "0-50ms", "not a time");
	refused("delay", "99999999999999999999ms", "not a time");
	refused("delay", "3601s", "longer than an hour");
	refused("delay", "999999999999999999s", "longer than an hour");
	refused("delay-random", "50-0ms", "the first time is longer than the second");
	refused("delay-random", "0-50", "this is not a range of times; use for example 0-50ms");
	refused("delay-random", "-50ms", "not a range of times");
	refused("delay-random", "1-2-3ms", "not a range of times");
	refused("delay-random", "0-2h", "not a range of times");
	refused("write-same", "0-3601s", "longer than an hour");
	refused("compare-and-write", "x", "not a time");
}

static int up(void **state)
{
	int err = fixture_up(state);

	return err ? err : backstore_load_filters(FILTERS, NULL) > 0 ? 0 : -1;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(io_waits_for_its_time),    cmocka_unit_test(io_without_a_time_does_not_wait),
	    cmocka_unit_test(each_part_waits),          cmocka_unit_test(many_wait_at_once),
	    cmocka_unit_test(wrong_values_are_refused),
	};

	return cmocka_run_group_tests(tests, up, fixture_down);
}
