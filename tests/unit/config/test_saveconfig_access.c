/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files that contradict themselves, or whose limits cannot be attached to an object: what is reported, and
 * that everything that may have been meant to be closed is closed, also after a save and a restart.
 */
#include "saveconfig_fixture.h"

#define OTHER    "iqn.2026-11.com.example:other"
#define PLAIN    "\"attributes\": {\"authentication\": 0, \"generate_node_acls\": 1}"
#define DISK     "{\"plugin\": \"user\", \"name\": \"disk\", \"config\": \"file//srv/d\", \"wwn\": \"one\"}"
#define LUN0     "{\"index\": 0, \"storage_object\": \"/backstores/user/disk\"}"
#define LUN7     "{\"index\": 7, \"storage_object\": \"/backstores/user/disk\"}"
#define LUNS     "\"luns\": [" LUN0 "]"
#define TPG(...) "{\"tag\": 1, " PLAIN ", " LUNS __VA_ARGS__ "}"

static void write_config(struct test *t, const char *storage, const char *targets, const char *own)
{
	g_autofree char *text = g_strdup_printf(
	    "{\"storage_objects\": [%s],\n\"targets\": [%s],\n\"tcmu_runner\": {\"version\": 1%s%s}}",
	    storage, targets, *own ? ", " : "", own);

	write_file(t, text);
}

/* Writes one target with this list of TPGs. */
static void write_tpgs(struct test *t, const char *tpgs, const char *own)
{
	g_autofree char *targets =
	    g_strdup_printf("{\"fabric\": \"iscsi\", \"wwn\": \"" OPEN "\", \"tpgs\": [%s]}", tpgs);

	write_config(t, DISK, targets, own);
}

static bool is_open(struct test *t, const char *path)
{
	struct model_object *tpg = find(t, path);

	return tpg && model_is_enabled(tpg);
}

static void check_restores(struct test *t)
{
	assert_int_equal(restore(t), 0);
	assert_int_equal(save(t), 0);
	start_again(t);
	assert_int_equal(restore(t), 0);
}

/* --- two entries with one name --- */

/*
 * Restores a file that opens the TPG, and then reloads a file in which two entries have the same name. One of
 * the two limits access.
 */
static void assert_both_bad(struct test *t, const char *tpgs, const char *first, const char *second)
{
	g_autofree char *one = g_strdup_printf("%s: %s has the same name", first, second);
	g_autofree char *two = g_strdup_printf("%s: %s has the same name", second, first);

	write_tpgs(t, TPG(), "");
	assert_int_equal(restore(t), 0);
	assert_no_lines(t);
	assert_true(is_open(t, OPEN " tpgt_1"));
	write_tpgs(t, tpgs, "");
	assert_int_equal(reload(t, true), 0);
	assert_true(said(t, one));
	assert_true(said(t, two));
	assert_true(said(t, "remove one of the two"));
	start_again(t);
	assert_int_equal(restore(t), 0);
	assert_true(said(t, one));
	assert_true(said(t, two));
}

static void test_a_tpg_with_two_entries_is_closed(void **state)
{
	struct test *t = *state;

	for (int i = 0; i < 2; i++) {
		assert_both_bad(t,
				i ? TPG() ", {\"tag\": 1, \"attributes\": {\"authentication\": 1}}"
				  : "{\"tag\": 1, \"attributes\": {\"authentication\": 1}}, " TPG(),
				"targets[0].tpgs[0]", "targets[0].tpgs[1]");
		assert_false(is_open(t, OPEN " tpgt_1"));
		check_restores(t);
		assert_false(is_open(t, OPEN " tpgt_1"));
	}
}

