/* SPDX-License-Identifier: Apache-2.0 */
/* saveconfig_check(), which checks a file without changing any object. */
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
	assert_true(said(t, "InitialR2T: it must be Yes or No"));
	copy_file(t, "debian.json");
	saveconfig_check(t->path, on_done, t);
	assert_int_equal(finish(t), 0);
	assert_true(said(t, "pi_prot_format is kept, and has no effect here"));
	assert_false(said(t, "alua_tpgs"));
	edit_file(t, "\"alua_access_state\": 0", "\"alua_access_state\": 2");
	saveconfig_check(t->path, on_done, t);
	assert_int_equal(finish(t), 0);
	assert_true(
	    said(t, "storage_objects[0]: the ALUA state of alua_tpgs[0] is kept, and has no effect here"));
	edit_file(t, "\"default_cmdsn_depth\": 64", "\"default_cmdsn_depth\": 0");
	saveconfig_check(t->path, on_done, t);
	assert_int_equal(finish(t), -EINVAL);
	assert_int_equal(unlink(t->path), 0);
	saveconfig_check(t->path, on_done, t);
	assert_int_equal(finish(t), -ENOENT);
}

static void assert_bad(struct test *t, const char *tpg, const char *own, const char *reason)
{
	g_autofree char *text = g_strdup_printf(
	    "{\"targets\": [{\"fabric\": \"iscsi\", \"wwn\": \"" OPEN "\", \"tpgs\": [{\"tag\": 1%s}]}],\n"
	    "\"tcmu_runner\": {\"version\": 1, \"targets\": {\"" OPEN "\": {\"tpgs\": {\"1\": {%s}}}}}}",
	    tpg, own);

	write_file(t, text);
	saveconfig_check(t->path, on_done, t);
	assert_int_equal(finish(t), -EINVAL);
	assert_true(said(t, reason));
	/* A restore reports the same mistakes as the check. */
	start_again(t);
	assert_int_equal(restore(t), 0);
	assert_true(said(t, reason));
}

/* Values that have the right type, and that no model accepts. */
static void test_check_finds_values_that_a_restore_refuses(void **state)
{
	struct test *t = *state;

	assert_bad(t,
		   ", \"node_acls\": [{\"node_wwn\": \"" ACL "\", \"attributes\": {\"authentication\": 99}}]",
		   "", "authentication: it must be 0, 1 or -1, and not '99'");
	assert_bad(t, "", "\"denied_addresses\": [\"everybody\"]", "'everybody' is not an address prefix");
	assert_bad(t, "", "\"more_accounts\": \"alice\"", "account 1 of the list is not of the form");
	assert_bad(t, ", \"portals\": [{\"ip_address\": \"127.0.0.1\", \"port\": 3260}]",
		   "\"portals\": {\"127.0.0.1:3260\": {\"advertise\": \"here\"}}",
		   "the advertised address has the form");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_check),
	    TEST(test_check_finds_values_that_a_restore_refuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
