/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names of storage objects with the numbers of their HBAs, and relative target port identifiers: they are the
 * same after a save and a restart, and a reload chooses what a start chooses.
 */
#include "saveconfig_fixture.h"

/* The state folder, and what keeps the memory of disks, know an object by its name. */
static void test_an_object_keeps_its_number(void **state)
{
	struct test *t = *state;

	fixture_disk(t->f, "user_0/first");
	fixture_disk(t->f, "user_0/second");
	fixture_disk(t->f, "user_7/third");
	fixture_disk(t->f, "user_3/fourth");
	assert_int_equal(save(t), 0);
	assert_no_lines(t);
	start_again(t);
	assert_int_equal(restore(t), 0);
	assert_no_lines(t);
	assert_non_null(find(t, "user_0/first"));
	assert_non_null(find(t, "user_0/second"));
	assert_non_null(find(t, "user_7/third"));
	assert_non_null(find(t, "user_3/fourth"));
	/* The fourth object is the third of the file now, and its number is in the file. */
	assert_int_equal(fixture_delete(t->f, find(t, "user_0/first"), true), 0);
	assert_int_equal(save(t), 0);
	start_again(t);
	assert_int_equal(restore(t), 0);
	assert_non_null(find(t, "user_0/second"));
	assert_non_null(find(t, "user_3/fourth"));
	/* Of something else than a number, the place counts. */
	edit_file(t, "\"hba\" : 7", "\"hba\" : \"x\"");
	start_again(t);
	assert_int_equal(restore(t), 0);
	assert_non_null(find(t, "user_1/third"));
}

/* LIO allows the same name in two HBAs, and rtslib does not. */
static void test_two_objects_of_one_name(void **state)
{
	struct test *t = *state;
	struct model_object *first = fixture_disk(t->f, "user_0/disk"), *tpg = fixture_tpg(t->f, OPEN);
	struct model_object *second = fixture_disk(t->f, "user_1/disk");

	fixture_disk(t->f, "user_0/disk.1");
	fixture_disk(t->f, "rd_mcp_4/disk");
	fixture_create(t->f, tpg, MODEL_LUN, "lun_0", second);
	fixture_create(t->f, tpg, MODEL_LUN, "lun_1", first);
	assert_int_equal(save(t), 0);
	assert_true(file_has(t, "/backstores/user/disk.1-2"));
	for (int i = 0; i < 3; i++) {
		g_autofree char *before = read_file(t);

		if (i)
			start_again(t);
		assert_int_equal(reload(t, i == 1), 0);
		assert_no_lines(t);
		assert_int_equal(diff(t), 0);
		assert_no_lines(t);
		assert_leads_to(t, OPEN " tpgt_1 lun_0", "user_1/disk");
		assert_leads_to(t, OPEN " tpgt_1 lun_1", "user_0/disk");
		assert_non_null(find(t, "user_0/disk.1"));
		assert_non_null(find(t, "rd_mcp_4/disk"));
		assert_int_equal(save(t), 0);
		g_autofree char *after = read_file(t);
		assert_string_equal(before, after);
	}
	/* The one that is deleted is the one that a reload creates again, and the other one stays. */
	second = find(t, "user_1/disk");
	assert_int_equal(fixture_delete(t->f, find(t, OPEN " tpgt_1 lun_1"), true), 0);
	assert_int_equal(fixture_delete(t->f, find(t, "user_0/disk"), true), 0);
	assert_int_equal(diff(t), 0);
	assert_true(said(t, "- user/disk"));
	assert_int_equal(g_strv_length(t->lines), 2);
	assert_int_equal(reload(t, true), 0);
	assert_ptr_equal(find(t, "user_1/disk"), second);
	assert_leads_to(t, OPEN " tpgt_1 lun_1", "user_0/disk");
	/* Where only one is left, a save leaves it its name. */
	assert_int_equal(fixture_delete(t->f, find(t, OPEN " tpgt_1 lun_1"), true), 0);
	assert_int_equal(fixture_delete(t->f, find(t, "user_0/disk"), true), 0);
	assert_int_equal(save(t), 0);
	start_again(t);
	assert_int_equal(restore(t), 0);
	assert_no_lines(t);
	assert_leads_to(t, OPEN " tpgt_1 lun_0", "user_1/disk");
	assert_null(find(t, "user_0/disk"));
}