/* A reload closes the TPG that runs. */
static void test_a_running_tpg_with_two_entries_is_closed(void **state)
{
	struct test *t = *state;

	write_tpgs(t, TPG(), "");
	assert_int_equal(restore(t), 0);
	write_tpgs(t, TPG() ", " TPG(", \"chap_userid\": \"a\""), "");
	assert_int_equal(reload(t, false), 0);
	assert_true(said(t, OPEN "/tpgt_1 is disabled, because its entry in the file cannot be used"));
	assert_false(is_open(t, OPEN " tpgt_1"));
	check_restores(t);
	assert_false(is_open(t, OPEN " tpgt_1"));
}

static void test_a_target_with_two_entries_is_closed(void **state)
{
	struct test *t = *state;

	write_config(t, DISK,
		     "{\"fabric\": \"iscsi\", \"wwn\": \"" OPEN
		     "\", \"tpgs\": [" TPG() "]},"
					     "{\"fabric\": \"iscsi\", \"wwn\": "
					     "\"IQN.2026-11.com.example:OPEN\", \"tpgs\": []}",
		     "");
	assert_int_equal(restore(t), 0);
	assert_true(said(t, "targets[0]: targets[1] has the same name"));
	assert_true(said(t, "targets[1]: targets[0] has the same name"));
	assert_false(is_open(t, OPEN " tpgt_1"));
	check_restores(t);
	assert_false(is_open(t, OPEN " tpgt_1"));
}

static void test_other_objects_with_two_entries(void **state)
{
	struct test *t = *state;

	assert_both_bad(t, "{\"tag\": 1, \"luns\": [" LUN0 ", " LUN0 "]}", "targets[0].tpgs[0].luns[0]",
			"targets[0].tpgs[0].luns[1]");
	assert_null(find(t, OPEN " tpgt_1 lun_0"));
	/* If only the ACL were left out, its initiator could log in like an initiator without an ACL. */
	assert_both_bad(t,
			TPG(", \"node_acls\": [{\"node_wwn\": \"" ACL "\"}, {\"node_wwn\": "
			    "\"iqn.1993-08.org.debian:01:AAAA\", \"chap_userid\": \"a\"}]"),
			"targets[0].tpgs[0].node_acls[0]", "targets[0].tpgs[0].node_acls[1]");
	assert_false(is_open(t, OPEN " tpgt_1"));
	assert_both_bad(t,
			TPG(", \"node_acls\": [{\"node_wwn\": \"" ACL "\", \"mapped_luns\": [{\"index\": 3, "
			    "\"tpg_lun\": 0}, {\"index\": 3, \"tpg_lun\": 0, \"write_protect\": true}]}]"),
			"targets[0].tpgs[0].node_acls[0].mapped_luns[0]",
			"targets[0].tpgs[0].node_acls[0].mapped_luns[1]");
	assert_null(find(t, OPEN " tpgt_1 " ACL " lun_3"));
	assert_both_bad(t,
			TPG(", \"portals\": [{\"ip_address\": \"[::1]\", \"port\": 3260}, {\"ip_address\": "
			    "\"[0::1]\", \"port\": 3260}]"),
			"targets[0].tpgs[0].portals[0]", "targets[0].tpgs[0].portals[1]");
	assert_null(find(t, OPEN " tpgt_1 [::1]:3260"));
}

/* One of the entries of the disk that runs may protect it from writing. */
static void test_a_disk_with_two_entries(void **state)
{
	const char *const target = "{\"fabric\": \"iscsi\", \"wwn\": \"" OPEN "\", \"tpgs\": [" TPG() "]}";
	struct test *t = *state;

	write_config(t, DISK, target, "");
	assert_int_equal(restore(t), 0);
	struct model_object *disk = find(t, "user_0/disk");

	write_config(t, DISK ", " DISK, target, "");
	assert_int_equal(reload(t, false), 0);
	assert_true(said(t, "storage_objects[0]: storage_objects[1] has the same name"));
	assert_true(said(t, "storage_objects[1]: storage_objects[0] has the same name"));
	assert_ptr_equal(find(t, "user_0/disk"), disk);
	assert_null(find(t, OPEN " tpgt_1 lun_0"));
	check_restores(t);
	assert_null(find(t, "user_0/disk"));
	assert_null(find(t, OPEN " tpgt_1 lun_0"));
	write_config(t, DISK, target, "");
	assert_int_equal(reload(t, true), 0);
	assert_no_lines(t);
	assert_leads_to(t, OPEN " tpgt_1 lun_0", "user_0/disk");
}

