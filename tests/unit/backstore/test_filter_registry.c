/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which filters are loaded, which are refused, and which specifications are refused before anything is
 * opened.
 */
#include "backstore_fixture.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "filter_script.h"
#include "util/bytes.h"

static void good_filters_are_listed_by_name(void **state)
{
	(void)state;
	assert_string_equal(backstore_filter_at(0)->name, "everything");
	assert_string_equal(backstore_filter_at(1)->name, "writes");
	assert_null(backstore_filter_at(1)->read);
	assert_null(backstore_filter_at(2));
	assert_null(backstore_handler("everything"));
}

/* For each file that is refused, a line names the file and the reason. */
static void bad_filters_are_refused(void **state)
{
	static const struct {
		const char *file, *reason;
	} refusals[] = {
	    {"filter_no_version.so", "API version 99"},
	    {"filter_no_name.so", "bad filter name \"Bad-Name\""},
	    {"filter_no_scratch.so", "io_size 1025 is larger than 1024"},
	    {"filter_no_params.so", "params_size 4097"},
	    {"filter_no_set.so", "set is missing"},
	    {"filter_no_summary.so", "summary is missing"},
	    {"filter_no_file.so", "its name is \"other\", so its file must be filter_other.so"},
	};
	struct error error;

	(void)state;
	log_forget();
	assert_int_equal(backstore_load_filters(REFUSED_HANDLERS, &error), 0);
	for (unsigned i = 0; i < ARRAY_SIZE(refusals); i++) {
		const char *line = strstr(logged(), refusals[i].file);
		const char *end = line ? strchr(line, '\n') : NULL;
		const char *reason = line ? strstr(line, refusals[i].reason) : NULL;

		if (!reason || reason > end)
			fail_msg("%s: \"%s\" not logged in: %s", refusals[i].file, refusals[i].reason,
				 logged());
	}
	assert_null(backstore_filter_at(2));
}

/* A second filter with this name is not loaded. */
static void a_name_is_taken_once(void **state)
{
	struct error error;

	(void)state;
	log_forget();
	assert_int_equal(backstore_load_filters(SCRIPTED_HANDLERS, &error), 0);
	assert_true(is_logged("a filter \"writes\" is loaded already"));
}

static void refused(const char *name, const char *option, const char *value, const char *reason)
{
	const struct tcmur_option_value given = {option, value};
	const struct backstore_filter_spec filter = {name, &given, option ? 1 : 0};
	struct script *script = script_new(1u << 20);
	char config[64];
	const struct backstore_spec spec = {.config = config, .filters = &filter, .nfilters = 1};
	struct error error = {""};

	snprintf(config, sizeof(config), "async/%p", (void *)script);
	assert_null(backstore_open(&loops, &spec, &error));
	if (!strstr(error.text, reason))
		fail_msg("expected \"%s\" in \"%s\"", reason, error.text);
	assert_int_equal(script->closes, 0);
	script_free(script);
}

static void mistakes_are_named(void **state)
{
	static const struct backstore_filter_spec many[TCMUR_FILTERS_MAX + 1];
	struct error error;

	(void)state;
	refused("nosuch", NULL, NULL,
		"no filter \"nosuch\" is loaded; the loaded filters are: everything writes");
	refused("writes", "colour", "red",
		"filter writes has no option \"colour\"; its options are: script pair");
	refused("writes", "pair", "x", "filter writes: pair=x: this is wrong; use for example 7");
	assert_int_equal(backstore_check_filters(many, ARRAY_SIZE(many), &error), -EINVAL);
	assert_non_null(strstr(error.text, "more than 8 filters"));
}

/*
 * If a filter cannot be opened, the filters that are nearer to the handler are closed again, and so is the
 * handler.
 */
static void a_filter_that_does_not_open_is_named(void **state)
{
	struct filter_script outer = {.open_error = EACCES}, inner = {.letter = 'b'};
	char outer_address[32], inner_address[32], config[64];
	const struct tcmur_option_value outer_option = {"script", outer_address},
					inner_option = {"script", inner_address};
	const struct backstore_filter_spec filters[] = {{"writes", &outer_option, 1},
							{"everything", &inner_option, 1}};
	struct script *script = script_new(1u << 20);
	const struct backstore_spec spec = {.config = config, .filters = filters, .nfilters = 2};
	struct error error = {""};

	(void)state;
	snprintf(outer_address, sizeof(outer_address), "%p", (void *)&outer);
	snprintf(inner_address, sizeof(inner_address), "%p", (void *)&inner);
	snprintf(config, sizeof(config), "async/%p", (void *)script);
	assert_null(backstore_open(&loops, &spec, &error));
	assert_int_equal(errno, EACCES);
	assert_string_equal(error.text, "filter writes: it does not open");
	assert_int_equal(inner.opens, 1);
	assert_int_equal(inner.closes, 1);
	assert_int_equal(outer.closes, 0);
	assert_int_equal(script->closes, 1);
	script_free(script);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(good_filters_are_listed_by_name),
	    cmocka_unit_test(bad_filters_are_refused),
	    cmocka_unit_test(a_name_is_taken_once),
	    cmocka_unit_test(mistakes_are_named),
	    cmocka_unit_test(a_filter_that_does_not_open_is_named),
	};

	return cmocka_run_group_tests(tests, fixture_up, fixture_down);
}