static bool says_changed(struct test *t)
{
	return saveconfig_has_changed(t->config);
}

/* What is inserted in the file by hand gets the same numbers by a reload and by a start. */
static void test_numbers_do_not_depend_on_a_restart(void **state)
{
	static const char target[] =
	    "{\"fabric\": \"iscsi\", \"wwn\": \"iqn.2026-11.com.example:new\", \"tpgs\": "
	    "[{\"tag\": 1}]}, ";
	static const char disk[] =
	    "{\"plugin\": \"user\", \"name\": \"new\", \"config\": \"file//srv/new\"}, ";
	const struct model_attribute *rtpi = model_attribute(MODEL_TPG, "", "rtpi");
	struct test *t = *state;

	write_file(t, "{\"storage_objects\": [ {\"plugin\": \"user\", \"name\": \"old\", \"config\": "
		      "\"file//srv/old\"}], \"targets\": [ {\"fabric\": \"iscsi\", \"wwn\": \"" OPEN
		      "\", \"tpgs\": [{\"tag\": 1}, {\"tag\": 2}]}]}");
	for (int is_saved = 0; is_saved < 2; is_saved++) {
		start_again(t);
		assert_int_equal(restore(t), 0);
		if (is_saved)
			assert_int_equal(save(t), 0);
		g_autofree char *text = read_file(t);
		g_autofree char *storage =
		    g_strconcat("\"storage_objects\"", is_saved ? " " : "", ": [", NULL);
		g_autofree char *targets = g_strconcat("\"targets\"", is_saved ? " " : "", ": [", NULL);
		g_autofree char *more_storage = g_strconcat(storage, disk, NULL);
		g_autofree char *more_targets = g_strconcat(targets, target, NULL);
		edit_file(t, storage, more_storage);
		edit_file(t, targets, more_targets);
		assert_int_equal(reload(t, true), 0);
		assert_no_lines(t);
		assert_int_equal(model_get_number(find(t, OPEN " tpgt_1"), rtpi), 1);
		assert_int_equal(model_get_number(find(t, OPEN " tpgt_2"), rtpi), 2);
		assert_int_equal(model_get_number(find(t, "iqn.2026-11.com.example:new tpgt_1"), rtpi), 3);
		assert_non_null(find(t, "user_0/old"));
		assert_non_null(find(t, "user_0/new"));
		/* Without a save, the file does not say which numbers there are. */
		assert_int_equal(says_changed(t), !is_saved);
		assert_int_equal(diff(t), 0);
		if (is_saved)
			assert_no_lines(t);
		else
			assert_true(
			    said(t, "~ " OPEN "/tpgt_1 has the relative target port identifier 1, and 2"));
		if (is_saved) {
			start_again(t);
			assert_int_equal(restore(t), 0);
			assert_no_lines(t);
			assert_int_equal(model_get_number(find(t, OPEN " tpgt_1"), rtpi), 1);
			assert_int_equal(model_get_number(find(t, OPEN " tpgt_2"), rtpi), 2);
			assert_int_equal(
			    model_get_number(find(t, "iqn.2026-11.com.example:new tpgt_1"), rtpi), 3);
			assert_non_null(find(t, "user_0/old"));
			assert_non_null(find(t, "user_0/new"));
			assert_false(says_changed(t));
		}
		write_file(t, text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_an_object_keeps_its_number),
	    TEST(test_two_objects_of_one_name),
	    TEST(test_numbers_do_not_depend_on_a_restart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