/* json-glib keeps one of two members, and a save could write only this one. */
static void test_a_key_that_occurs_twice(void **state)
{
	static const char *const files[] = {
	    "{\"targets\": [],\n\"targets\": []}",
	    "{\"targets\": [{\"fabric\": \"iscsi\", \"wwn\": \"" OPEN "\", \"tpgs\": [{\"tag\": 1,\n"
	    "\"enable\": false, \"enable\": true}]}]}",
	    "{\"targets\": [{\"fabric\": \"iscsi\", \"wwn\": \"" OPEN "\", \"tpgs\": [{\"tag\": 1, "
	    "\"attributes\": {\"authentication\": 1,\n\"authentication\": 0}}]}]}",
	    "{\"tcmu_runner\": {\"version\": 1, \"targets\": {\"" OPEN "\": {},\n\"" OPEN "\": {}}}}",
	};
	struct test *t = *state;

	write_tpgs(t, TPG(), "");
	assert_int_equal(restore(t), 0);
	for (size_t i = 0; i < G_N_ELEMENTS(files); i++) {
		write_file(t, files[i]);
		assert_int_equal(restore(t), -EINVAL);
		assert_non_null(strstr(t->error.text, "line 2: the key \""));
		assert_non_null(strstr(t->error.text, "occurs twice in one object"));
		assert_true(is_open(t, OPEN " tpgt_1"));
	}
	/* The same key may occur once in each of several objects. */
	write_file(t, "{\"a\": {\"b\": 1, \"c\": {\"b\": 1}}, \"b\": [{\"b\": 1}, {\"b\": 2}]}");
	assert_int_equal(restore(t), 0);
}

/* --- settings without an object --- */

#define LIMIT "\"1\": {\"allowed_addresses\": [\"192.0.2.1\"]}"

static void test_settings_of_a_missing_target_close_others(void **state)
{
	struct test *t = *state;

	write_config(t, DISK,
		     "{\"fabric\": \"iscsi\", \"wwn\": \"" OPEN
		     "\", \"tpgs\": [" TPG() "]},"
					     "{\"fabric\": \"iscsi\", \"wwn\": \"" OTHER
					     "\", \"tpgs\": [" TPG() "]}",
		     "\"targets\": {\"iqn.2026-11.com.example:oepn\": {\"tpgs\": {" LIMIT "}},\n\"" OTHER
		     "\": {\"tpgs\": {\"1\": {\"enable\": true}}}}");
	for (int i = 0; i < 3; i++) {
		assert_int_equal(restore(t), 0);
		assert_true(said(t, "tcmu_runner.targets[\"iqn.2026-11.com.example:oepn\"]: the file has no "
				    "such target"));
		assert_true(said(t, OPEN "/tpgt_1 stays disabled: tcmu_runner.targets[\"iqn.2026-11.com."
					 "example:oepn\"] limits access"));
		assert_false(is_open(t, OPEN " tpgt_1"));
		/* This target has settings of its own, so the others are not meant for it. */
		assert_true(is_open(t, OTHER " tpgt_1"));
		/* A save keeps the settings of the missing target. */
		assert_int_equal(save(t), 0);
		assert_true(file_has(t, "iqn.2026-11.com.example:oepn"));
		assert_true(file_has(t, "192.0.2.1"));
		if (i)
			start_again(t);
	}
	saveconfig_check(t->path, on_done, t);
	assert_int_equal(finish(t), -EINVAL);
	assert_true(said(t, "the file has no such target"));
	/* The user removes the settings with saveconfig_forget(). */
	assert_int_equal(restore(t), 0);
	assert_int_equal(saveconfig_forget(t->config, "iqn.2026-11.com.example:oepn", &t->error), 0);
	assert_int_equal(save(t), 0);
	start_again(t);
	assert_int_equal(restore(t), 0);
	assert_no_lines(t);
	assert_true(is_open(t, OPEN " tpgt_1"));
}

