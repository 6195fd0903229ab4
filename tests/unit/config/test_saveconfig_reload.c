/* SPDX-License-Identifier: Apache-2.0 */
/* What a reload changes and what it does not change. It must never give more access than the file allows. */
#include "saveconfig_fixture.h"

/* --- access is never extended --- */

static void test_closes_a_tpg_for_lio(void **state)
{
	struct test *t = *state;

	copy_file(t, "debian.json");
	assert_int_equal(restore(t), 0);
	assert_int_equal(fixture_set(t->f, find(t, OPEN " tpgt_3"), "attrib", "allowed_addresses",
				     "192.0.2.0/24,2001:db8::/32"),
			 0);
	assert_true(saveconfig_has_changed(t->config));
	assert_int_equal(save(t), 0);
	assert_true(said(t, OPEN "/tpgt_3 is saved as disabled for LIO, which has no allowed_addresses"));
	assert_int_equal(g_strv_length(t->lines), 1);
	g_autoptr(JsonNode) file = parse_file(t);
	JsonArray *targets = json_object_get_array_member(json_node_get_object(file), "targets");
	JsonArray *tpgs = json_object_get_array_member(json_array_get_object_element(targets, 0), "tpgs");
	assert_false(json_object_get_boolean_member(json_array_get_object_element(tpgs, 0), "enable"));
	/* The saved file has the TPGs in the order of their tags. */
	tpgs = json_object_get_array_member(json_array_get_object_element(targets, 1), "tpgs");
	assert_true(json_object_get_boolean_member(json_array_get_object_element(tpgs, 0), "enable"));
	start_again(t);
	assert_int_equal(restore(t), 0);
	assert_no_lines(t);
	assert_true(model_is_enabled(find(t, OPEN " tpgt_3")));
	assert_value(t, OPEN " tpgt_3", "attrib", "allowed_addresses", "192.0.2.0/24,2001:db8::/32");
}

static void assert_closed_for_lio(struct test *t)
{
	g_autoptr(JsonNode) file = parse_file(t);
	JsonArray *targets = json_object_get_array_member(json_node_get_object(file), "targets");
	JsonArray *tpgs = json_object_get_array_member(json_array_get_object_element(targets, 0), "tpgs");

	assert_false(json_object_get_boolean_member(json_array_get_object_element(tpgs, 0), "enable"));
}

static void assert_closed(struct test *t, const char *settings, const char *reason)
{
	g_autofree char *text = g_strdup_printf(
	    "{\"targets\": [{\"fabric\": \"iscsi\", \"wwn\": \"" OPEN "\", \"tpgs\": [{\"tag\": 1, "
	    "\"portals\": [{\"ip_address\": \"[::0]\", \"port\": 3260}]%s}]}],\n"
	    "\"tcmu_runner\": {\"version\": 1, \"targets\": {\"" OPEN "\": {\"tpgs\": {\"1\": %s}}}}}",
	    *settings == '{' ? "" : settings, *settings == '{' ? settings : "{}");

	write_file(t, text);
	start_again(t);
	assert_int_equal(restore(t), 0);
	assert_true(said(t, reason));
	assert_non_null(find(t, OPEN " tpgt_1"));
	assert_false(model_is_enabled(find(t, OPEN " tpgt_1")));
	g_autoptr(JsonNode) before = parse_file(t);
	assert_int_equal(save(t), 0);
	g_autoptr(JsonNode) after = parse_file(t);
	assert_is_part("", json_object_get_member(json_node_get_object(before), "tcmu_runner"),
		       json_object_get_member(json_node_get_object(after), "tcmu_runner"));
	/* A save keeps the restrictions of the file, even if the user has enabled the TPG. */
	for (int i = 0; i < 3; i++) {
		start_again(t);
		assert_int_equal(restore(t), 0);
		assert_false(model_is_enabled(find(t, OPEN " tpgt_1")));
		assert_int_equal(fixture_enable(t->f, find(t, OPEN " tpgt_1"), true), 0);
		assert_int_equal(save(t), 0);
		assert_true(said(t, "is saved as disabled, and the next restore leaves it disabled"));
		assert_int_equal(save(t), 0);
		assert_closed_for_lio(t);
	}
}

