/* SPDX-License-Identifier: Apache-2.0 */
/* Objects and operations: what can be created, enabled and deleted, and what is refused. */
#include "model_fixture.h"

#include "growth.h"

static void names(void **state)
{
	struct fixture *f = *state;
	struct model_object *target =
	    fixture_create(f, f->root, MODEL_TARGET, "IQN.2026-11.com.Example:Disks", NULL);
	struct model_object *tpg = fixture_create(f, target, MODEL_TPG, "1", NULL);
	char path[MODEL_PATH_SIZE];

	assert_string_equal(model_name(target), IQN);
	assert_ptr_equal(model_find(f->root, MODEL_TARGET, "iqn.2026-11.COM.example:disks"), target);
	assert_string_equal(model_path(tpg, path), IQN "/tpgt_1");
	assert_int_equal(model_number(tpg), 1);
	fixture_refuse(f, f->root, MODEL_TARGET, IQN, NULL, EEXIST);
	fixture_refuse(f, f->root, MODEL_TARGET, "iqn.2026-13.com.example:disks", NULL, EINVAL);
	fixture_refuse(f, target, MODEL_TPG, "tpgt_65536", NULL, EINVAL);
	fixture_refuse(f, target, MODEL_TPG, "tpgt_01", NULL, EINVAL);
	fixture_refuse(f, target, MODEL_TPG, "tpgt_1", NULL, EEXIST);
	fixture_refuse(f, f->root, MODEL_TPG, "tpgt_2", NULL, EINVAL);
	fixture_refuse(f, tpg, MODEL_PORTAL, "localhost:3260", NULL, EINVAL);
	fixture_refuse(f, tpg, MODEL_ACL, "not a name", NULL, EINVAL);
	fixture_refuse(f, f->root, MODEL_STORAGE, "", NULL, EINVAL);
}

static void luns_need_an_enabled_disk(void **state)
{
	struct fixture *f = *state;
	struct model_object *tpg = fixture_tpg(f, IQN), *other = fixture_tpg(f, IQN "2");
	struct model_object *disk = fixture_create(f, f->root, MODEL_STORAGE, "user_0/disk", NULL);

	fixture_refuse(f, tpg, MODEL_LUN, "lun_0", NULL, EINVAL);
	fixture_refuse(f, tpg, MODEL_LUN, "lun_0", disk, ENODEV);
	assert_int_equal(fixture_enable(f, disk, true), -EINVAL); /* the object has no configuration */
	assert_int_equal(fixture_set(f, disk, "control", "config", "alloc/x"), 0);
	assert_int_equal(fixture_enable(f, disk, true), 0);
	assert_int_equal(fixture_set(f, disk, "control", "config", "alloc/y"), -EBUSY);
	fixture_refuse(f, tpg, MODEL_LUN, "lun_16384", disk, EINVAL);
	struct model_object *lun = fixture_create(f, tpg, MODEL_LUN, "lun_16383", disk);
	struct model_object *acl = fixture_create(f, tpg, MODEL_ACL, INITIATOR, NULL);
	struct model_object *foreign = fixture_create(f, other, MODEL_ACL, INITIATOR, NULL);
	fixture_refuse(f, foreign, MODEL_MAPPED_LUN, "lun_0", lun, EINVAL);
	fixture_create(f, acl, MODEL_MAPPED_LUN, "lun_3", lun);
	assert_int_equal(model_users(disk), 1);
	assert_int_equal(model_users(lun), 1);
}

static void objects_in_use_are_not_deleted(void **state)
{
	struct fixture *f = *state;
	struct model_object *tpg = fixture_tpg(f, IQN), *disk = fixture_disk(f, "user_0/disk");
	struct model_object *lun = fixture_create(f, tpg, MODEL_LUN, "lun_0", disk);
	struct model_object *acl = fixture_create(f, tpg, MODEL_ACL, INITIATOR, NULL);
	struct model_object *mapped = fixture_create(f, acl, MODEL_MAPPED_LUN, "lun_0", lun);

	assert_int_equal(fixture_delete(f, disk, false), -EBUSY);
	assert_int_equal(fixture_delete(f, lun, false), -EBUSY);
	assert_int_equal(fixture_delete(f, acl, false), -ENOTEMPTY);
	assert_int_equal(fixture_delete(f, model_parent(tpg), false), -ENOTEMPTY);
	assert_int_equal(fixture_delete(f, f->root, true), -EPERM);
	assert_int_equal(fixture_delete(f, mapped, false), 0);
	assert_int_equal(fixture_delete(f, acl, false), 0);
	assert_int_equal(fixture_delete(f, lun, false), 0);
	assert_int_equal(fixture_delete(f, disk, false), 0);
	assert_null(model_find(f->root, MODEL_STORAGE, "user_0/disk"));
	assert_int_equal(fixture_delete(f, model_parent(tpg), true), 0);
	assert_null(model_find(f->root, MODEL_TARGET, IQN));
}

