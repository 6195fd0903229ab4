/* SPDX-License-Identifier: Apache-2.0 */
/* The functions of the daemon that handlers call. */
#include "backstore_fixture.h"

#include <errno.h>
#include <string.h>

static void test_errno(void **state)
{
	static const struct {
		int err;
		enum tcmur_status read, write;
	} map[] = {
	    {0, TCMUR_OK, TCMUR_OK},
	    {ENOSPC, TCMUR_NO_SPACE, TCMUR_NO_SPACE},
	    {EDQUOT, TCMUR_NO_SPACE, TCMUR_NO_SPACE},
	    {EIO, TCMUR_READ_ERROR, TCMUR_WRITE_ERROR},
	    {EROFS, TCMUR_WRITE_PROTECTED, TCMUR_WRITE_PROTECTED},
	    {EPERM, TCMUR_READ_ERROR, TCMUR_WRITE_PROTECTED},
	    {ENODEV, TCMUR_NOT_READY, TCMUR_NOT_READY},
	    {ENXIO, TCMUR_NOT_READY, TCMUR_NOT_READY},
	    {ENOMEM, TCMUR_NO_RESOURCE, TCMUR_NO_RESOURCE},
	    {EAGAIN, TCMUR_NO_RESOURCE, TCMUR_NO_RESOURCE},
	    {EBUSY, TCMUR_BUSY, TCMUR_BUSY},
	    {ETIMEDOUT, TCMUR_TIMEOUT, TCMUR_TIMEOUT},
	    {ECANCELED, TCMUR_ABORTED, TCMUR_ABORTED},
	    {EBADE, TCMUR_CONFLICT, TCMUR_CONFLICT},
	    {EOPNOTSUPP, TCMUR_NOT_SUPPORTED, TCMUR_NOT_SUPPORTED},
	    {EILSEQ, TCMUR_READ_ERROR, TCMUR_WRITE_ERROR},
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(map) / sizeof(*map); i++) {
		assert_int_equal(tcmur_status_from_errno(map[i].err, false), map[i].read);
		assert_int_equal(tcmur_status_from_errno(-map[i].err, true), map[i].write);
	}
}

static void test_open_helpers(void **state)
{
	static const struct tcmur_option_value options[] = {{"cache", "none"}, {"bare", ""}};
	struct tcmur_open open = {.options = options, .noptions = 2};
	uint64_t size = 1;

	(void)state;
	assert_string_equal(tcmur_open_option(&open, "cache", "writeback"), "none");
	assert_string_equal(tcmur_open_option(&open, "bare", "x"), "");
	assert_string_equal(tcmur_open_option(&open, "other", "fallback"), "fallback");
	assert_int_equal(tcmur_open_error(&open, ENOENT, "%s: gone", "disk%n"), -ENOENT);
	assert_string_equal(open.error, "disk%n: gone");
	assert_int_equal(tcmur_open_error(&open, -ENOENT, "%0300d", 1), -ENOENT);
	assert_int_equal(strlen(open.error), sizeof(open.error) - 1);
	assert_int_equal(tcmur_parse_size("64K", &size), 0);
	assert_int_equal(size, 65536);
	assert_int_equal(tcmur_parse_size("64X", &size), -EINVAL);
}

static void test_log(void **state)
{
	(void)state;
	log_forget();
	tcmur_log(NULL, TCMUR_LOG_WARN, "%s is %d%%", "disk%s", 90);
	assert_non_null(strstr(logged(), "disk%s is 90%\n"));
	log_forget();
	tcmur_log(NULL, TCMUR_LOG_DEBUG, "not at this level");
	assert_string_equal(logged(), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_errno),
	    cmocka_unit_test(test_open_helpers),
	    cmocka_unit_test(test_log),
	};

	return cmocka_run_group_tests(tests, fixture_up, fixture_down);
}
