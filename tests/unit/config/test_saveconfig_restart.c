/* SPDX-License-Identifier: Apache-2.0 */
/* A save and a restart change nothing, and a reload ends where a restart would end. */
#include "saveconfig_fixture.h"

/* The HBA of a plugin of LIO can have a disk whose configuration the entry of this plugin cannot express. */
static void test_disks_that_a_plugin_of_lio_cannot_describe(void **state)
{
	static const struct {
		const char *name, *config;
	} disks[] = {
	    {"fileio_0/options", "file//srv/x;filter=delay;read=1ms"},
	    {"fileio_3/memory", "alloc/y"},
	    {"iblock_1/file", "file//srv/z"},
	    {"rd_mcp_2/file", "file//srv/w"},
	};
	struct test *t = *state;
	struct model_object *tpg = fixture_tpg(t->f, OPEN);

	for (int i = 0; i < 4; i++) {
		struct model_object *disk =
		    fixture_create(t->f, t->f->root, MODEL_STORAGE, disks[i].name, NULL);
		g_autofree char *lun = g_strdup_printf("lun_%d", i);

		assert_int_equal(fixture_set(t->f, disk, "control", "config", disks[i].config), 0);
		assert_int_equal(fixture_enable(t->f, disk, true), 0);
		fixture_create(t->f, tpg, MODEL_LUN, lun, disk);
	}
	for (int round = 0; round < 2; round++) {
		assert_int_equal(save(t), 0);
		start_again(t);
		assert_int_equal(restore(t), 0);
		assert_no_lines(t);
		for (int i = 0; i < 4; i++) {
			g_autofree char *lun = g_strdup_printf(OPEN " tpgt_1 lun_%d", i);

			assert_value(t, disks[i].name, "control", "config", disks[i].config);
			assert_leads_to(t, lun, disks[i].name);
		}
		assert_int_equal(diff(t), 0);
		assert_no_lines(t);
	}
	/*
	 * The configuration is in the settings of this daemon. Without it, the entry of the plugin cannot be
	 * used.
	 */
	edit_file(t, "\"config\" : \"alloc/y\"", "\"config\" : 1");
	start_again(t);
	assert_int_equal(restore(t), 0);
	assert_true(said(t, "\"dev\" is not an absolute path"));
	assert_null(find(t, "fileio_3/memory"));
}

/* --- attributes that can be unset, which differs from each value that can be set --- */

static const struct {
	const char *path, *group, *name, *value;
} unset[] = {
    {OPEN " tpgt_1", "attrib", "login_timeout", "15"},
    {OPEN " tpgt_1 " INITIATOR, "", "cmdsn_depth", "64"},
    {OPEN " tpgt_1 " INITIATOR, "attrib", "dataout_timeout", "3"},
    {OPEN " tpgt_1 " INITIATOR, "attrib", "nopin_response_timeout", "30"},
    {OPEN " tpgt_1 " INITIATOR, "attrib", "nopin_timeout", "15"},
};

static void assert_set(struct test *t, bool wanted)
{
	for (size_t i = 0; i < sizeof(unset) / sizeof(unset[0]); i++) {
		struct model_object *object = find(t, unset[i].path);
		bool is_set =
		    model_is_set(object, model_attribute(model_kind(object), unset[i].group, unset[i].name));

		if (is_set != wanted)
			print_error("%s\n", unset[i].name);
		assert_int_equal(is_set, wanted);
	}
}

static void set_all(struct test *t, bool is_set)
{
	for (size_t i = 0; i < sizeof(unset) / sizeof(unset[0]); i++)
		assert_int_equal(fixture_set(t->f, find(t, unset[i].path), unset[i].group, unset[i].name,
					     is_set ? unset[i].value : "auto"),
				 0);
}

static void create_objects(struct test *t)
{
	struct model_object *tpg = fixture_tpg(t->f, OPEN);
	struct model_object *disk = fixture_create(t->f, t->f->root, MODEL_STORAGE, "fileio_0/disk", NULL);

	fixture_create(t->f, tpg, MODEL_ACL, INITIATOR, NULL);
	assert_int_equal(fixture_set(t->f, disk, "control", "config", "file//srv/disk"), 0);
	assert_int_equal(fixture_enable(t->f, disk, true), 0);
}

