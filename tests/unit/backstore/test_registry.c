/* SPDX-License-Identifier: Apache-2.0 */
/* Loading handlers. */
#include "backstore_fixture.h"

#include <errno.h>
#include <string.h>

static void test_good_handlers_are_listed_by_name(void **state)
{
	static const char *const names[] = {"async", "cancelling", "cdb_only",   "minimal",   "no_zeroes",
					    "old",   "parallel",   "serial_all", "serial_lun"};

	(void)state;
	for (unsigned i = 0; i < 9; i++) {
		assert_string_equal(backstore_handler_at(i)->name, names[i]);
		assert_ptr_equal(backstore_handler(names[i]), backstore_handler_at(i));
	}
	assert_null(backstore_handler_at(9));
	assert_null(backstore_handler("asyn"));
	assert_null(backstore_handler(""));
}

static void test_fields_beyond_an_old_handler_are_zero(void **state)
{
	const struct tcmur_handler *old = backstore_handler("old");

	(void)state;
	assert_non_null(old->read);
	assert_non_null(old->write);
	assert_null(old->flush);
	assert_null(old->compare_and_write);
	assert_null(old->data);
	assert_null(old->scsi);
	assert_non_null(backstore_handler("async")->scsi);
}

/* For each file that is refused, a line names the file and the reason. */
static void test_refusals(void **state)
{
	static const struct {
		const char *file, *reason;
	} refusals[] = {
	    {"handler_no_version.so", "API version 99"},
	    {"handler_no_name.so", "bad handler name \"Bad-Name\""},
	    {"handler_no_duplicate.so", "\"async\" is loaded already"},
	    {"handler_no_scratch.so", "io_size 257"},
	    {"handler_no_read.so", "read is missing"},
	    {"handler_no_open.so", "open or close is missing"},
	    {"handler_no_model.so", "thread model 9"},
	    {"handler_no_load.so", "load() failed: No such device"},
	    {"handler_no_length.so", "40 bytes is too short"},
	    {"handler_no_nothing.so", "returned nothing"},
	    {"handler_no_summary.so", "summary or config_desc"},
	    {"handler_no_undefined.so", "tcmur_from_a_newer_daemon"},
	    {"handler_no_cancel.so", "cancel needs the thread model TCMUR_ASYNC"},
	    {"handler_no_object.so", "handler_no_object.so"},
	    {"handler_no_entry.so", "tcmur_handler_entry"},
	    {"handler_no_file_name.so", "its name is \"split\", so its file must be handler_split.so"},
	    {"handler_no_1x.so", "belongs to tcmu-runner 1.x"},
	};
	struct error error;

	(void)state;
	log_forget();
	assert_int_equal(backstore_load_handlers(REFUSED_HANDLERS, &error), 0);
	for (unsigned i = 0; i < sizeof(refusals) / sizeof(*refusals); i++) {
		const char *line = strstr(logged(), refusals[i].file);
		const char *end = line ? strchr(line, '\n') : NULL;
		const char *reason = line ? strstr(line, refusals[i].reason) : NULL;

		if (!reason || reason > end)
			fail_msg("%s: \"%s\" not logged in: %s", refusals[i].file, refusals[i].reason,
				 logged());
	}
	assert_null(strstr(logged(), "unrelated"));
	assert_null(backstore_handler("split"));
}

static void test_missing_path(void **state)
{
	struct error error;

	(void)state;
	assert_int_equal(backstore_load_handlers("/nonexistent/handlers", &error), -ENOENT);
	assert_non_null(strstr(error.text, "/nonexistent/handlers"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_good_handlers_are_listed_by_name),
	    cmocka_unit_test(test_fields_beyond_an_old_handler_are_zero),
	    cmocka_unit_test(test_refusals),
	    cmocka_unit_test(test_missing_path),
	};

	return cmocka_run_group_tests(tests, fixture_up, fixture_down);
}
