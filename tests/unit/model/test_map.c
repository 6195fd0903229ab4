/* SPDX-License-Identifier: Apache-2.0 */
/* LUN maps: what sessions see, and that a LUN is only removed when nothing uses it any more. */
#include "model_fixture.h"

#include <pthread.h>
#include <stdatomic.h>

/* Returns the map that an initiator gets at login. The caller frees the login. */
static struct model_map *map_of(struct fixture *f, struct model_object *tpg, const char *initiator,
				struct model_login **login)
{
	assert_int_equal(fixture_login(f, tpg, initiator, login), MODEL_ADMITTED);
	return model_view_map((*login)->view);
}

static void end(struct fixture *f, struct model_login *login, struct model_map *map)
{
	model_map_put(map);
	model_login_free(login);
	fixture_settle(f);
}

static void maps_show_what_is_mapped(void **state)
{
	struct fixture *f = *state;
	struct model_object *tpg = fixture_tpg(f, IQN), *disk = fixture_disk(f, "user_0/disk");
	struct model_object *lun = fixture_create(f, tpg, MODEL_LUN, "lun_300", disk);
	struct model_object *acl = fixture_create(f, tpg, MODEL_ACL, INITIATOR, NULL);
	struct model_login *login, *stranger;

	fixture_create(f, tpg, MODEL_LUN, "lun_0", disk);
	fixture_create(f, acl, MODEL_MAPPED_LUN, "lun_16383", lun);
	assert_int_equal(fixture_set(f, tpg, "attrib", "generate_node_acls", "1"), 0);
	struct model_map *own = map_of(f, tpg, INITIATOR, &login),
			 *all = map_of(f, tpg, INITIATOR "2", &stranger);
	assert_int_equal(model_map_count(own), 1);
	assert_int_equal(model_map_next(own, 0), 16383);
	assert_int_equal(model_map_next(own, 16384), -1);
	assert_null(model_map_entry(own, 0));
	assert_int_equal(model_map_count(all), 2);
	assert_int_equal(model_map_next(all, 0), 0);
	assert_int_equal(model_map_next(all, 1), 300);
	assert_int_equal(model_map_next(all, 301), -1);
	assert_ptr_equal(model_entry_lu(model_map_entry(own, 16383)),
			 model_entry_lu(model_map_entry(all, 300)));
	end(f, login, own);
	end(f, stranger, all);
}

static void protection(void **state)
{
	struct fixture *f = *state;
	struct model_object *tpg = fixture_tpg(f, IQN), *disk = fixture_disk(f, "user_0/disk");
	struct model_object *lun = fixture_create(f, tpg, MODEL_LUN, "lun_0", disk);
	struct model_object *acl = fixture_create(f, tpg, MODEL_ACL, INITIATOR, NULL);
	struct model_object *mapped = fixture_create(f, acl, MODEL_MAPPED_LUN, "lun_0", lun);
	struct model_login *login, *stranger;

	assert_int_equal(fixture_set(f, tpg, "attrib", "generate_node_acls", "1"), 0);
	struct model_map *own = map_of(f, tpg, INITIATOR, &login),
			 *all = map_of(f, tpg, INITIATOR "2", &stranger);
	struct model_entry *entry = model_map_entry(own, 0);
	assert_false(model_entry_is_write_protected(entry));
	assert_true(
	    model_entry_is_write_protected(model_map_entry(all, 0))); /* demo_mode_write_protect is 1 */
	assert_int_equal(fixture_set(f, mapped, "", "write_protect", "1"), 0);
	assert_int_equal(fixture_set(f, tpg, "attrib", "demo_mode_write_protect", "0"), 0);
	struct model_map *changed = model_view_map(login->view);
	assert_ptr_not_equal(changed, own);
	assert_ptr_equal(model_map_entry(changed, 0), entry); /* the entry is the same, so the nexus stays */
	assert_true(model_entry_is_write_protected(entry));
	assert_false(model_entry_is_write_protected(model_map_entry(all, 0)));
	model_map_put(changed);
	end(f, login, own);
	end(f, stranger, all);
}

