/* SPDX-License-Identifier: Apache-2.0 */
/* A storage object from its creation to its end: opening, retries, removal, and storage that hangs. */
#include "storage_fixture.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "kept_log.h"

#define NOT_READY    0x020400u
#define MEDIUM_ERROR 0x031100u

static void test_open_and_close(void **state)
{
	struct stage stage;
	struct disk disk;
	struct storage_view view;

	(void)state;
	stage_init(&stage);
	disk_new_staged(&disk, "user_0/a", &stage);
	assert_null(storage_served(disk.storage));
	assert_int_equal(disk_open(&disk, false, NULL), 0);
	assert_int_equal(storage_status(disk.storage), STORAGE_SERVED);
	assert_string_equal(storage_status_name(STORAGE_CONTENTS_LOST), "contents lost");
	assert_int_equal(run_read(storage_served(disk.storage)), 0);
	storage_view(disk.storage, &view);
	assert_int_equal(view.size, STAGE_SIZE);
	assert_int_equal(view.block_size, 512);
	assert_int_equal(view.reads, 1);
	assert_int_equal(strlen(view.serial), 36);
	assert_true(view.write_cache);
	assert_true(disk.changes >= 2); /* opening, and served */
	disk_close(&disk, false);
	assert_int_equal(stage.opens, 1);
	assert_int_equal(stage.closes, 1);
}

static void test_failed_open_leaves_it_configured(void **state)
{
	struct stage stage;
	struct disk disk;
	struct error error;

	(void)state;
	stage_init(&stage);
	stage.open_error = EIO;
	disk_new_staged(&disk, "user_0/a", &stage);
	assert_int_equal(disk_open(&disk, false, &error), -EIO);
	assert_names(&error, "user_0/a: staged: ");
	assert_int_equal(storage_status(disk.storage), STORAGE_CONFIGURED);
	assert_null(storage_served(disk.storage));
	disk.settings.origin = "--export staged/a";
	assert_int_equal(disk_open(&disk, false, &error), -EIO);
	assert_names(&error, "--export staged/a: staged: ");
	stage.open_error = 0;
	assert_int_equal(disk_open(&disk, false, NULL), 0);
	disk_close(&disk, false);
}

/* A second try would not help. */
static void test_wrong_settings_are_refused_by_a_patient_object_too(void **state)
{
	static const char *const configs[] = {"nothing", "unknown/disk", "staged/1;colour=red", "staged/1;;"};
	struct disk disk;
	struct error error;

	(void)state;
	for (unsigned i = 0; i < sizeof(configs) / sizeof(configs[0]); i++) {
		disk_new(&disk, "user_0/a", configs[i]);
		assert_int_equal(disk_open(&disk, true, &error), -EINVAL);
		assert_names(&error, "user_0/a: ");
		assert_int_equal(storage_status(disk.storage), STORAGE_CONFIGURED);
		disk_close(&disk, false);
	}
}

static void test_requests_in_the_wrong_state_are_refused(void **state)
{
	struct note note = {.is_done = false};
	struct stage stage;
	struct disk disk;
	struct error error;

	(void)state;
	stage_init(&stage);
	disk_new_staged(&disk, "user_0/a", &stage);
	storage_resize(disk.storage, 2 * STAGE_SIZE, done_note, &note);
	assert_int_equal(note.err, -EINVAL);
	assert_names(&note.error, "user_0/a cannot be resized in the state \"configured\"");
	note.is_done = false;
	storage_accept_loss(disk.storage, done_note, &note);
	assert_int_equal(note.err, -EINVAL);
	assert_int_equal(disk_open(&disk, false, NULL), 0);
	assert_int_equal(disk_open(&disk, false, &error), -EINVAL);
	assert_names(&error, "\"served\"");
	disk_close(&disk, false);
}

