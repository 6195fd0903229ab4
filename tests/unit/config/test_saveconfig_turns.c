/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Operations on saveconfig.json that take several turns of the main thread. Other administrators change the
 * configuration between these turns.
 */
#include "saveconfig_fixture.h"

struct turn {
	struct main_work work;
	struct test *t;
	/* The name of the target that another administrator creates in this turn, or NULL. */
	const char *target;
	/* Whether the administrator deletes the target at once. */
	bool is_deleted;
	bool is_over, was_first;
};

static void ignore_result(void *arg, int err, const struct error *error)
{
	(void)arg, (void)err, (void)error;
}

static void on_turn(struct main_work *work)
{
	struct turn *turn = container_of(work, struct turn, work);

	turn->is_over = true;
	turn->was_first = !turn->t->done;
	if (!turn->target)
		return;
	struct model_object *target =
	    fixture_create(turn->t->f, turn->t->f->root, MODEL_TARGET, turn->target, NULL);
	if (turn->is_deleted)
		model_delete(target, false, ignore_result, NULL);
}

static void on_progress(void *arg, unsigned done, unsigned total)
{
	struct test *t = arg;

	assert_false(t->done);
	assert_uint_in_range(done, t->steps_done, total);
	t->steps_done = done;
}

/* Writes a file that a restore cannot apply in one turn. */
static void write_long_file(struct test *t)
{
	g_autoptr(GString) text = g_string_new("{\"targets\": [");

	for (unsigned i = 0; i < 5000; i++)
		g_string_append_printf(text,
				       "%s{\"fabric\": \"iscsi\", \"wwn\": \"iqn.2026-11.com.example:%u\", "
				       "\"tpgs\": [{\"tag\": 1}]}",
				       i ? "," : "", i);
	g_string_append(text, "]}");
	write_file(t, text->str);
}

/* Reloads the file. Another administrator does the work of turn during the reload. */
static void reload_in_turns(struct test *t, struct turn turn)
{
	turn.work.fn = on_turn;
	turn.t = t;
	t->steps_done = 0;
	saveconfig_reload(t->config, NULL, true, on_progress, on_done, t);
	assert_int_not_equal(t->steps_done, 0);
	model_post(t->f->model, &turn.work);
	assert_int_equal(finish(t), 0);
	assert_true(turn.is_over);
	assert_true(turn.was_first);
	assert_non_null(find(t, "iqn.2026-11.com.example:4999 tpgt_1"));
}

/* Other work of the main thread need not wait for the end of a long reload, which reports its progress. */
static void test_long_reload(void **state)
{
	struct test *t = *state;

	write_long_file(t);
	reload_in_turns(t, (struct turn){.target = NULL});
	assert_false(saveconfig_has_changed(t->config));
}

/* What another administrator changes while a reload runs is not in the file. */
static void test_changes_during_a_reload_are_not_saved(void **state)
{
	struct test *t = *state;

	write_long_file(t);
	reload_in_turns(t, (struct turn){.target = OPEN});
	assert_true(saveconfig_has_changed(t->config));
	assert_int_equal(diff(t), 0);
	assert_true(said(t, "+ " OPEN));
	assert_int_equal(save(t), 0);
	assert_false(saveconfig_has_changed(t->config));
	/* After these changes, the configuration is what the file demands. */
	write_file(t, "{\"targets\": []}");
	assert_int_equal(reload(t, true), 0);
	write_long_file(t);
	reload_in_turns(t, (struct turn){.target = OPEN, .is_deleted = true});
	assert_false(saveconfig_has_changed(t->config));
}

#define LUNS 4000
#define TPG  OPEN " tpgt_1"

/* Work that looks at the ACL in each turn of a restore. */
struct watcher {
	struct main_work work;
	struct test *t;
	bool sees_part;
};

static void on_watch(struct main_work *work)
{
	struct watcher *watcher = container_of(work, struct watcher, work);
	struct test *t = watcher->t;

	watcher->sees_part |= find(t, TPG " " ACL) && !find(t, TPG " " ACL " lun_3999");
	if (!t->done)
		model_post(t->f->model, &watcher->work);
}

