/* SPDX-License-Identifier: Apache-2.0 */
/* Error lines: formatting, prefixes and errno. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <errno.h>
#include <pwd.h>
#include <unistd.h>
#include <cmocka.h>

#include "util/error.h"

static void sets_and_prefixes(void **state)
{
	struct error error;

	(void)state;
	errno = 77;
	assert_int_equal(error_set(&error, ENOENT, "no file %s", "x%sy"), -ENOENT);
	assert_string_equal(error.text, "no file x%sy");
	assert_int_equal(error_prefix(&error, -EIO, "LUN %d", 3), -EIO);
	assert_string_equal(error.text, "LUN 3: no file x%sy");
	assert_int_equal(error_set(NULL, EIO, "nobody listens"), -EIO);
	assert_int_equal(error_prefix(NULL, -EIO, "nobody listens"), -EIO);
	assert_int_equal(errno, 77);
}

static void cuts_what_is_too_long(void **state)
{
	struct error error;

	(void)state;
	error_set(&error, EIO, "%0600d", 1);
	assert_int_equal(strlen(error.text), sizeof(error.text) - 1);
	error_prefix(&error, -EIO, "front");
	assert_int_equal(strlen(error.text), sizeof(error.text) - 1);
	assert_memory_equal(error.text, "front: 000", 10);
	error_prefix(&error, -EIO, "%0600d", 2);
	assert_int_equal(strlen(error.text), sizeof(error.text) - 1);
}

static void names_the_user_whose_right_is_missing(void **state)
{
	struct error error = {"/srv/x: Permission denied"};

	(void)state;
	assert_int_equal(error_add_user_if_denied(&error, -ENOENT), -ENOENT);
	assert_string_equal(error.text, "/srv/x: Permission denied");
	if (!geteuid()) {
		assert_int_equal(error_add_user_if_denied(&error, -EACCES), -EACCES);
		assert_string_equal(error.text, "/srv/x: Permission denied");
		struct passwd *nobody = getpwnam("nobody");
		if (!nobody || seteuid(nobody->pw_uid))
			skip();
	}
	assert_int_equal(error_add_user_if_denied(&error, -EACCES), -EACCES);
	const struct passwd *user = getpwuid(geteuid());
	assert_non_null(strstr(error.text, "; this process runs as the user "));
	assert_non_null(strstr(error.text, user ? user->pw_name : "with the ID"));
	if (!getuid())
		assert_return_code(seteuid(0), errno);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(sets_and_prefixes),
	    cmocka_unit_test(cuts_what_is_too_long),
	    cmocka_unit_test(names_the_user_whose_right_is_missing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
