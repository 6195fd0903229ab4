/* SPDX-License-Identifier: Apache-2.0 */
/*
 * saveconfig.json between files and the model: what is restored, what is saved, and what happens to entries
 * that cannot be used. The storage is a fake, so the test needs only memory and one folder.
 */
#include "saveconfig_fixture.h"

#include <sys/stat.h>
#include <unistd.h>

/* --- a file of Debian's targetcli --- */

static void test_restores_a_file_of_targetcli(void **state)
{
	struct test *t = *state;

	copy_file(t, "debian.json");
	assert_int_equal(restore(t), 0);
	assert_no_lines(t);
	assert_value(t, "fileio_3/files", "control", "config", "file//srv/disk.img");
	assert_value(t, "fileio_3/files", "control", "block_size", "4096");
	assert_value(t, "fileio_3/files", "control", "size", "1073741824");
	assert_value(t, "fileio_3/files", "control", "create", "0");
	assert_value(t, "fileio_3/files", "attrib", "emulate_write_cache", "1");
	assert_value(t, "fileio_3/files", "wwn", "vpd_unit_serial", "0c1c2e6a-52de-4a38-9d1a-0c4e5f3d1b01");
	assert_value(t, "iblock_2/volume", "control", "config", "block//dev/vg0/lv0");
	assert_value(t, "iblock_2/volume", "control", "read_only", "1");
	assert_value(t, "rd_mcp_1/memory", "control", "config", "alloc/memory");
	assert_value(t, "user_0/handled", "control", "config", "file//srv/user.img");
	assert_value(t, "user_0/handled", "control", "block_size", "4096");
	assert_value(t, "user_0/handled", "control", "max_sectors", "1024");
	assert_leads_to(t, TARGET " tpgt_1 lun_5", "user_0/handled");
	assert_leads_to(t, TARGET " tpgt_1 lun_7", "iblock_2/volume");
	/* LIO's [::] takes IPv4 connections, too. */
	assert_non_null(find(t, TARGET " tpgt_1 *:3260"));
	assert_true(model_is_enabled(find(t, TARGET " tpgt_1")));
	assert_false(model_is_enabled(find(t, TARGET " tpgt_2")));
	assert_leads_to(t, TARGET " tpgt_2 lun_1", "fileio_3/files");
	assert_value(t, TARGET " tpgt_1 " ACL, "auth", "userid", "initiator-user");
	assert_value(t, TARGET " tpgt_1 " ACL, "auth", "password", "initiator-secret");
	assert_value(t, TARGET " tpgt_1 " ACL, "auth", "userid_mutual", "target-user");
	assert_value(t, TARGET " tpgt_1 " ACL, "auth", "password_mutual", "target-secret");
	assert_leads_to(t, TARGET " tpgt_1 " ACL " lun_0", "lun_5");
	assert_value(t, TARGET " tpgt_1 " ACL " lun_0", "", "write_protect", "1");
	assert_value(t, TARGET " tpgt_1 " ACL " lun_9", "", "write_protect", "0");
	assert_value(t, TARGET " tpgt_1 iqn.1993-08.org.debian:01:bbbb", "", "tag", "cluster");
	assert_value(t, OPEN " tpgt_3", "attrib", "generate_node_acls", "1");
	assert_value(t, OPEN " tpgt_3", "auth", "password", "anyones-secret");
	assert_value(t, "", "discovery_auth", "enforce_discovery_auth", "1");
	assert_value(t, "", "discovery_auth", "password", "discovery-secret");
}

static void test_restores_names_in_other_forms(void **state)
{
	struct test *t = *state;

	write_file(
	    t,
	    "{\"storage_objects\": [{\"plugin\": \"fileio\", \"name\": \"f\", \"dev\": \"/srv/my disk.img\", "
	    "\"size\": 1048576}], \"targets\": [{\"fabric\": \"iscsi\", \"wwn\": \"" OPEN
	    "\", \"tpgs\": [{\"tag\": 1, "
	    "\"node_acls\": [{\"node_wwn\": \"iqn.1993-08.org.debian:01:AAAA\"}]}]}]}");
	assert_int_equal(restore(t), 0);
	assert_no_lines(t);
	assert_value(t, "fileio_0/f", "control", "config", "file//srv/my~20disk.img");
	assert_non_null(find(t, OPEN " tpgt_1 " ACL));
}