static void test_closes_a_tpg_that_it_does_not_understand(void **state)
{
	struct test *t = *state;

	assert_closed(t, "{\"enable\": true, \"only_on_mondays\": true}", "\"only_on_mondays\" is not known");
	assert_closed(t, "{\"enable\": true, \"allowed_addresses\": []}",
		      "allowed_addresses cannot be set: the list is empty");
	assert_closed(t, "{\"enable\": true, \"denied_addresses\": [\"everybody\"]}",
		      "denied_addresses cannot be set");
	assert_closed(t, "{\"enable\": true, \"denied_addresses\": {\"a\": 1}}",
		      "denied_addresses cannot be set");
	assert_closed(t, "{\"enable\": \"perhaps\"}", "\"enable\" is neither true nor false");
	assert_closed(t, "{\"enable\": true, \"luns\": []}", "\"luns\" is not an object");
	assert_closed(t, "{\"enable\": true, \"portals\": {\"[::]:3260\": {\"dual_stack\": 7}}}",
		      "\"dual_stack\" is neither true nor false");
	assert_closed(t, ", \"attributes\": {\"authentication\": 7}", "authentication cannot be set");
	assert_closed(t, ", \"node_acls\": [{\"node_wwn\": \"no name\"}]",
		      "its ACL targets[0].tpgs[0].node_acls[0]");
	assert_closed(t, ", \"chap_password\": \"\\u0007\"", "password cannot be set");
}

static void assert_discovery(struct test *t, const char *settings, const char *reason, const char *enforce,
			     const char *password)
{
	g_autofree char *text = g_strdup_printf(
	    "{\"fabric_modules\": [{\"name\": \"iscsi\", %s}], \"storage_objects\": [], \"targets\": []}",
	    settings);

	write_file(t, text);
	assert_int_equal(restore(t), 0);
	if (reason)
		assert_true(said(t, reason));
	else
		assert_no_lines(t);
	assert_value(t, "", "discovery_auth", "enforce_discovery_auth", enforce);
	assert_value(t, "", "discovery_auth", "password", password);
}

#define ACCOUNT "\"discovery_userid\": \"u\", \"discovery_password\": "

/* Settings that cannot be used never open discovery, neither at the first restore nor at later ones. */
static void test_closes_discovery(void **state)
{
	struct test *t = *state;
	static const char demands[] = "discovery demands authentication until this is corrected";

	for (int i = 0; i < 2; i++) {
		assert_discovery(t, "\"discovery_enable_auth\": \"perhaps\", " ACCOUNT "\"secret\"", demands,
				 "1", "secret");
		/* A save keeps the settings of the file. */
		assert_int_equal(save(t), 0);
		assert_true(file_has(t, "perhaps"));
		assert_discovery(t, "\"discovery_enable_auth\": false, " ACCOUNT "\"secret\"", NULL, "0",
				 "secret");
		assert_discovery(t, "\"discovery_enable_auth\": [], " ACCOUNT "\"secret\"", demands, "1",
				 "secret");
		assert_discovery(t, "\"discovery_enable_auth\": true, " ACCOUNT "\"secret\"", NULL, "1",
				 "secret");
		assert_discovery(t, "\"discovery_enable_auth\": true, " ACCOUNT "\"\\u0007\"",
				 "discovery: password: it must be text", "1", "");
		assert_discovery(
		    t,
		    "\"discovery_enable_auth\": true, \"discovery_mutual_password\": \"secret\", " ACCOUNT
		    "\"secret\"",
		    "must differ", "1", "secret");
		start_again(t);
	}
}

/* Restores the first text, which opens a TPG, and then the second one, which must close it. */
static void assert_closes(struct test *t, const char *open, const char *bad, const char *reason)
{
	const char *const format =
	    "{\"storage_objects\": [{\"plugin\": \"user\", \"name\": \"disk\", \"config\": \"file//srv/d\"}],"
	    " \"targets\": [{\"fabric\": \"iscsi\", \"wwn\": \"" OPEN "\", %s}]}";
	g_autofree char *first = g_strdup_printf(format, open), *second = g_strdup_printf(format, bad);

	start_again(t);
	write_file(t, first);
	assert_int_equal(restore(t), 0);
	assert_true(model_is_enabled(find(t, OPEN " tpgt_1")));
	write_file(t, second);
	assert_int_equal(restore(t), 0);
	assert_true(said(t, reason));
	assert_false(model_is_enabled(find(t, OPEN " tpgt_1")));
	assert_int_equal(save(t), 0);
	start_again(t);
	assert_int_equal(restore(t), 0);
	assert_false(model_is_enabled(find(t, OPEN " tpgt_1")));
}