/* A deletion that waits for a session has closed the portal already. */
static void a_portal_has_a_state(void **state)
{
	struct fixture *f = *state;
	struct model_object *tpg = fixture_tpg(f, IQN), *portal = model_first(tpg, MODEL_PORTAL);
	struct model_login *login;

	assert_string_equal(model_portal_state(portal), "listening");
	assert_int_equal(fixture_set(f, tpg, "attrib", "generate_node_acls", "1"), 0);
	assert_int_equal(fixture_login(f, tpg, INITIATOR, &login), MODEL_ADMITTED);
	model_delete(model_parent(tpg), true, fixture_done, f);
	fixture_settle(f);
	assert_string_equal(model_portal_state(portal), "closing");
	model_login_free(login);
	fixture_settle(f);
	assert_null(model_find(f->root, MODEL_TARGET, IQN));
}

static void failed_storage_is_kept_if_patient(void **state)
{
	struct fixture *f = *state;
	struct model_object *disk = fixture_create(f, f->root, MODEL_STORAGE, "user_0/disk", NULL);

	assert_int_equal(fixture_set(f, disk, "control", "config", "file//missing"), 0);
	fake_open_error = ENOENT;
	assert_int_equal(fixture_enable(f, disk, true), -ENOENT);
	assert_false(model_is_enabled(disk));
	fake_open_error = ENOENT;
	model_enable_patiently(disk, fixture_done, f);
	assert_int_equal(f->err, -ENOENT);
	assert_true(model_is_enabled(disk));
}

static void relative_ports_are_unique(void **state)
{
	struct fixture *f = *state;
	struct model_object *target = fixture_create(f, f->root, MODEL_TARGET, IQN, NULL);
	struct model_object *first = fixture_create(f, target, MODEL_TPG, "tpgt_1", NULL);
	struct model_object *second = fixture_create(f, target, MODEL_TPG, "tpgt_2", NULL);
	const struct model_attribute *rtpi = model_attribute(MODEL_TPG, "", "rtpi");

	assert_int_equal(model_get_number(first, rtpi), 1);
	assert_int_equal(model_get_number(second, rtpi), 2);
	assert_int_equal(fixture_set(f, second, "", "rtpi", "1"), -EEXIST);
	assert_int_equal(model_get_number(second, rtpi), 2);
	assert_int_equal(fixture_set(f, second, "", "rtpi", "700"), 0);
	assert_int_equal(fixture_delete(f, first, false), 0);
	first = fixture_create(f, target, MODEL_TPG, "tpgt_3", NULL);
	assert_int_equal(model_get_number(first, rtpi), 1);
}

struct events {
	struct model_watch watch;
	unsigned count[3];
};

static void count_event(struct model_watch *watch, enum model_event event, struct model_object *object)
{
	(void)object;
	container_of(watch, struct events, watch)->count[event]++;
}

static void watchers_see_changes(void **state)
{
	struct fixture *f = *state;
	struct events events = {.watch.fn = count_event};
	uint64_t generation = model_generation(f->model);

	model_watch(f->model, &events.watch);
	struct model_object *tpg = fixture_tpg(f, IQN); /* a target, a TPG and a portal; the TPG is enabled */
	assert_int_equal(events.count[MODEL_CREATED], 3);
	assert_int_equal(events.count[MODEL_CHANGED], 1);
	fixture_delete(f, model_parent(tpg), true);
	assert_int_equal(events.count[MODEL_DELETED], 3);
	model_unwatch(&events.watch);
	assert_true(model_generation(f->model) > generation);
}

/* The time to create many objects must not grow with the square of their number. */
static void many_objects(void **state)
{
	struct fixture *f = *state;
	struct model_object *tpg = fixture_tpg(f, IQN), *disk = fixture_disk(f, "user_0/disk");
	char name[64];

	for (unsigned i = 0; i < 1000; i++) {
		snprintf(name, sizeof(name), "lun_%u", i);
		fixture_create(f, tpg, MODEL_LUN, name, disk);
	}
	for (unsigned i = 0; i < 20000; i++) {
		snprintf(name, sizeof(name), "%s%u", IQN, i);
		fixture_create(f, f->root, MODEL_TARGET, name, NULL);
	}
	assert_non_null(model_find(f->root, MODEL_TARGET, IQN "19999"));
}

static void create_and_clear(unsigned n)
{
	void *state;
	char name[64];

	fixture_set_up(&state);
	for (unsigned i = 0; i < n; i++) {
		snprintf(name, sizeof(name), "%s%u", IQN, i);
		fixture_tpg(state, name);
	}
	fixture_tear_down(&state);
}