static void test_saves_what_it_has_restored(void **state)
{
	struct test *t = *state;
	struct stat st;

	copy_file(t, "debian.json");
	g_autoptr(JsonNode) before = parse_file(t);
	assert_int_equal(restore(t), 0);
	assert_false(saveconfig_has_changed(t->config));
	assert_int_equal(save(t), 0);
	assert_no_lines(t);
	g_autoptr(JsonNode) after = parse_file(t);
	assert_is_part("", before, after);
	assert_int_equal(stat(t->path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(diff(t), 0);
	assert_no_lines(t);
	/* A saved file is restored and saved again without a difference. */
	g_autofree char *first = read_file(t);
	start_again(t);
	assert_int_equal(restore(t), 0);
	assert_no_lines(t);
	assert_int_equal(save(t), 0);
	g_autofree char *second = read_file(t);
	assert_string_equal(first, second);
}

static void test_keeps_previous_contents(void **state)
{
	struct test *t = *state;
	g_autofree char *folder = g_build_filename(t->folder, "backup", NULL);

	write_file(t, "{\"storage_objects\": [], \"mine\": [1, {\"a\": null}]}");
	assert_int_equal(restore(t), 0);
	assert_int_equal(save(t), 0);
	assert_true(file_has(t, "\"mine\""));
	/* If the contents have not changed, a save makes no copy of the file. */
	assert_int_equal(save(t), 0);
	g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
	g_autofree char *copy = g_build_filename(folder, g_dir_read_name(dir), NULL);
	g_autofree char *text = NULL;
	assert_null(g_dir_read_name(dir));
	assert_true(g_file_get_contents(copy, &text, NULL, NULL));
	assert_string_equal(text, "{\"storage_objects\": [], \"mine\": [1, {\"a\": null}]}");
	for (int i = 0; i < 15; i++) {
		g_autofree char *edited = g_strdup_printf("{\"n\": %d}", i);

		write_file(t, edited);
		assert_int_equal(save(t), 0);
	}
	g_dir_rewind(dir);
	for (int i = 0; i < 10; i++)
		assert_non_null(g_dir_read_name(dir));
	assert_null(g_dir_read_name(dir));
}

/* --- entries that cannot be used --- */

static void test_restores_the_rest(void **state)
{
	struct test *t = *state;

	copy_file(t, "bad.json");
	g_autoptr(JsonNode) before = parse_file(t);
	assert_int_equal(restore(t), 0);
	assert_true(said(t, "line 3, storage_objects[1]: \"plugin\" is 'pscsi'"));
	assert_true(said(t, "storage_objects[2]: it is not an object"));
	assert_true(said(t, "line 4, storage_objects[3]: \"name\" is empty, or contains a slash"));
	assert_true(said(t, "line 5, targets[0]: \"fabric\" is 'vhost'"));
	assert_true(said(t, "targets[1].tpgs[0].luns[1]: pscsi/tape, to which it leads"));
	assert_true(said(t, "targets[1].tpgs[0].luns[2]: user/missing, to which it leads"));
	assert_true(said(t, "targets[1].tpgs[0].portals[0]"));
	assert_true(said(t, "InitialR2T: it must be Yes or No"));
	assert_int_equal(g_strv_length(t->lines), 8);
	/* A value without an effect must not lock initiators out. */
	assert_true(model_is_enabled(find(t, OPEN " tpgt_1")));
	assert_leads_to(t, OPEN " tpgt_1 lun_0", "user_0/good");
	assert_int_equal(save(t), 0);
	g_autoptr(JsonNode) after = parse_file(t);
	assert_is_part("", before, after);
	assert_int_equal(diff(t), 0);
	assert_no_lines(t);
}

static void count_entry(void *arg, const struct saveconfig_entry *entry)
{
	unsigned *count = arg;

	assert_true(*entry->name && *entry->place && *entry->reason);
	++*count;
}

static unsigned failed(struct test *t)
{
	unsigned count = 0;

	saveconfig_list_failed(t->config, count_entry, &count);
	return count;
}

static unsigned refused(struct test *t)
{
	unsigned count = 0;

	saveconfig_list_refused(t->config, count_entry, &count);
	return count;
}

static void tick(struct test *t)
{
	for (int i = 0; i < 6; i++) {
		saveconfig_tick(t->config);
		fixture_settle(t->f);
	}
}

static void test_tries_entries_again(void **state)
{
	struct test *t = *state;
	struct error error;

	copy_file(t, "bad.json");
	assert_int_equal(restore(t), 0);
	assert_int_equal(failed(t), 7);
	assert_int_equal(refused(t), 1);
	tick(t);
	assert_int_equal(failed(t), 7);
	assert_false(saveconfig_has_changed(t->config));
	/* The storage of LUN 2 is created. */
	edit_file(t, "\"pscsi\", \"name\": \"tape\", \"dev\": \"/dev/sg0\"",
		  "\"user\", \"name\": \"missing\", \"config\": \"alloc/m\"");
	fake_open_error = EIO;
	assert_int_equal(reload(t, false), 0);
	assert_int_equal(failed(t), 5);
	assert_leads_to(t, OPEN " tpgt_1 lun_2", "user_1/missing");
	assert_int_equal(saveconfig_forget(t->config, OPEN "/tpgt_1/lun_1", &error), 0);
	assert_int_equal(saveconfig_forget(t->config, OPEN "/tpgt_1/lun_1", &error), -ENOENT);
	assert_int_equal(failed(t), 4);
	assert_true(saveconfig_has_changed(t->config));
	assert_int_equal(save(t), 0);
	g_autofree char *text = read_file(t);
	assert_null(strstr(text, "pscsi"));
	assert_non_null(strstr(text, "neither"));
}

/* A refused value is listed until another one is set, and a closed TPG until it is enabled. */
static void test_lists_what_was_refused(void **state)
{
	struct test *t = *state;
	struct model_object *tpg;

	write_file(t, "{\"targets\": [{\"fabric\": \"iscsi\", \"wwn\": \"" OPEN "\", \"tpgs\": [{\"tag\": 1, "
		      "\"attributes\": {\"authentication\": \"x\", \"generate_node_acls\": {}}}]}]}");
	assert_int_equal(restore(t), 0);
	assert_int_equal(failed(t), 0);
	assert_int_equal(refused(t), 3);
	tpg = find(t, OPEN " tpgt_1");
	assert_int_equal(fixture_set(t->f, tpg, "attrib", "authentication", "1"), 0);
	assert_int_equal(refused(t), 2);
	assert_int_equal(fixture_set(t->f, tpg, "attrib", "generate_node_acls", "1"), 0);
	assert_int_equal(refused(t), 1);
	assert_int_equal(fixture_enable(t->f, tpg, true), 0);
	assert_int_equal(refused(t), 0);
	assert_int_equal(save(t), 0);
	assert_no_lines(t);
	assert_int_equal(refused(t), 0);
}

static void test_storage_that_does_not_open_is_an_object(void **state)
{
	struct test *t = *state;

	copy_file(t, "debian.json");
	g_autoptr(JsonNode) before = parse_file(t);
	fake_open_error = ENOENT;
	assert_int_equal(restore(t), 0);
	assert_true(said(t, "it does not open; this is tried again"));
	assert_int_equal(g_strv_length(t->lines), 1);
	assert_value(t, "user_0/handled", "health", "state", "failed");
	assert_leads_to(t, TARGET " tpgt_1 lun_5", "user_0/handled");
	assert_int_equal(save(t), 0);
	g_autoptr(JsonNode) after = parse_file(t);
	assert_is_part("", before, after);
}

static void test_refuses_other_versions(void **state)
{
	struct test *t = *state;

	write_file(t, "{\"storage_objects\": [], \"tcmu_runner\": {\"version\": 2}}");
	assert_int_equal(restore(t), -EINVAL);
	assert_non_null(strstr(t->error.text, "version"));
	write_file(t, "{\"targets\": {}}");
	assert_int_equal(restore(t), -EINVAL);
	write_file(t, "[]");
	assert_int_equal(restore(t), -EINVAL);
	write_file(t, "{\"targets\": [");
	assert_int_equal(restore(t), -EINVAL);
	assert_int_equal(unlink(t->path), 0);
	assert_int_equal(restore(t), -ENOENT);
	/* A missing file must not be overwritten. */
	assert_true(saveconfig_has_changed(t->config));
}

/* At the start, a missing file is an empty configuration. */
static void test_a_missing_file_is_empty(void **state)
{
	struct test *t = *state;

	saveconfig_restore_at_start(t->config, on_done, t);
	assert_int_equal(finish(t), -ENOENT);
	assert_false(saveconfig_has_changed(t->config));
	assert_int_equal(diff(t), 0);
	assert_no_lines(t);
	fixture_tpg(t->f, OPEN);
	assert_true(saveconfig_has_changed(t->config));
	assert_int_equal(diff(t), 0);
	assert_true(said(t, "+ " OPEN));
	/*
	 * A reload and a diff need their file. If a missing file meant an empty one, everything would be
	 * deleted.
	 */
	assert_int_equal(reload(t, true), -ENOENT);
	saveconfig_diff(t->config, "/nonexistent/saveconfig.json", on_done, t);
	assert_int_equal(finish(t), -ENOENT);
	assert_non_null(find(t, OPEN " tpgt_1"));
	assert_int_equal(save(t), 0);
	assert_false(saveconfig_has_changed(t->config));
	/* An object that exists before the restore, such as one of --export, is not in the file. */
	assert_int_equal(unlink(t->path), 0);
	start_again(t);
	fixture_tpg(t->f, OPEN);
	saveconfig_restore_at_start(t->config, on_done, t);
	assert_int_equal(finish(t), -ENOENT);
	assert_true(saveconfig_has_changed(t->config));
}

/* --- objects that are created while the daemon runs --- */

static void test_saves_new_objects(void **state)
{
	struct test *t = *state;
	struct model_object *disk = fixture_disk(t->f, "user_0/disk"), *tpg = fixture_tpg(t->f, OPEN);
	struct model_object *lun = fixture_create(t->f, tpg, MODEL_LUN, "lun_0", disk);
	struct model_object *acl = fixture_create(t->f, tpg, MODEL_ACL, INITIATOR, NULL);

	fixture_create(t->f, acl, MODEL_MAPPED_LUN, "lun_4", lun);
	fixture_create(t->f, tpg, MODEL_PORTAL, "*:3261", NULL);
	fixture_create(t->f, tpg, MODEL_PORTAL, "[::]:3262", NULL);
	fixture_create(t->f, t->f->root, MODEL_STORAGE, "user_1/unfinished", NULL);
	assert_int_equal(fixture_set(t->f, lun, "", "acl_only", "1"), 0);
	assert_int_equal(save(t), 0);
	assert_true(said(t, "which has no acl_only"));
	assert_true(file_has(t, "\"[::]\""));
	start_again(t);
	assert_int_equal(restore(t), 0);
	assert_no_lines(t);
	assert_leads_to(t, OPEN " tpgt_1 " INITIATOR " lun_4", "lun_0");
	assert_value(t, OPEN " tpgt_1 lun_0", "", "acl_only", "1");
	assert_non_null(find(t, OPEN " tpgt_1 *:3261"));
	assert_non_null(find(t, OPEN " tpgt_1 [::]:3262"));
	assert_null(find(t, "user_1/unfinished"));
	assert_true(model_is_enabled(find(t, OPEN " tpgt_1")));
	/*
	 * LIO needs a size. The file contains the size of the fake storage, and the disk still follows its
	 * storage.
	 */
	assert_true(file_has(t, "1048576"));
	assert_value(t, "user_0/disk", "control", "size", "0");
	assert_int_equal(diff(t), 0);
	assert_no_lines(t);
}

static void test_an_object_does_not_inherit_keys(void **state)
{
	struct test *t = *state;

	copy_file(t, "debian.json");
	edit_file(t, "\"fabric\": \"iscsi\"", "\"fabric\": \"iscsi\", \"comment\": \"mine\"");
	assert_int_equal(restore(t), 0);
	assert_int_equal(fixture_delete(t->f, find(t, OPEN), true), 0);
	/* This portal would take the connections to the portal of the new TPG. */
	assert_int_equal(fixture_delete(t->f, find(t, TARGET " tpgt_1 *:3260"), false), 0);
	fixture_tpg(t->f, OPEN);
	assert_int_equal(save(t), 0);
	g_autofree char *text = read_file(t);
	g_auto(GStrv) parts = g_strsplit(text, "\"comment\"", -1);
	assert_int_equal(g_strv_length(parts), 2);
}

/* --- the file --- */

static void test_save_fails_cleanly(void **state)
{
	struct test *t = *state;
	g_autofree char *backup = g_build_filename(t->folder, "backup", NULL);

	write_file(t, "{\"old\": 1}");
	assert_int_equal(restore(t), 0);
	fixture_tpg(t->f, OPEN);
	/* A file takes the name of the folder for copies. */
	assert_true(g_file_set_contents(backup, "", 0, NULL));
	assert_true(save(t) < 0);
	assert_non_null(strstr(t->error.text, "cannot be kept"));
	assert_true(saveconfig_has_changed(t->config));
	assert_true(file_has(t, "{\"old\": 1}"));
	assert_int_equal(unlink(backup), 0);
	assert_int_equal(save(t), 0);
	assert_false(saveconfig_has_changed(t->config));
}

static void test_follows_a_link(void **state)
{
	struct test *t = *state;
	g_autofree char *real = g_build_filename(t->folder, "real.json", NULL);
	struct stat st;

	assert_true(g_file_set_contents(real, "{\"old\": 1}", -1, NULL));
	assert_int_equal(symlink("real.json", t->path), 0);
	assert_int_equal(restore(t), 0);
	assert_int_equal(save(t), 0);
	assert_int_equal(lstat(t->path, &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	assert_true(file_has(t, "\"old\""));
}

/* The copies contain secrets, so they go to the folder beside the file and not to where a link leads. */
static void test_copies_do_not_follow_a_link(void **state)
{
	struct test *t = *state;
	g_autofree char *backup = g_build_filename(t->folder, "backup", NULL),
			*elsewhere = g_build_filename(t->folder, "elsewhere", NULL);

	write_file(t, "{\"old\": 1}");
	assert_int_equal(restore(t), 0);
	fixture_tpg(t->f, OPEN);
	assert_int_equal(mkdir(elsewhere, 0700), 0);
	assert_int_equal(symlink("elsewhere", backup), 0);
	assert_true(save(t) < 0);
	assert_non_null(strstr(t->error.text, "cannot be kept"));
	assert_true(file_has(t, "{\"old\": 1}"));
	assert_int_equal(rmdir(elsewhere), 0);
	assert_int_equal(unlink(backup), 0);
}

/* The same for the file that gets its own name only when it is complete. */
static void test_a_link_in_the_way_of_the_new_file(void **state)
{
	struct test *t = *state;
	g_autofree char *name = g_path_get_basename(t->path),
			*fresh = g_strdup_printf("%s/.%s.new", t->folder, name),
			*elsewhere = g_build_filename(t->folder, "elsewhere", NULL);

	write_file(t, "{\"old\": 1}");
	assert_int_equal(restore(t), 0);
	fixture_tpg(t->f, OPEN);
	assert_int_equal(symlink("elsewhere", fresh), 0);
	assert_int_equal(save(t), 0);
	assert_int_not_equal(access(elsewhere, F_OK), 0);
	assert_int_not_equal(access(fresh, F_OK), 0);
}

static void test_operations_wait_for_each_other(void **state)
{
	struct test *t = *state;
	struct test other = {.f = t->f};

	copy_file(t, "debian.json");
	assert_int_equal(restore(t), 0);
	saveconfig_save(t->config, NULL, on_done, &other);
	assert_false(other.done);
	saveconfig_diff(t->config, NULL, on_done, t);
	assert_int_equal(finish(t), 0);
	assert_true(other.done);
	assert_int_equal(other.err, 0);
	g_strfreev(other.lines);
}

static void test_needs_a_path(void **state)
{
	struct test *t = *state;
	struct saveconfig *nameless = saveconfig_new(t->f->model, NULL);

	saveconfig_save(nameless, NULL, on_done, t);
	assert_int_equal(finish(t), -EINVAL);
	saveconfig_restore(nameless, NULL, NULL, on_done, t);
	assert_int_equal(finish(t), -EINVAL);
	fixture_tpg(t->f, OPEN);
	saveconfig_save(nameless, t->path, on_done, t);
	assert_int_equal(finish(t), 0);
	assert_true(saveconfig_has_changed(nameless));
	saveconfig_free(nameless);
	assert_true(file_has(t, OPEN));
}

static void test_deep_text_is_refused(void **state)
{
	struct test *t = *state;
	g_autoptr(GString) text = g_string_new("{\"a\": ");

	for (int i = 0; i < 100000; i++)
		g_string_append_c(text, '[');
	write_file(t, text->str);
	assert_int_equal(restore(t), -EINVAL);
	assert_non_null(strstr(t->error.text, "nested"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_restores_a_file_of_targetcli),
	    TEST(test_restores_names_in_other_forms),
	    TEST(test_saves_what_it_has_restored),
	    TEST(test_keeps_previous_contents),
	    TEST(test_restores_the_rest),
	    TEST(test_tries_entries_again),
	    TEST(test_lists_what_was_refused),
	    TEST(test_storage_that_does_not_open_is_an_object),
	    TEST(test_refuses_other_versions),
	    TEST(test_a_missing_file_is_empty),
	    TEST(test_saves_new_objects),
	    TEST(test_an_object_does_not_inherit_keys),
	    TEST(test_save_fails_cleanly),
	    TEST(test_follows_a_link),
	    TEST(test_copies_do_not_follow_a_link),
	    TEST(test_a_link_in_the_way_of_the_new_file),
	    TEST(test_operations_wait_for_each_other),
	    TEST(test_needs_a_path),
	    TEST(test_deep_text_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