/* For example, a time-out of an initiator that is unset follows the options of the daemon. */
static void test_values_that_nobody_has_set(void **state)
{
	struct test *t = *state;

	create_objects(t);
	for (int is_set = 0; is_set < 2; is_set++) {
		set_all(t, is_set);
		assert_int_equal(save(t), 0);
		assert_int_equal(diff(t), 0);
		assert_no_lines(t);
		assert_int_equal(file_has(t, "dataout_timeout\""), is_set);
		start_again(t);
		assert_int_equal(restore(t), 0);
		assert_no_lines(t);
		assert_set(t, is_set);
		/* A reload takes back the changes that were made after the start. */
		set_all(t, !is_set);
		assert_int_equal(diff(t), 0);
		assert_int_equal(g_strv_length(t->lines), sizeof(unset) / sizeof(unset[0]));
		assert_true(said(t, is_set ? "dataout_timeout: 3 in the file, auto now"
					   : "dataout_timeout: auto in the file, 3 now"));
		assert_int_equal(reload(t, false), -EBUSY);
		assert_int_equal(reload(t, true), 0);
		assert_no_lines(t);
		assert_set(t, is_set);
		assert_int_equal(diff(t), 0);
		assert_no_lines(t);
	}
	/* A value that is unset and was set in the file is removed from the file. */
	set_all(t, false);
	assert_int_equal(save(t), 0);
	start_again(t);
	assert_int_equal(restore(t), 0);
	assert_set(t, false);
}

/* The size 0 means that a disk is as large as its storage. LIO's part of the file has the present size. */
static void test_a_size_that_follows_the_storage(void **state)
{
	struct test *t = *state;

	create_objects(t);
	assert_int_equal(save(t), 0);
	assert_true(file_has(t, "\"size\" : 1048576"));
	assert_true(file_has(t, "\"size\" : 0"));
	/* While the storage is not open, its size is not known. */
	start_again(t);
	fake_open_error = ENOENT;
	assert_int_equal(restore(t), 0);
	assert_value(t, "fileio_0/disk", "health", "state", "failed");
	assert_int_equal(save(t), 0);
	start_again(t);
	assert_int_equal(restore(t), 0);
	assert_value(t, "fileio_0/disk", "control", "size", "0");
}

/* A reload does not resize the disk if the file has a size such as "2097152x", and a save keeps this size. */
static void test_a_size_that_is_no_number(void **state)
{
	static const char *const sizes[] = {"\"2097152x\"", "\"x\"", "-1"};
	struct test *t = *state;

	create_objects(t);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		g_autofree char *bad = g_strdup_printf("\"size\" : %s", sizes[i]);

		assert_int_equal(save(t), 0);
		edit_file(t, "\"size\" : 0", bad);
		assert_int_equal(reload(t, true), 0);
		assert_true(said(t, "size: it must be a number from 0 to"));
		assert_value(t, "fileio_0/disk", "attrib", "dev_size", "1048576");
		assert_int_equal(diff(t), 0);
		assert_no_lines(t);
		assert_int_equal(save(t), 0);
		assert_true(file_has(t, bad));
		edit_file(t, bad, "\"size\" : 0");
		assert_int_equal(reload(t, true), 0);
	}
}

/* A key that closes a TPG stays in the file, even if it is known in the settings of other objects. */
static void test_keys_of_other_objects(void **state)
{
	static const char *const settings[] = {
	    "\"hba\": 1",
	    "\"name\": \"x\"",
	    "\"dual_stack\": true",
	    "\"luns\": {\"0\": {\"enable\": true}}",
	    "\"node_acls\": {\"" INITIATOR "\": {\"enable\": 1}}",
	    "\"portals\": {\"[::]:3262\": {\"enable\": false}}",
	};
	struct test *t = *state;

	for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
		g_autofree char *text = g_strdup_printf(
		    "{\"storage_objects\": [{\"plugin\": \"user\", \"name\": \"a\", \"config\": "
		    "\"alloc/a\"}], \"targets\": [{\"fabric\": \"iscsi\", \"wwn\": \"" OPEN
		    "\", \"tpgs\": [{\"tag\": 1, \"luns\": [{\"index\": 0, \"storage_object\": "
		    "\"/backstores/user/a\"}], \"node_acls\": [{\"node_wwn\": \"" INITIATOR
		    "\"}], \"portals\": [{\"ip_address\": \"[::]\", \"port\": 3262}]}]}], \"tcmu_runner\": "
		    "{\"version\": 1, \"targets\": {\"" OPEN "\": {\"tpgs\": {\"1\": {%s}}}}}}",
		    settings[i]);

		write_file(t, text);
		for (int round = 0; round < 3; round++) {
			start_again(t);
			assert_int_equal(restore(t), 0);
			assert_true(said(t, "is not known"));
			assert_false(model_is_enabled(find(t, OPEN " tpgt_1")));
			assert_int_equal(save(t), 0);
		}
	}
}

