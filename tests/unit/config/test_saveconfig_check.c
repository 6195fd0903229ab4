/* SPDX-License-Identifier: Apache-2.0 */
/* Checks a file without a model. */
#include "saveconfig_fixture.h"

#include <unistd.h>

static void test_check(void **state)
{
	struct test *t = *state;

	copy_file(t, "bad.json");
	saveconfig_check(t->path, on_done, t);
	assert_int_equal(finish(t), -EINVAL);
	assert_true(said(t, "line 3, storage_objects[1]"));
	assert_true(said(t, "targets[1].tpgs[0].luns[2]: user/missing, to which it leads"));
	assert_true(said(t, "InitialR2T must be Yes or No"));
	copy_file(t, "debian.json");
	saveconfig_check(t->path, on_done, t);
	assert_int_equal(finish(t), 0);
	assert_true(said(t, "pi_prot_format is kept, and has no effect here"));
	edit_file(t, "\"default_cmdsn_depth\": 64", "\"default_cmdsn_depth\": 0");
	saveconfig_check(t->path, on_done, t);
	assert_int_equal(finish(t), -EINVAL);
	assert_int_equal(unlink(t->path), 0);
	saveconfig_check(t->path, on_done, t);
	assert_int_equal(finish(t), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_check),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