#define OPEN_TPG "\"tpgs\": [{\"tag\": 1, \"attributes\": {\"authentication\": 0}}]"
#define ONE_LUN  "\"index\": 0, \"storage_object\": \"/backstores/user/disk\""

/* The running TPG may allow more than the entry that cannot be understood. */
static void test_closes_a_running_tpg_whose_entry_is_bad(void **state)
{
	const char *const disabled =
	    OPEN "/tpgt_1 is disabled, because its entry in the file cannot be used: ";
	struct test *t = *state;
	static const char *const lists[] = {"luns", "node_acls", "portals"};

	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		g_autofree char *bad = g_strdup_printf("\"tpgs\": [{\"tag\": 1, \"%s\": 3}]", lists[i]);
		g_autofree char *reason = g_strdup_printf("%s\"%s\" is not a list", disabled, lists[i]);

		assert_closes(t, OPEN_TPG, bad, reason);
	}
	assert_closes(t, OPEN_TPG, "\"tpgs\": [{\"tag\": 1, \"attributes\": []}]", disabled);
	assert_closes(t, OPEN_TPG, "\"tpgs\": [{\"tag\": 1, \"enable\": {}}]", disabled);
	/* The file may hide a LUN that stays from initiators without an ACL. */
	assert_closes(t, "\"tpgs\": [{\"tag\": 1, \"luns\": [{" ONE_LUN "}]}]",
		      "\"tpgs\": [{\"tag\": 1, \"luns\": [{" ONE_LUN ", \"attributes\": 1}]}]",
		      OPEN "/tpgt_1 stays disabled: its LUN lun_0 cannot be restored");
}

/* A target whose list of TPGs cannot be understood may have closed each of them. */
static void test_closes_a_running_target_whose_entry_is_bad(void **state)
{
	assert_closes(*state, OPEN_TPG, "\"tpgs\": 3",
		      OPEN
		      "/tpgt_1 is disabled, because its entry in the file cannot be used: \"tpgs\" is not");
}

/* Settings that cannot be understood close all TPGs to which they belong, also after a save. */
static void assert_closes_all(struct test *t, const char *settings, const char *reason)
{
	g_autofree char *text = g_strdup_printf("{\"targets\": [{\"fabric\": \"iscsi\", \"wwn\": \"" OPEN
						"\", \"tpgs\": [{\"tag\": 1}]}], "
						"\"tcmu_runner\": {\"version\": 1, \"targets\": %s}}",
						settings);

	write_file(t, text);
	for (int i = 0; i < 2; i++) {
		start_again(t);
		assert_int_equal(restore(t), 0);
		assert_true(said(t, OPEN "/tpgt_1 stays disabled"));
		assert_true(said(t, reason));
		assert_false(model_is_enabled(find(t, OPEN " tpgt_1")));
		assert_int_equal(save(t), 0);
	}
}

static void test_keeps_settings_that_cannot_be_understood(void **state)
{
	assert_closes_all(*state, "[]", "\"targets\" under \"tcmu_runner\" is not an object");
	assert_closes_all(*state, "{\"" OPEN "\": 1}", "they are not an object");
	assert_closes_all(*state, "{\"" OPEN "\": {\"tpgs\": 1}}", "\"tpgs\" is not an object");
	assert_closes_all(*state, "{\"" OPEN "\": {\"tpgs\": {\"1\": []}}}", "they are not an object");
}

/* --- reload --- */