static void test_patient_object_serves_a_stand_in_until_it_opens(void **state)
{
	struct stage stage;
	struct disk disk;
	struct error error;
	struct storage_health health;

	(void)state;
	stage_init(&stage);
	stage.open_error = ENXIO;
	disk_new_staged(&disk, "user_0/a", &stage);
	assert_int_equal(disk_open(&disk, true, &error), -ENXIO);
	assert_int_equal(storage_status(disk.storage), STORAGE_FAILED);
	struct storage_lu *stand_in = storage_lu_get(storage_served(disk.storage));
	assert_int_equal(run_read(stand_in), NOT_READY);
	storage_health(disk.storage, &health);
	assert_non_null(strstr(health.last_error, "staged: "));
	assert_true(health.last_error_time > 0);
	assert_int_equal(health.sense_keys[2], 1);

	stage.open_error = EIO;
	run_until(
	    (storage_tick(disk.storage), is_logged("not served: user_0/a: staged: Input/output error")));
	stage.open_error = 0;
	unsigned changes = disk.changes;
	run_until((storage_tick(disk.storage), storage_status(disk.storage) == STORAGE_SERVED));
	assert_true(disk.changes > changes);
	assert_ptr_not_equal(storage_served(disk.storage), stand_in);
	/* This session has not noticed the change yet. */
	assert_int_equal(run_read(stand_in), NOT_READY);
	storage_lu_put(stand_in);
	assert_int_equal(run_read(storage_served(disk.storage)), 0);
	disk_close(&disk, false);
	assert_int_equal(stage.closes, 1);
}

static void test_close_waits_for_references(void **state)
{
	struct note first = {.is_done = false}, second = {.is_done = false};
	struct stage stage;
	struct disk disk;

	(void)state;
	disk_serve_staged(&disk, &stage);
	struct storage_lu *lu = storage_lu_get(storage_served(disk.storage));
	storage_close(disk.storage, false, 1, done_note, &first);
	assert_int_equal(storage_status(disk.storage), STORAGE_REMOVING);
	assert_null(storage_served(disk.storage));
	storage_close(disk.storage, false, 1, done_note, &second);
	assert_int_equal(second.err, -EBUSY);
	run_until(first.is_done);
	assert_int_equal(first.err, -EBUSY);
	assert_names(&first.error, "user_0/a is not closed after 1 seconds");
	assert_int_equal(storage_status(disk.storage), STORAGE_REMOVING);
	assert_int_equal(stage.closes, 0);
	storage_lu_put(lu);
	disk_close(&disk, false);
	assert_int_equal(stage.closes, 1);
}

/* The reference is released while the object waits for it, and in another case before that. */
static void test_close_ends_with_the_last_reference(void **state)
{
	struct note note = {.is_done = false};
	struct stage stage;
	struct disk disk;

	(void)state;
	disk_serve_staged(&disk, &stage);
	struct storage_lu *lu = storage_lu_get(storage_served(disk.storage));
	storage_close(disk.storage, false, 120, done_note, &note);
	assert_false(main_queue_wait(context.main, 50));
	storage_lu_put(lu);
	run_until(note.is_done);
	assert_int_equal(note.err, 0);
	assert_int_equal(stage.closes, 1);
}

static void test_close_while_opening_hangs(void **state)
{
	struct note opened = {.is_done = false}, closed = {.is_done = false};
	struct stage stage;
	struct disk disk;

	(void)state;
	stage_init(&stage);
	stage.hangs_in_open = true;
	disk_new_staged(&disk, "user_0/a", &stage);
	storage_open(disk.storage, &disk.settings, true, done_note, &opened);
	assert_int_equal(storage_status(disk.storage), STORAGE_OPENING);
	run_until(stage.opens == 1);
	storage_close(disk.storage, false, 1, done_note, &closed);
	run_until(closed.is_done);
	assert_int_equal(closed.err, -EBUSY);
	assert_names(&closed.error, "does not answer");
	assert_false(opened.is_done);
	stage.hangs_in_open = false;
	run_until(opened.is_done);
	assert_int_equal(opened.err, -ECANCELED);
	disk_close(&disk, false);
	assert_int_equal(stage.closes, 1);
}