/* Restores a TPG that is open without these settings of the target. */
static void assert_settings_close(struct test *t, const char *own, const char *place, bool is_closed)
{
	g_autofree char *settings = g_strdup_printf("\"targets\": {\"" OPEN "\": %s}", own);
	g_autofree char *missing =
	    g_strdup_printf("tcmu_runner.targets[\"" OPEN "\"].tpgs[\"1\"]%s: the file has no such", place);

	write_tpgs(
	    t, "{\"tag\": 1, " PLAIN ", \"luns\": [" LUN7 "], \"node_acls\": [{\"node_wwn\": \"" ACL "\"}]}",
	    settings);
	for (int i = 0; i < 2; i++) {
		start_again(t);
		assert_int_equal(restore(t), 0);
		if (*place)
			assert_true(said(t, missing));
		assert_int_equal(is_open(t, OPEN " tpgt_1"), !is_closed);
		assert_int_equal(save(t), 0);
	}
}

static void test_settings_of_other_missing_objects(void **state)
{
	struct test *t = *state;

	assert_settings_close(t, "{\"tpgs\": {\"2\": {\"denied_addresses\": [\"192.0.2.1\"]}}}", "", true);
	assert_settings_close(t, "{\"tpgs\": {\"2\": {\"rtpi\": 5}}}", "", false);
	assert_settings_close(t, "{\"tpgs\": {\"1\": {\"luns\": {\"8\": {\"acl_only\": true}}}}}",
			      ".luns[\"8\"]", true);
	assert_settings_close(t, "{\"tpgs\": {\"1\": {\"luns\": {\"x\": {\"write_protect\": true}}}}}",
			      ".luns[\"x\"]", true);
	/* Without further accounts, fewer initiators can log in. */
	assert_settings_close(t,
			      "{\"tpgs\": {\"1\": {\"node_acls\": {\"iqn.1993-08.org.debian:01:b\": "
			      "{\"more_accounts\": \"a open sesame 12\"}}}}}",
			      ".node_acls[\"iqn.1993-08.org.debian:01:b\"]", false);
	assert_settings_close(t,
			      "{\"tpgs\": {\"1\": {\"portals\": {\"[::]:3261\": {\"dual_stack\": false}}}}}",
			      ".portals[\"[::]:3261\"]", true);
}

/* Two spellings of a name that differ in capital letters mean the same target. */
static void test_settings_under_two_spellings(void **state)
{
	struct test *t = *state;

	write_tpgs(t, TPG(),
		   "\"targets\": {\"IQN.2026-11.com.example:OPEN\": {\"tpgs\": {\"1\": {\"enable\": true}}}, "
		   "\"" OPEN "\": {\"tpgs\": {" LIMIT "}}}");
	for (int i = 0; i < 3; i++) {
		start_again(t);
		assert_int_equal(restore(t), 0);
		assert_true(said(t, "another spelling of its name"));
		assert_false(is_open(t, OPEN " tpgt_1"));
		assert_int_equal(save(t), 0);
	}
}

/* A save must not lose the settings of a TPG whose entry cannot be used. */
static void test_settings_of_a_bad_entry_are_kept(void **state)
{
	struct test *t = *state;

	write_tpgs(t, "{\"tag\": 1, \"luns\": 3}", "\"targets\": {\"" OPEN "\": {\"tpgs\": {" LIMIT "}}}");
	check_restores(t);
	assert_true(said(t, "\"luns\" is not a list"));
	edit_file(t, "\"luns\" : 3", "\"luns\": []");
	assert_int_equal(restore(t), 0);
	assert_no_lines(t);
	assert_value(t, OPEN " tpgt_1", "attrib", "allowed_addresses", "192.0.2.1");
	assert_true(is_open(t, OPEN " tpgt_1"));
}