static void test_reload_applies_only_differences(void **state)
{
	struct test *t = *state;
	struct model_login *login;

	copy_file(t, "debian.json");
	assert_int_equal(restore(t), 0);
	struct model_object *tpg = find(t, OPEN " tpgt_3"), *disk = find(t, "rd_mcp_1/memory");
	assert_int_equal(fixture_login(t->f, tpg, INITIATOR, &login), MODEL_ADMITTED);
	struct model_object *other = find(t, TARGET " tpgt_1 " ACL);

	edit_file(t, "\"write_protect\": true", "\"write_protect\": false");
	edit_file(t, "\"index\": 9", "\"index\": 10");
	edit_file(t, "\"name\": \"handled\"", "\"name\": \"renamed\"");
	edit_file(t, "/backstores/user/handled", "/backstores/user/renamed");
	edit_file(t, "\"chap_userid\": \"anyone\"", "\"chap_userid\": \"nobody\"");
	assert_int_equal(diff(t), 0);
	assert_true(said(t, "- user/renamed"));
	assert_true(said(t, "+ user/handled"));
	assert_true(
	    said(t, "~ " TARGET "/tpgt_1/lun_5: leads to user/renamed in the file, to user/handled now"));
	assert_true(said(t, "~ " OPEN "/tpgt_3 userid: nobody in the file, anyone now"));
	assert_int_equal(reload(t, false), 0);
	assert_no_lines(t);
	assert_int_equal(diff(t), 0);
	assert_no_lines(t);
	assert_ptr_equal(find(t, OPEN " tpgt_3"), tpg);
	assert_ptr_equal(find(t, "rd_mcp_1/memory"), disk);
	assert_ptr_equal(find(t, TARGET " tpgt_1 " ACL), other);
	assert_false(model_view_is_closed(login->view));
	assert_value(t, OPEN " tpgt_3", "auth", "userid", "nobody");
	assert_leads_to(t, TARGET " tpgt_1 lun_5", "user_0/renamed");
	assert_leads_to(t, TARGET " tpgt_1 " ACL " lun_0", "lun_5");
	assert_value(t, TARGET " tpgt_1 " ACL " lun_0", "", "write_protect", "0");
	assert_null(find(t, TARGET " tpgt_1 " ACL " lun_9"));
	assert_leads_to(t, TARGET " tpgt_1 " ACL " lun_10", "lun_0");
	model_login_free(login);
}

static void test_reload_replaces_storage(void **state)
{
	struct test *t = *state;

	copy_file(t, "debian.json");
	assert_int_equal(restore(t), 0);
	edit_file(t, "/srv/disk.img", "/srv/another.img");
	edit_file(t, "\"tag\": \"cluster\"", "\"tag\": \"\"");
	assert_int_equal(reload(t, false), 0);
	assert_no_lines(t);
	assert_value(t, "fileio_3/files", "control", "config", "file//srv/another.img");
	assert_leads_to(t, TARGET " tpgt_1 lun_0", "fileio_3/files");
	assert_leads_to(t, TARGET " tpgt_1 " ACL " lun_9", "lun_0");
	assert_value(t, TARGET " tpgt_1 iqn.1993-08.org.debian:01:bbbb", "", "tag", "");
	/* An empty object is valid. */
	write_file(t, "{}");
	assert_int_equal(reload(t, false), 0);
	assert_no_lines(t);
	assert_null(model_first(t->f->root, MODEL_STORAGE));
	assert_null(model_first(t->f->root, MODEL_TARGET));
}

/* The file gives a disk in memory other memory, or another identity. */
static void test_reload_does_not_empty_memory(void **state)
{
	static const char *const edits[][2] = {{"alloc/ram", "alloc/other"},
					       {"\"wwn\": \"one\"", "\"wwn\": \"two\""}};
	struct test *t = *state;
	struct model_object *disk, *lun;

	for (size_t i = 0; i < G_N_ELEMENTS(edits); i++) {
		write_file(
		    t, "{\"storage_objects\": [{\"plugin\": \"user\", \"name\": \"ram\", \"config\": "
		       "\"alloc/ram\", \"size\": 1048576, \"wwn\": \"one\"}], \"targets\": [{\"fabric\": "
		       "\"iscsi\", \"wwn\": \"" OPEN "\", \"tpgs\": [{\"tag\": 1, \"luns\": [{\"index\": 0, "
		       "\"storage_object\": \"/backstores/user/ram\"}]}]}]}");
		start_again(t);
		assert_int_equal(restore(t), 0);
		assert_no_lines(t);
		disk = find(t, "user_0/ram");
		lun = find(t, OPEN " tpgt_1 lun_0");
		edit_file(t, edits[i][0], edits[i][1]);
		edit_file(t, "\"index\": 0", "\"index\": 0, \"alias\": \"new\"");
		assert_int_equal(reload(t, false), 0);
		assert_true(said(t, "storage_objects[0]: "));
		assert_true(said(t, "would be lost"));
		assert_int_equal(g_strv_length(t->lines), 1);
		assert_ptr_equal(find(t, "user_0/ram"), disk);
		assert_value(t, "user_0/ram", "control", "config", "alloc/ram");
		assert_value(t, "user_0/ram", "wwn", "vpd_unit_serial", "one");
		/* The rest of the file is applied, and a save keeps what is served. */
		assert_ptr_equal(find(t, OPEN " tpgt_1 lun_0"), lun);
		assert_value(t, OPEN " tpgt_1 lun_0", "", "alias", "new");
		g_autofree char *wanted = read_file(t);
		assert_int_equal(save(t), 0);
		assert_true(file_has(t, "\"alloc/ram\""));
		assert_true(file_has(t, "\"one\""));
		/* A disk that was deleted has no contents that could be lost. */
		write_file(t, "{}");
		assert_int_equal(reload(t, true), 0);
		write_file(t, wanted);
		assert_int_equal(reload(t, true), 0);
		assert_no_lines(t);
		assert_non_null(find(t, "user_0/ram"));
	}
}