static void test_close_while_closing_hangs(void **state)
{
	struct note note = {.is_done = false};
	struct stage stage;
	struct disk disk;

	(void)state;
	stage_init(&stage);
	stage.hangs_in_close = true;
	disk_new_staged(&disk, "user_0/a", &stage);
	assert_int_equal(disk_open(&disk, false, NULL), 0);
	storage_close(disk.storage, false, 1, done_note, &note);
	run_until(note.is_done);
	assert_int_equal(note.err, -EBUSY);
	stage.hangs_in_close = false;
	disk_close(&disk, false);
}

static void test_same_identity_is_refused(void **state)
{
	struct stage stages[2];
	struct disk a, b;
	struct error error;

	(void)state;
	stage_init(&stages[0]);
	stage_init(&stages[1]);
	disk_new_staged(&a, "user_0/a", &stages[0]);
	disk_new_staged(&b, "user_0/b", &stages[1]);
	a.settings.serial = b.settings.serial = "S-1";
	assert_int_equal(disk_open(&a, false, NULL), 0);
	assert_int_equal(disk_open(&b, false, &error), -EEXIST);
	assert_names(&error, "user_0/b and user_0/a have the same serial number");
	assert_int_equal(stages[1].closes, 1);
	/* The stand-in of a patient object must not have the identity of the other disk. */
	assert_int_equal(disk_open(&b, true, &error), -EEXIST);
	struct storage_view view;
	storage_view(b.storage, &view);
	assert_string_not_equal(view.serial, "S-1");
	disk_close(&a, false);
	run_until((storage_tick(b.storage), storage_status(b.storage) == STORAGE_SERVED));
	storage_view(b.storage, &view);
	assert_string_equal(view.serial, "S-1");
	disk_close(&b, false);
}

#define MANY 300

/* One of the disks hangs, which does not delay the others. */
static void test_many_are_opened_at_once(void **state)
{
	static struct stage stages[MANY], hanging;
	static struct disk disks[MANY];
	static struct note notes[MANY];
	struct note late = {.is_done = false};
	struct disk slow;
	char name[32];

	(void)state;
	memset(notes, 0, sizeof(notes));
	stage_init(&hanging);
	hanging.hangs_in_open = true;
	disk_new_staged(&slow, "user_0/slow", &hanging);
	storage_open(slow.storage, &slow.settings, false, done_note, &late);
	for (unsigned i = 0; i < MANY; i++) {
		snprintf(name, sizeof(name), "user_0/%u", i);
		stage_init(&stages[i]);
		disk_new_staged(&disks[i], name, &stages[i]);
		storage_open(disks[i].storage, &disks[i].settings, false, done_note, &notes[i]);
	}
	for (unsigned i = 0; i < MANY; i++) {
		run_until(notes[i].is_done);
		assert_int_equal(notes[i].err, 0);
		notes[i].is_done = false;
	}
	assert_false(late.is_done);
	for (unsigned i = 0; i < MANY; i++)
		storage_close(disks[i].storage, false, 120, done_note, &notes[i]);
	for (unsigned i = 0; i < MANY; i++) {
		run_until(notes[i].is_done);
		assert_int_equal(notes[i].err, 0);
	}
	hanging.hangs_in_open = false;
	run_until(late.is_done);
	assert_int_equal(late.err, 0);
	disk_close(&slow, false);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_set_up, fixture_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_open_and_close),
	    TEST(test_failed_open_leaves_it_configured),
	    TEST(test_wrong_settings_are_refused_by_a_patient_object_too),
	    TEST(test_requests_in_the_wrong_state_are_refused),
	    TEST(test_patient_object_serves_a_stand_in_until_it_opens),
	    TEST(test_close_waits_for_references),
	    TEST(test_close_ends_with_the_last_reference),
	    TEST(test_close_while_opening_hangs),
	    TEST(test_close_while_closing_hangs),
	    TEST(test_same_identity_is_refused),
	    TEST(test_many_are_opened_at_once),
	};

	return cmocka_run_group_tests_name("storage", tests, fixture_up, fixture_down);
}