/* --- disks that nobody may write to --- */

static const char *const one_lun = "{\"fabric\": \"iscsi\", \"wwn\": \"" OPEN "\", \"tpgs\": [" TPG() "]}";

static void test_read_only_that_belongs_to_no_disk(void **state)
{
	struct test *t = *state;

	write_config(t, DISK, one_lun, "\"storage_objects\": {\"user/dsik\": {\"read_only\": true}}");
	assert_int_equal(restore(t), 0);
	assert_true(
	    said(t, "tcmu_runner.storage_objects[\"user/dsik\"]: the file has no such storage object"));
	assert_null(find(t, "user_0/disk"));
	check_restores(t);
	assert_null(find(t, "user_0/disk"));
	assert_true(file_has(t, "user/dsik"));
	/* In names of storage objects, capital letters make a difference. */
	write_config(t, DISK, one_lun, "\"storage_objects\": {\"user/DISK\": {\"hba\": 3}}");
	assert_int_equal(reload(t, true), 0);
	assert_true(said(t, "user/DISK"));
	assert_non_null(find(t, "user_0/disk"));
}

/* Restores a disk that can be written to, and then a bad entry for it. */
static void assert_not_writable(struct test *t, const char *disk, const char *own)
{
	write_config(t, DISK, one_lun, "");
	start_again(t);
	assert_int_equal(restore(t), 0);
	assert_no_lines(t);
	write_config(t, disk, one_lun, own);
	assert_int_equal(reload(t, false), 0);
	assert_true(said(t, "storage_objects[0]: "));
	assert_true(said(t, "targets[0].tpgs[0].luns[0]: user/disk, to which it leads"));
	assert_null(find(t, OPEN " tpgt_1 lun_0"));
	/* The rest of the target is not affected, and a save and a restart change nothing. */
	assert_true(is_open(t, OPEN " tpgt_1"));
	check_restores(t);
	assert_null(find(t, OPEN " tpgt_1 lun_0"));
}

static void test_a_bad_entry_does_not_leave_a_disk_writable(void **state)
{
	static const char bad[] = "{\"plugin\": \"user\", \"name\": \"disk\", \"config\": \"file//srv/d\", "
				  "\"wwn\": \"one\", \"attributes\": 7}";
	struct test *t = *state;

	assert_not_writable(t, bad, "\"storage_objects\": {\"user/disk\": {\"read_only\": true}}");
	assert_not_writable(t, bad, "\"storage_objects\": {\"user/disk\": {\"read_only\": []}}");
	/* A value that cannot be used may mean that the disk is read-only. */
	assert_not_writable(t, DISK, "\"storage_objects\": {\"user/disk\": {\"read_only\": {}}}");
	assert_not_writable(t, DISK, "\"storage_objects\": {\"user/disk\": {\"read_only\": \"perhaps\"}}");
	assert_not_writable(t, DISK, "\"storage_objects\": {\"user/disk\": [{\"read_only\": true}]}");
	assert_not_writable(t, DISK, "\"storage_objects\": [{\"user/disk\": {\"read_only\": true}}]");
	/* An entry that does not protect the disk leaves everything as it is. */
	write_config(t, DISK, one_lun, "");
	start_again(t);
	assert_int_equal(restore(t), 0);
	struct model_object *lun = find(t, OPEN " tpgt_1 lun_0");

	write_config(t, bad, one_lun, "");
	assert_int_equal(reload(t, false), 0);
	assert_true(said(t, "\"attributes\" is not an object"));
	assert_ptr_equal(find(t, OPEN " tpgt_1 lun_0"), lun);
}

