/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names of storage objects with the numbers of their HBAs, and relative target port identifiers: they are the
 * same after a save and a restart, and a reload chooses what a start chooses.
 */
#include "saveconfig_fixture.h"

#include <time.h>

#include "config/saveconfig_numbers.h"
#include "config/saveconfig_read.h"

/* The state folder, and the store that keeps the memory of disks, identify an object by its name. */
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
	/* The fourth object is now the third object of the file, and the file contains its number. */
	assert_int_equal(fixture_delete(t->f, find(t, "user_0/first"), true), 0);
	assert_int_equal(save(t), 0);
	start_again(t);
	assert_int_equal(restore(t), 0);
	assert_non_null(find(t, "user_0/second"));
	assert_non_null(find(t, "user_3/fourth"));
	/* If the value is not a number, the position in the file is used. */
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
	/* A reload creates the deleted disk again, and the other disk stays. */
	second = find(t, "user_1/disk");
	assert_int_equal(fixture_delete(t->f, find(t, OPEN " tpgt_1 lun_1"), true), 0);
	assert_int_equal(fixture_delete(t->f, find(t, "user_0/disk"), true), 0);
	assert_int_equal(diff(t), 0);
	assert_true(said(t, "- user/disk"));
	assert_int_equal(g_strv_length(t->lines), 2);
	assert_int_equal(reload(t, true), 0);
	assert_ptr_equal(find(t, "user_1/disk"), second);
	assert_leads_to(t, OPEN " tpgt_1 lun_1", "user_0/disk");
	/* If only one of the disks is left, a save keeps its name. */
	assert_int_equal(fixture_delete(t->f, find(t, OPEN " tpgt_1 lun_1"), true), 0);
	assert_int_equal(fixture_delete(t->f, find(t, "user_0/disk"), true), 0);
	assert_int_equal(save(t), 0);
	start_again(t);
	assert_int_equal(restore(t), 0);
	assert_no_lines(t);
	assert_leads_to(t, OPEN " tpgt_1 lun_0", "user_1/disk");
	assert_null(find(t, "user_0/disk"));
}

static bool has_unsaved_changes(struct test *t)
{
	return saveconfig_has_changed(t->config);
}

/* Entries that are inserted in the file by hand get the same numbers from a reload as from a start. */
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
		/* Before a save, the file does not contain the numbers. */
		assert_int_equal(has_unsaved_changes(t), !is_saved);
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
			assert_false(has_unsaved_changes(t));
		}
		write_file(t, text);
	}
}

/* Returns the CPU time, in nanoseconds, in which a file with own settings of each target is read. */
static gint64 time_to_read(unsigned targets)
{
	g_autoptr(GString) lio = g_string_new("{\"targets\": [");
	g_autoptr(GString) own_settings = g_string_new("], \"tcmu_runner\": {\"version\": 1, \"targets\": {");
	struct timespec start, end;
	struct error error;

	for (unsigned i = 0; i < targets; i++) {
		const char *comma = i ? "," : "";

		g_string_append_printf(lio,
				       "%s{\"fabric\": \"iscsi\", \"wwn\": \"iqn.2026-11.com.example:%u\", "
				       "\"tpgs\": [{\"tag\": 1}]}",
				       comma, i);
		g_string_append_printf(
		    own_settings, "%s\"iqn.2026-11.com.example:%u\": {\"tpgs\": {\"1\": {\"rtpi\": %u}}}",
		    comma, i, i + 1);
	}
	g_string_append(lio, own_settings->str);
	g_string_append(lio, "}}}");
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &start);
	struct config_node *root = saveconfig_read("many", lio->str, lio->len, NULL, &error);

	assert_non_null(root);
	assert_int_equal(root->children->len, targets);
	struct config_node *last = config_node_child(root, targets - 1);
	const struct model_attribute *rtpi = model_attribute(MODEL_TPG, "", "rtpi");
	g_autofree char *number = g_strdup_printf("%u", targets);

	config_choose_ports(root, root);
	assert_string_equal(config_node_value(config_node_child(last, 0), rtpi)->text, number);
	config_node_free(root);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end);
	return (end.tv_sec - start.tv_sec) * 1000000000LL + end.tv_nsec - start.tv_nsec;
}

/* Eight times as many targets take about eight times as long, and not 64 times. */
static void test_many_targets(void **state)
{
	(void)state;
	gint64 few = time_to_read(3000), many = time_to_read(24000);

	print_message("3,000 targets: %" G_GINT64_FORMAT " ms, 24,000: %" G_GINT64_FORMAT " ms\n",
		      few / 1000000, many / 1000000);
	assert_true(many < 20 * few);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_an_object_keeps_its_number),
	    TEST(test_two_objects_of_one_name),
	    TEST(test_numbers_do_not_depend_on_a_restart),
	    cmocka_unit_test(test_many_targets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