static void luns_for_acls_only(void **state)
{
	struct fixture *f = *state;
	struct model_object *tpg = fixture_tpg(f, IQN), *disk = fixture_disk(f, "user_0/disk");
	struct model_object *lun = fixture_create(f, tpg, MODEL_LUN, "lun_0", disk);
	struct model_object *acl = fixture_create(f, tpg, MODEL_ACL, INITIATOR, NULL);
	struct model_login *login, *stranger;

	fixture_create(f, acl, MODEL_MAPPED_LUN, "lun_0", lun);
	assert_int_equal(fixture_set(f, tpg, "attrib", "generate_node_acls", "1"), 0);
	assert_int_equal(fixture_set(f, lun, "", "acl_only", "1"), 0);
	struct model_map *own = map_of(f, tpg, INITIATOR, &login),
			 *all = map_of(f, tpg, INITIATOR "2", &stranger);
	assert_int_equal(model_map_count(own), 1);
	assert_int_equal(model_map_count(all), 0);
	model_map_put(all);
	assert_int_equal(fixture_set(f, lun, "", "acl_only", "0"), 0);
	all = model_view_map(stranger->view);
	assert_int_equal(model_map_count(all), 1);
	end(f, login, own);
	end(f, stranger, all);
}

static void another_unit_serves_the_disk(void **state)
{
	struct fixture *f = *state;
	struct model_object *tpg = fixture_tpg(f, IQN), *disk = fixture_disk(f, "user_0/disk");
	struct model_login *login;

	fixture_create(f, tpg, MODEL_LUN, "lun_0", disk);
	assert_int_equal(fixture_set(f, tpg, "attrib", "generate_node_acls", "1"), 0);
	struct model_map *before = map_of(f, tpg, INITIATOR, &login);
	fake_storage_swap(model_storage(disk));
	struct model_map *after = model_view_map(login->view);
	assert_ptr_not_equal(model_entry_lu(model_map_entry(before, 0)),
			     model_entry_lu(model_map_entry(after, 0)));
	assert_int_equal(fake_units, 2);
	model_map_put(before);
	fixture_settle(f);
	assert_int_equal(fake_units, 1);
	end(f, login, after);
}

static void deletion_waits_for_users(void **state)
{
	struct fixture *f = *state;
	struct model_object *tpg = fixture_tpg(f, IQN), *disk = fixture_disk(f, "user_0/disk");
	struct model_object *lun = fixture_create(f, tpg, MODEL_LUN, "lun_0", disk);
	struct model_login *login;

	assert_int_equal(fixture_set(f, tpg, "attrib", "generate_node_acls", "1"), 0);
	struct model_map *map = map_of(f, tpg, INITIATOR, &login);
	struct model_entry *entry =
	    model_entry_get(model_map_entry(map, 0)); /* a nexus with a command in flight */
	unsigned ended = f->ended;
	model_delete(lun, false, fixture_done, f);
	fixture_settle(f);
	assert_int_equal(f->ended, ended);
	fixture_refuse(f, tpg, MODEL_LUN, "lun_0", disk, EEXIST);
	/* Another logical unit that serves the disk does not bring the LUN back. */
	fake_storage_swap(model_storage(disk));
	struct model_map *without = model_view_map(login->view);
	assert_int_equal(model_map_count(without), 0);
	model_map_put(map); /* the session uses the new map, and the command is still in flight */
	fixture_settle(f);
	assert_int_equal(f->ended, ended);
	model_entry_put(entry);
	fixture_settle(f);
	assert_int_equal(f->ended, ended + 1);
	assert_int_equal(f->err, 0);
	assert_null(model_find(tpg, MODEL_LUN, "lun_0"));
	end(f, login, without);
	assert_int_equal(fixture_delete(f, disk, false), 0);
}

static void disabling_ends_sessions(void **state)
{
	struct fixture *f = *state;
	struct model_object *tpg = fixture_tpg(f, IQN), *disk = fixture_disk(f, "user_0/disk");
	struct model_login *login;

	fixture_create(f, tpg, MODEL_LUN, "lun_0", disk);
	assert_int_equal(fixture_set(f, tpg, "attrib", "generate_node_acls", "1"), 0);
	struct model_map *map = map_of(f, tpg, INITIATOR, &login);
	unsigned ended = f->ended;
	model_enable(tpg, false, fixture_done, f);
	fixture_settle(f);
	assert_true(model_view_is_closed(login->view));
	assert_int_equal(f->ended, ended);
	model_enable(tpg, true, fixture_done, f);
	assert_int_equal(f->err, -EBUSY);
	end(f, login, map);
	assert_int_equal(f->ended, ended + 2);
	assert_int_equal(f->err, 0);
	assert_int_equal(fixture_login(f, tpg, INITIATOR, &login), MODEL_DISABLED);
	assert_int_equal(fixture_enable(f, tpg, true), 0);
	map = map_of(f, tpg, INITIATOR, &login);
	assert_int_equal(model_map_count(map), 1);
	end(f, login, map);
}