/* A disk in memory keeps its contents, and initiators cannot write to it until it is opened again. */
static void test_a_disk_in_memory_that_becomes_read_only(void **state)
{
	static const char memory[] = "{\"plugin\": \"user\", \"name\": \"disk\", \"config\": \"alloc/m\", "
				     "\"size\": 1048576, \"wwn\": \"one\"}";
	struct test *t = *state;

	write_config(t, memory, one_lun, "");
	assert_int_equal(restore(t), 0);
	struct model_object *disk = find(t, "user_0/disk");

	write_config(t, memory, one_lun, "\"storage_objects\": {\"user/disk\": {\"read_only\": true}}");
	assert_int_equal(reload(t, false), 0);
	assert_true(said(t, "would be lost"));
	assert_ptr_equal(find(t, "user_0/disk"), disk);
	assert_null(find(t, OPEN " tpgt_1 lun_0"));
	write_config(t, memory, one_lun, "");
	assert_int_equal(reload(t, true), 0);
	assert_no_lines(t);
	assert_ptr_equal(find(t, "user_0/disk"), disk);
	assert_leads_to(t, OPEN " tpgt_1 lun_0", "user_0/disk");
}

struct watcher {
	struct model_watch watch;
	unsigned protected, unprotected;
};

/* Looks at each LUN at the moment of its creation. */
static void look_at_lun(struct model_watch *watch, enum model_event event, struct model_object *object)
{
	struct watcher *watcher = container_of(watch, struct watcher, watch);
	const struct model_attribute *protect = model_attribute(model_kind(object), "", "write_protect");

	if (event != MODEL_CREATED || !protect)
		return;
	watcher->protected += model_get_number(object, protect) != 0;
	watcher->unprotected += model_get_number(object, protect) == 0;
}

/* A session may look at the LUNs at any time, so a new LUN must never be without its protection. */
static void test_new_luns_are_protected_from_the_beginning(void **state)
{
	struct test *t = *state;
	struct watcher watcher = {.watch.fn = look_at_lun};

	write_tpgs(t, "{\"tag\": 1, " PLAIN "}", "");
	assert_int_equal(restore(t), 0);
	write_tpgs(t,
		   TPG(", \"node_acls\": [{\"node_wwn\": \"" ACL "\", \"mapped_luns\": ["
		       "{\"index\": 3, \"tpg_lun\": 0, \"write_protect\": true}]}]"),
		   "\"targets\": {\"" OPEN "\": {\"tpgs\": {\"1\": {\"luns\": {\"0\": {\"write_protect\": "
		   "true, \"acl_only\": true}}}}}}");
	model_watch(t->f->model, &watcher.watch);
	assert_int_equal(reload(t, true), 0);
	model_unwatch(&watcher.watch);
	assert_no_lines(t);
	assert_int_equal(watcher.protected, 2);
	assert_int_equal(watcher.unprotected, 0);
	assert_value(t, OPEN " tpgt_1 lun_0", "", "acl_only", "1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_a_tpg_with_two_entries_is_closed),
	    TEST(test_a_running_tpg_with_two_entries_is_closed),
	    TEST(test_a_target_with_two_entries_is_closed),
	    TEST(test_other_objects_with_two_entries),
	    TEST(test_a_disk_with_two_entries),
	    TEST(test_a_key_that_occurs_twice),
	    TEST(test_settings_of_a_missing_target_close_others),
	    TEST(test_settings_of_other_missing_objects),
	    TEST(test_settings_under_two_spellings),
	    TEST(test_settings_of_a_bad_entry_are_kept),
	    TEST(test_read_only_that_belongs_to_no_disk),
	    TEST(test_a_bad_entry_does_not_leave_a_disk_writable),
	    TEST(test_a_disk_in_memory_that_becomes_read_only),
	    TEST(test_new_luns_are_protected_from_the_beginning),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