static void test_reload_does_not_lose_changes(void **state)
{
	struct test *t = *state;

	copy_file(t, "debian.json");
	assert_int_equal(restore(t), 0);
	/* A change that was made both in the file and in the daemon is not lost. */
	assert_int_equal(fixture_set(t->f, find(t, OPEN " tpgt_3"), "auth", "userid", "nobody"), 0);
	edit_file(t, "\"chap_userid\": \"anyone\"", "\"chap_userid\": \"nobody\"");
	assert_int_equal(reload(t, false), 0);
	assert_no_lines(t);
	assert_int_equal(fixture_set(t->f, find(t, OPEN " tpgt_3"), "auth", "userid", "again"), 0);
	assert_int_equal(fixture_set(t->f, find(t, OPEN " tpgt_3"), "auth", "password", "never-shown"), 0);
	fixture_create(t->f, find(t, OPEN " tpgt_3"), MODEL_ACL, INITIATOR, NULL);
	assert_int_equal(fixture_delete(t->f, find(t, TARGET " tpgt_1 " ACL), true), 0);
	assert_int_equal(reload(t, false), -EBUSY);
	assert_true(said(t, "~ " OPEN "/tpgt_3 userid: nobody in the file, again now"));
	assert_true(said(t, "~ " OPEN "/tpgt_3 password: another secret in the file"));
	assert_true(said(t, "+ " OPEN "/tpgt_3/" INITIATOR));
	assert_true(said(t, "- " TARGET "/tpgt_1/" ACL));
	assert_int_equal(g_strv_length(t->lines), 4);
	assert_false(said(t, "secret-") || said(t, "never-shown"));
	assert_value(t, OPEN " tpgt_3", "auth", "userid", "again");
	assert_int_equal(reload(t, true), 0);
	assert_value(t, OPEN " tpgt_3", "auth", "userid", "nobody");
	assert_null(find(t, OPEN " tpgt_3 " INITIATOR));
	assert_non_null(find(t, TARGET " tpgt_1 " ACL));
	assert_false(saveconfig_has_changed(t->config));
}

/* A change of an object is lost, too, if the file no longer has the object. */
static void test_reload_does_not_lose_changes_of_a_deleted_object(void **state)
{
	struct test *t = *state;

	copy_file(t, "debian.json");
	assert_int_equal(restore(t), 0);
	assert_int_equal(fixture_set(t->f, find(t, OPEN " tpgt_3"), "auth", "userid", "again"), 0);
	write_file(t, "{}");
	assert_int_equal(reload(t, false), -EBUSY);
	assert_true(said(t, "~ " OPEN "/tpgt_3 userid: anyone in the file, again now"));
	assert_int_equal(g_strv_length(t->lines), 1);
	assert_non_null(find(t, OPEN " tpgt_3"));
	assert_int_equal(reload(t, true), 0);
	assert_null(find(t, OPEN " tpgt_3"));
}

/*
 * While the reload waits for the end of a target, another administrator creates a part of what the file has.
 * The result is as if the reload had created it.
 */
static void test_another_administrator_creates_the_same(void **state)
{
	static const char later[] = "iqn.2026-11.com.example:later";
	struct test *t = *state;
	struct error error;

	copy_file(t, "debian.json");
	assert_int_equal(restore(t), 0);
	edit_file(t, OPEN, later);
	saveconfig_reload(t->config, NULL, false, NULL, on_done, t);
	struct model_object *target = model_create(t->f->root, MODEL_TARGET, later, NULL, &error);
	struct model_object *tpg = target ? model_create(target, MODEL_TPG, "tpgt_3", NULL, &error) : NULL;
	assert_int_equal(finish(t), 0);
	assert_no_lines(t);
	assert_non_null(tpg);
	assert_true(model_is_enabled(tpg));
	assert_null(find(t, OPEN));
	assert_value(t, "iqn.2026-11.com.example:later tpgt_3", "auth", "userid", "anyone");
	assert_int_equal(diff(t), 0);
	assert_no_lines(t);
}

static int reload_named(struct test *t, bool discard)
{
	saveconfig_reload(t->config, t->path, discard, NULL, on_done, t);
	return finish(t);
}