static void write_long_acl(struct test *t)
{
	g_autoptr(GString) luns = g_string_new(NULL);
	g_autoptr(GString) mapped = g_string_new(NULL);

	for (unsigned i = 0; i < LUNS; i++) {
		const char *comma = i ? "," : "";

		g_string_append_printf(
		    luns, "%s{\"index\": %u, \"storage_object\": \"/backstores/user/disk\"}", comma, i);
		g_string_append_printf(mapped, "%s{\"index\": %u, \"tpg_lun\": %u}", comma, i, i);
	}
	g_autofree char *text = g_strdup_printf(
	    "{\"storage_objects\": [{\"plugin\": \"user\", \"name\": \"disk\", \"config\": \"alloc/a\", "
	    "\"size\": 1048576}], \"targets\": [{\"fabric\": \"iscsi\", \"wwn\": \"" OPEN "\", \"tpgs\": [{"
	    "\"tag\": 1, \"luns\": [%s], \"node_acls\": [{\"node_wwn\": \"" ACL
	    "\", \"mapped_luns\": [%s]}]}]}]}",
	    luns->str, mapped->str);
	write_file(t, text);
}

/* In each turn of a restore, an ACL either does not exist yet, or has all its mapped LUNs. */
static void test_an_acl_is_created_in_one_turn(void **state)
{
	struct test *t = *state;
	struct watcher watcher = {.work.fn = on_watch, .t = t};

	write_long_acl(t);
	saveconfig_restore(t->config, NULL, NULL, on_done, t);
	model_post(t->f->model, &watcher.work);
	assert_int_equal(finish(t), 0);
	fixture_settle(t->f);
	assert_false(watcher.sees_part);
	assert_non_null(find(t, TPG " " ACL " lun_3999"));
}

/* The step that resizes a disk ends later, when the disk has its new size. */
static void test_a_new_size_in_the_file_is_not_a_change(void **state)
{
	struct test *t = *state;

	write_file(t, "{\"storage_objects\": [{\"plugin\": \"user\", \"name\": \"disk\", "
		      "\"config\": \"alloc/a\", \"size\": 1048576}]}");
	assert_int_equal(restore(t), 0);
	edit_file(t, "1048576", "2097152");
	assert_int_equal(reload(t, false), 0);
	assert_no_lines(t);
	assert_value(t, "user_0/disk", "control", "size", "2097152");
	assert_false(saveconfig_has_changed(t->config));
}

/* What an administrator changes while entries are tried again is not in the file. */
static void test_changes_during_a_retry_are_not_saved(void **state)
{
	struct test *t = *state;

	copy_file(t, "bad.json");
	assert_int_equal(restore(t), 0);
	for (int i = 0; i < 3; i++)
		saveconfig_tick(t->config);
	fixture_create(t->f, t->f->root, MODEL_TARGET, "iqn.2026-11.com.example:other", NULL);
	assert_int_equal(diff(t), 0);
	assert_true(said(t, "+ iqn.2026-11.com.example:other"));
	assert_true(saveconfig_has_changed(t->config));
}

/* An entry that is forgotten while the file is written is in this file, but not in the next one. */
static void test_forgets_during_a_save(void **state)
{
	static const char entry[] = OPEN "/tpgt_1/lun_1";
	struct test *t = *state;

	copy_file(t, "bad.json");
	assert_int_equal(restore(t), 0);
	saveconfig_save(t->config, NULL, on_done, t);
	assert_int_equal(saveconfig_forget(t->config, entry, &t->error), 0);
	assert_int_equal(finish(t), 0);
	assert_true(saveconfig_has_changed(t->config));
	assert_int_equal(saveconfig_forget(t->config, entry, &t->error), -ENOENT);
	assert_int_equal(save(t), 0);
	assert_false(saveconfig_has_changed(t->config));
	start_again(t);
	assert_int_equal(restore(t), 0);
	assert_int_equal(saveconfig_forget(t->config, entry, &t->error), -ENOENT);
}

/* When the daemon stops, a restore is not completed, and what it has restored so far is not saved. */
static void test_stop_during_a_restore(void **state)
{
	struct test *t = *state, save = {.f = t->f};

	write_long_file(t);
	g_autofree char *before = read_file(t);
	saveconfig_restore(t->config, NULL, on_progress, on_done, t);
	saveconfig_save(t->config, NULL, on_done, &save);
	assert_int_not_equal(t->steps_done, 0);
	saveconfig_stop(t->config);
	assert_true(saveconfig_wait(t->config, 0));
	assert_true(save.done);
	assert_int_equal(save.err, -ECANCELED);
	assert_int_equal(finish(t), -ECANCELED);
	fixture_settle(t->f);
	assert_null(find(t, "iqn.2026-11.com.example:4999"));
	g_autofree char *after = read_file(t);
	assert_string_equal(before, after);
	g_strfreev(save.lines);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_long_reload),
	    TEST(test_changes_during_a_reload_are_not_saved),
	    TEST(test_an_acl_is_created_in_one_turn),
	    TEST(test_a_new_size_in_the_file_is_not_a_change),
	    TEST(test_changes_during_a_retry_are_not_saved),
	    TEST(test_forgets_during_a_save),
	    TEST(test_stop_during_a_restore),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