/* If a reload refuses a value of the file, a save does not replace it by the value that is in use. */
static void test_a_refused_value_stays_in_the_file(void **state)
{
	static const struct {
		const char *good, *bad;
	} edits[] = {
	    {"\"192.0.2.0/24\"", ""},
	    {"\"192.0.2.0/24\"", "{}"},
	    {"\"192.0.2.0/24\"", "\"x\""},
	    {"\"AuthMethod\" : \"CHAP\"", "\"AuthMethod\" : {}"},
	    {"\"AuthMethod\" : \"CHAP\"", "\"AuthMethod\" : \"x\""},
	};
	struct test *t = *state;

	create_objects(t);
	assert_int_equal(
	    fixture_set(t->f, find(t, OPEN " tpgt_1"), "attrib", "allowed_addresses", "192.0.2.0/24"), 0);
	assert_int_equal(fixture_set(t->f, find(t, OPEN " tpgt_1"), "param", "AuthMethod", "CHAP"), 0);
	assert_int_equal(save(t), 0);
	g_autofree char *good = read_file(t);
	for (size_t i = 0; i < sizeof(edits) / sizeof(edits[0]); i++) {
		edit_file(t, edits[i].good, edits[i].bad);
		assert_int_equal(reload(t, true), 0);
		assert_true(said(t, OPEN "/tpgt_1 stays disabled: "));
		assert_int_equal(diff(t), 0);
		assert_no_lines(t);
		for (int round = 0; round < 2; round++) {
			assert_false(model_is_enabled(find(t, OPEN " tpgt_1")));
			assert_int_equal(save(t), 0);
			start_again(t);
			assert_int_equal(restore(t), 0);
		}
		write_file(t, good);
		assert_int_equal(reload(t, true), 0);
		assert_no_lines(t);
		assert_true(model_is_enabled(find(t, OPEN " tpgt_1")));
	}
}

/* A setting that was removed from the file has its default after a reload, as after a restart. */
static void test_settings_of_a_disk_that_are_removed(void **state)
{
	static const char *const settings[] = {"read_only", "exact_size", "max_sectors", "time_limit"};
	struct test *t = *state;
	struct model_object *disk = fixture_create(t->f, t->f->root, MODEL_STORAGE, "user_0/disk", NULL);

	fixture_set(t->f, disk, "control", "config", "file//srv/disk");
	fixture_set(t->f, disk, "control", "read_only", "1");
	fixture_set(t->f, disk, "control", "exact_size", "1");
	fixture_set(t->f, disk, "control", "max_sectors", "64");
	fixture_set(t->f, disk, "attrib", "time_limit", "7");
	assert_int_equal(fixture_enable(t->f, disk, true), 0);
	fixture_create(t->f, fixture_tpg(t->f, OPEN), MODEL_LUN, "lun_0", disk);
	assert_int_equal(save(t), 0);
	edit_file(t, "\"read_only\" : true,", "");
	edit_file(t, "\"exact_size\" : true,", "");
	edit_file(t, "\"hw_max_sectors\" : 64,", "");
	edit_file(t, "\"time_limit\" : 7", "\"vendor_id\": \"OTHER\"");
	assert_int_equal(diff(t), 0);
	for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++)
		assert_true(said(t, settings[i]));
	for (int is_started_again = 0; is_started_again < 2; is_started_again++) {
		if (is_started_again)
			start_again(t);
		assert_int_equal(is_started_again ? restore(t) : reload(t, false), 0);
		assert_no_lines(t);
		assert_leads_to(t, OPEN " tpgt_1 lun_0", "user_0/disk");
		assert_value(t, "user_0/disk", "control", "read_only", "0");
		assert_value(t, "user_0/disk", "control", "exact_size", "0");
		assert_value(t, "user_0/disk", "control", "max_sectors", "0");
		assert_value(t, "user_0/disk", "attrib", "time_limit", "0");
		assert_value(t, "user_0/disk", "wwn", "vendor_id", "OTHER");
	}
	edit_file(t, "\"vendor_id\": \"OTHER\"", "\"folder\": \"\"");
	assert_int_equal(reload(t, false), 0);
	assert_value(t, "user_0/disk", "wwn", "vendor_id", "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_disks_that_a_plugin_of_lio_cannot_describe),
	    TEST(test_values_that_nobody_has_set),
	    TEST(test_a_size_that_follows_the_storage),
	    TEST(test_a_size_that_is_no_number),
	    TEST(test_keys_of_other_objects),
	    TEST(test_a_refused_value_stays_in_the_file),
	    TEST(test_settings_of_a_disk_that_are_removed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