/* No step of the start or of the stop looks at all targets for each target. */
static void work_is_linear(void **state)
{
	(void)state;
	assert_true(growth(create_and_clear, 1000) < GROWTH_LINEAR);
}

/*
 * If the size was set, it changes with a resize, so that it is the same after a restart. Otherwise it follows
 * the storage.
 */
static void a_new_size_is_kept(void **state)
{
	struct fixture *f = *state;
	struct model_object *disk = fixture_disk(f, "user_0/disk"),
			    *set = fixture_create(f, f->root, MODEL_STORAGE, "user_1/set", NULL);
	const struct model_attribute *size = model_attribute(MODEL_STORAGE, "control", "size");

	assert_int_equal(fixture_set(f, set, "control", "config", "alloc/x"), 0);
	assert_int_equal(fixture_set(f, set, "control", "size", "1048576"), 0);
	assert_int_equal(fixture_enable(f, set, true), 0);
	uint64_t generation = model_generation(f->model);
	model_resize(set, 2097152, fixture_done, f);
	assert_int_equal(f->err, 0);
	assert_int_equal(model_get_number(set, size), 2097152);
	assert_true(model_generation(f->model) > generation);
	model_resize(disk, 2097152, fixture_done, f);
	assert_int_equal(f->err, 0);
	assert_int_equal(model_get_number(disk, size), 0);
}

static void a_lun_has_its_protection_from_the_beginning(void **state)
{
	struct fixture *f = *state;
	struct model_object *tpg = fixture_tpg(f, IQN), *disk = fixture_disk(f, "user_0/disk");
	struct model_object *acl = fixture_create(f, tpg, MODEL_ACL, "iqn.2026-11.com.example:host", NULL);
	const struct model_attribute *lun_protect = model_attribute(MODEL_LUN, "", "write_protect");
	const struct model_attribute *protect = model_attribute(MODEL_MAPPED_LUN, "", "write_protect");
	struct model_setting settings[] = {{model_attribute(MODEL_LUN, "", "acl_only"), "1"},
					   {lun_protect, "1"}};
	struct error error;

	struct model_object *lun = model_create_lun(tpg, MODEL_LUN, "lun_0", disk, settings, 2, &error);
	assert_non_null(lun);
	assert_int_equal(model_get_number(lun, settings[0].attribute), 1);
	assert_int_equal(model_get_number(lun, lun_protect), 1);
	settings[0] = (struct model_setting){protect, "1"};
	struct model_object *mapped =
	    model_create_lun(acl, MODEL_MAPPED_LUN, "lun_4", lun, settings, 1, &error);
	assert_non_null(mapped);
	assert_int_equal(model_get_number(mapped, protect), 1);
	/* A value that is refused leaves nothing behind. */
	settings[0].text = "maybe";
	assert_null(model_create_lun(acl, MODEL_MAPPED_LUN, "lun_5", lun, settings, 1, &error));
	assert_int_equal(errno, EINVAL);
	assert_non_null(strstr(error.text, "lun_5: write_protect must be 0 or 1, and not 'maybe'"));
	assert_null(model_find(acl, MODEL_MAPPED_LUN, "lun_5"));
}

/* The daemon stops while an administrator deletes a disk. The end waits for this. */
static void end_during_a_deletion(void **state)
{
	struct fixture *f = *state;
	struct model_object *disk = fixture_disk(f, "user_0/a");
	unsigned before;

	fixture_disk(f, "user_0/b");
	before = f->ended;
	model_delete(disk, false, fixture_done, f);
	assert_int_equal(f->ended, before);
	model_delete(disk, false, fixture_done, f);
	assert_int_equal(f->ended, before + 1);
	assert_int_equal(f->err, -EBUSY);
	model_clear(f->model, fixture_done, f);
	assert_int_equal(f->ended, before + 1);
	fixture_settle(f);
	assert_int_equal(f->ended, before + 3);
	assert_int_equal(f->err, 0);
	assert_null(model_first(f->root, MODEL_STORAGE));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_set_up, fixture_tear_down)
	const struct CMUnitTest tests[] = {
	    TEST(names),
	    TEST(luns_need_an_enabled_disk),
	    TEST(objects_in_use_are_not_deleted),
	    TEST(a_portal_has_a_state),
	    TEST(failed_storage_is_kept_if_patient),
	    TEST(relative_ports_are_unique),
	    TEST(watchers_see_changes),
	    TEST(a_lun_has_its_protection_from_the_beginning),
	    TEST(many_objects),
	    TEST(end_during_a_deletion),
	    cmocka_unit_test(work_is_linear),
	    TEST(a_new_size_is_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