/* The daemon has no file of its own, so nothing is saved before the first restore or save. */
static void test_reload_without_own_file(void **state)
{
	static const char file[] =
	    "{\"storage_objects\": [{\"plugin\": \"user\", \"name\": \"disk\", \"config\": \"file//srv/d\", "
	    "\"size\": 1048576, \"attributes\": {\"cmd_time_out\": 30}}], \"targets\": []}";
	struct test *t = *state;
	struct model_object *disk;

	saveconfig_free(t->config);
	t->config = saveconfig_new(t->f->model, NULL);
	write_file(t, file);
	disk = fixture_create(t->f, t->f->root, MODEL_STORAGE, "user_0/disk", NULL);
	assert_int_equal(fixture_set(t->f, disk, "control", "config", "file//srv/d"), 0);
	assert_int_equal(fixture_set(t->f, disk, "control", "size", "2097152"), 0);
	assert_int_equal(fixture_set(t->f, disk, "attrib", "cmd_time_out", "7"), 0);
	assert_int_equal(fixture_enable(t->f, disk, true), 0);
	assert_int_equal(reload_named(t, false), -EBUSY);
	assert_true(said(t, "~ user/disk size: 1048576 in the file, 2097152 now"));
	assert_true(said(t, "~ user/disk cmd_time_out: 30 in the file, 7 now"));
	assert_int_equal(g_strv_length(t->lines), 2);
	assert_value(t, "user_0/disk", "attrib", "cmd_time_out", "7");
	assert_int_equal(reload_named(t, true), 0);
	assert_value(t, "user_0/disk", "attrib", "cmd_time_out", "30");

	/* The value that the reload has set is not an unsaved change. */
	edit_file(t, "30", "31");
	assert_int_equal(reload_named(t, false), 0);
	assert_value(t, "user_0/disk", "attrib", "cmd_time_out", "31");

	/* A value that was set is an unsaved change until it is saved. */
	disk = find(t, "user_0/disk");
	assert_int_equal(fixture_set(t->f, disk, "attrib", "cmd_time_out", "8"), 0);
	assert_int_equal(reload_named(t, false), -EBUSY);
	saveconfig_save(t->config, t->path, on_done, t);
	assert_int_equal(finish(t), 0);
	edit_file(t, "\"cmd_time_out\" : 8", "\"cmd_time_out\" : 9");
	assert_int_equal(reload_named(t, false), 0);
	assert_value(t, "user_0/disk", "attrib", "cmd_time_out", "9");
}

/* If a value was refused, the difference shows the value that is in effect instead. */
static void test_diff_shows_the_value_in_effect(void **state)
{
	struct test *t = *state;

	copy_file(t, "debian.json");
	edit_file(t, "\"default_cmdsn_depth\": 64", "\"default_cmdsn_depth\": 32");
	assert_int_equal(restore(t), 0);
	edit_file(t, "\"default_cmdsn_depth\": 32", "\"default_cmdsn_depth\": 0");
	assert_int_equal(restore(t), 0);
	assert_true(said(t, "default_cmdsn_depth: it must be a number"));
	assert_int_equal(diff(t), 0);
	assert_no_lines(t);
	edit_file(t, "\"default_cmdsn_depth\": 0", "\"default_cmdsn_depth\": 16");
	assert_int_equal(diff(t), 0);
	assert_true(said(t, "default_cmdsn_depth: 16 in the file, 32 now"));
	edit_file(t, "\"default_cmdsn_depth\": 16", "\"default_cmdsn_depth\": 32");
	assert_int_equal(diff(t), 0);
	assert_no_lines(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_closes_a_tpg_for_lio),
	    TEST(test_closes_a_tpg_that_it_does_not_understand),
	    TEST(test_closes_discovery),
	    TEST(test_closes_a_running_tpg_whose_entry_is_bad),
	    TEST(test_closes_a_running_target_whose_entry_is_bad),
	    TEST(test_keeps_settings_that_cannot_be_understood),
	    TEST(test_reload_applies_only_differences),
	    TEST(test_reload_replaces_storage),
	    TEST(test_reload_does_not_empty_memory),
	    TEST(test_reload_does_not_lose_changes),
	    TEST(test_reload_does_not_lose_changes_of_a_deleted_object),
	    TEST(test_another_administrator_creates_the_same),
	    TEST(test_reload_without_own_file),
	    TEST(test_diff_shows_the_value_in_effect),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