/* The sessions are still ending when the target of the TPG is deleted. */
static void deleting_a_target_whose_tpg_is_being_disabled(void **state)
{
	struct fixture *f = *state;
	struct model_object *tpg = fixture_tpg(f, IQN), *disk = fixture_disk(f, "user_0/disk");
	struct model_login *login;

	fixture_create(f, tpg, MODEL_LUN, "lun_0", disk);
	fixture_create(f, tpg, MODEL_ACL, INITIATOR, NULL);
	struct model_map *map = map_of(f, tpg, INITIATOR, &login);
	unsigned ended = f->ended;
	model_enable(tpg, false, fixture_done, f);
	model_delete(model_parent(tpg), true, fixture_done, f);
	fixture_settle(f);
	assert_int_equal(f->ended, ended);
	end(f, login, map);
	assert_int_equal(f->ended, ended + 2);
	assert_int_equal(f->err, 0);
	assert_null(model_find(f->root, MODEL_TARGET, IQN));
}

static void deleting_an_acl_ends_its_sessions(void **state)
{
	struct fixture *f = *state;
	struct model_object *tpg = fixture_tpg(f, IQN), *disk = fixture_disk(f, "user_0/disk");
	struct model_object *lun = fixture_create(f, tpg, MODEL_LUN, "lun_0", disk);
	struct model_object *acl = fixture_create(f, tpg, MODEL_ACL, INITIATOR, NULL);
	struct model_login *login;

	fixture_create(f, acl, MODEL_MAPPED_LUN, "lun_0", lun);
	struct model_map *map = map_of(f, tpg, INITIATOR, &login);
	unsigned ended = f->ended;
	model_delete(acl, true, fixture_done, f);
	fixture_settle(f);
	assert_true(model_view_is_closed(login->view));
	assert_int_equal(f->ended, ended);
	end(f, login, map);
	assert_int_equal(f->ended, ended + 1);
	assert_int_equal(fixture_login(f, tpg, INITIATOR, &login), MODEL_NOT_ADMITTED);
	model_login_free(login);
}

struct reader {
	struct model_view *view;
	atomic_bool stop;
};

/* Does what a loop does: takes the newest map, and uses an entry for some time. */
static void *read_maps(void *arg)
{
	struct reader *reader = arg;

	while (!atomic_load(&reader->stop)) {
		struct model_map *map = model_view_map(reader->view);
		struct model_entry *entry = model_entry_get(model_map_entry(map, 0));

		model_map_put(map);
		model_entry_put(entry);
	}
	return NULL;
}

static void loops_read_while_luns_come_and_go(void **state)
{
	struct fixture *f = *state;
	struct model_object *tpg = fixture_tpg(f, IQN), *disk = fixture_disk(f, "user_0/disk");
	struct model_login *login;
	pthread_t threads[2];

	assert_int_equal(fixture_set(f, tpg, "attrib", "generate_node_acls", "1"), 0);
	assert_int_equal(fixture_login(f, tpg, INITIATOR, &login), MODEL_ADMITTED);
	struct reader reader = {.view = login->view};
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, read_maps, &reader), 0);
	for (unsigned i = 0; i < 500; i++) {
		struct model_object *lun = fixture_create(f, tpg, MODEL_LUN, "lun_0", disk);
		unsigned ended = f->ended;

		model_delete(lun, false, fixture_done, f);
		while (f->ended == ended)
			main_queue_wait(f->main, 1000);
		assert_int_equal(f->err, 0);
	}
	atomic_store(&reader.stop, true);
	for (unsigned i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	model_login_free(login);
	fixture_settle(f);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_set_up, fixture_tear_down)
	const struct CMUnitTest tests[] = {
	    TEST(maps_show_what_is_mapped),
	    TEST(protection),
	    TEST(luns_for_acls_only),
	    TEST(another_unit_serves_the_disk),
	    TEST(deletion_waits_for_users),
	    TEST(disabling_ends_sessions),
	    TEST(deleting_a_target_whose_tpg_is_being_disabled),
	    TEST(deleting_an_acl_ends_its_sessions),
	    TEST(loops_read_while_luns_come_and_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
