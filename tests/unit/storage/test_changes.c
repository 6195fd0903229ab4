/* SPDX-License-Identifier: Apache-2.0 */
/* Changes of a storage object that is being served: size, storage, contents, names, flush and health. */
#include "storage_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "kept_log.h"

#define NOT_READY_LOST 0x020403u
#define READ_ERROR     0x031100u

static struct note resize(struct disk *disk, uint64_t size)
{
	struct note note = {.is_done = false};

	storage_resize(disk->storage, size, done_note, &note);
	run_until(note.is_done);
	return note;
}

static struct note replace(struct disk *disk)
{
	struct note note = {.is_done = false};

	storage_replace(disk->storage, &disk->settings, done_note, &note);
	run_until(note.is_done);
	return note;
}

/* When the answer comes, the disk is served, and a restart no longer finds that its contents are lost. */
static void accept_loss(struct disk *disk)
{
	struct note note = {.is_done = false};

	storage_accept_loss(disk->storage, done_note, &note);
	assert_false(note.is_done);
	run_until(note.is_done);
	assert_int_equal(note.err, 0);
	assert_int_equal(storage_status(disk->storage), STORAGE_SERVED);
}

static void test_resize(void **state)
{
	struct stage stage;
	struct disk disk;

	(void)state;
	disk_serve_staged(&disk, &stage);
	unsigned changes = disk.changes;
	assert_int_equal(resize(&disk, 2 * STAGE_SIZE).err, 0);
	assert_true(disk.changes > changes);
	assert_int_equal(view_of(&disk).size, 2 * STAGE_SIZE);
	stage.resize_error = ENOSPC;
	struct note note = resize(&disk, 3 * STAGE_SIZE);
	assert_int_equal(note.err, -ENOSPC);
	assert_names(&note.error, "user_0/a: ");
	assert_int_equal(view_of(&disk).size, 2 * STAGE_SIZE);
	disk_close(&disk, false);
}

static void test_tick_notices_growth_and_health(void **state)
{
	struct stage stage;
	struct disk disk;
	struct storage_health health;

	(void)state;
	disk_serve_staged(&disk, &stage);
	unsigned changes = disk.changes;
	stage.size = 4 * STAGE_SIZE;
	run_until((storage_tick(disk.storage), disk.changes > changes));
	assert_int_equal(view_of(&disk).size, 4 * STAGE_SIZE);
	changes = disk.changes;
	stage.flags = TCMUR_INFO_REPLACED;
	run_until((storage_tick(disk.storage), disk.changes > changes));
	storage_health(disk.storage, &health);
	assert_true(health.is_replaced);
	assert_false(health.is_short);
	assert_string_equal(health.problem,
			    "the path leads to other storage now, but the old storage is still served");
	stage.flags = TCMUR_INFO_SHORT | TCMUR_INFO_REPLACED;
	changes = disk.changes;
	run_until((storage_tick(disk.storage), disk.changes > changes));
	storage_health(disk.storage, &health);
	assert_true(health.is_short && health.is_replaced);
	assert_string_equal(health.problem,
			    "the storage is shorter than the disk; blocks beyond its end cannot be used");
	disk_close(&disk, false);
}

static void test_replace(void **state)
{
	struct stage a, b;
	struct disk disk;

	(void)state;
	stage_init(&a);
	stage_init(&b);
	b.size = 2 * STAGE_SIZE;
	disk_new_staged(&disk, "user_0/a", &a);
	disk.settings.serial = "S-1";
	assert_int_equal(disk_open(&disk, false, NULL), 0);
	struct storage_lu *old = storage_lu_get(storage_served(disk.storage));
	assert_int_equal(run_read(old), 0);
	scsi_lu_set_write_cache(storage_lu_scsi(old), false);
	snprintf(disk.config, sizeof(disk.config), "staged/%p", (void *)&b);
	assert_int_equal(replace(&disk).err, 0);
	assert_ptr_not_equal(storage_served(disk.storage), old);
	assert_int_equal(view_of(&disk).size, 2 * STAGE_SIZE);
	assert_string_equal(view_of(&disk).serial, "S-1");
	/* The mode that initiators have set and the counters are kept. */
	assert_false(view_of(&disk).write_cache);
	assert_int_equal(run_read(old), 0);
	assert_int_equal(run_read(storage_served(disk.storage)), 0);
	assert_int_equal(a.closes, 0);
	storage_lu_put(old);
	run_until(a.closes == 1 && view_of(&disk).reads == 3);
	disk_close(&disk, false);
	assert_int_equal(b.closes, 1);
}

static void test_failed_replace_changes_nothing(void **state)
{
	struct stage a, b;
	struct disk disk;

	(void)state;
	stage_init(&b);
	b.open_error = EIO;
	disk_serve_staged(&disk, &a);
	struct storage_lu *lu = storage_served(disk.storage);
	unsigned changes = disk.changes;
	snprintf(disk.config, sizeof(disk.config), "staged/%p", (void *)&b);
	assert_int_equal(replace(&disk).err, -EIO);
	assert_ptr_equal(storage_served(disk.storage), lu);
	assert_int_equal(storage_status(disk.storage), STORAGE_SERVED);
	assert_int_equal(disk.changes, changes);
	disk_close(&disk, false);
	assert_int_equal(a.closes, 1);
}

/* The object hangs when it opens its old storage again, and the administrator gives it other storage. */
static void test_replace_does_not_wait_for_a_retry(void **state)
{
	struct stage a, b;
	struct disk disk;

	(void)state;
	stage_init(&a);
	stage_init(&b);
	a.open_error = EIO;
	disk_new_staged(&disk, "user_0/a", &a);
	assert_int_equal(disk_open(&disk, true, NULL), -EIO);
	a.hangs_in_open = true;
	a.open_error = 0;
	storage_tick(disk.storage);
	run_until(a.opens == 2);
	snprintf(disk.config, sizeof(disk.config), "staged/%p", (void *)&b);
	assert_int_equal(replace(&disk).err, 0);
	struct storage_lu *lu = storage_served(disk.storage);
	a.hangs_in_open = false;
	run_until(a.closes == 1);
	assert_ptr_equal(storage_served(disk.storage), lu);
	assert_int_equal(storage_status(disk.storage), STORAGE_SERVED);
	disk_close(&disk, false);
}

static void test_flush(void **state)
{
	struct note notes[4] = {{.is_done = false}};
	struct stage stage;
	struct disk disk;

	(void)state;
	stage_init(&stage);
	disk_new_staged(&disk, "user_0/a", &stage);
	storage_flush(disk.storage, done_note, &notes[0]);
	run_until(notes[0].is_done);
	assert_int_equal(notes[0].err, 0);
	assert_int_equal(disk_open(&disk, false, NULL), 0);
	storage_flush(disk.storage, done_note, &notes[1]);
	run_until(notes[1].is_done);
	assert_int_equal(notes[1].err, 0);
	assert_int_equal(stage.flushes, 1);
	stage.status = TCMUR_WRITE_ERROR;
	storage_flush(disk.storage, done_note, &notes[2]);
	run_until(notes[2].is_done);
	assert_int_equal(notes[2].err, -EIO);
	assert_names(&notes[2].error, "user_0/a: ");
	disk_close(&disk, false);
}

static void test_errors_are_counted(void **state)
{
	struct stage stage;
	struct disk disk;
	struct storage_health health;
	time_t before = time(NULL);

	(void)state;
	disk_serve_staged(&disk, &stage);
	storage_health(disk.storage, &health);
	assert_string_equal(health.last_error, "");
	assert_int_equal(health.last_error_time, 0);
	stage.status = TCMUR_READ_ERROR;
	assert_int_equal(run_read(storage_served(disk.storage)), READ_ERROR);
	assert_int_equal(run_read(storage_served(disk.storage)), READ_ERROR);
	storage_health(disk.storage, &health);
	assert_int_equal(health.sense_keys[3], 2);
	assert_int_equal(health.sense_keys[2], 0);
	assert_string_equal(health.last_error, "MEDIUM ERROR (sense key 3h, ASC/ASCQ 11h/00h)");
	assert_true(health.last_error_time >= before);
	assert_true(view_of(&disk).errors >= 2);
	disk_close(&disk, false);
}

static void test_attributes_reach_the_logical_unit(void **state)
{
	struct stage stage;
	struct disk disk;

	(void)state;
	stage_init(&stage);
	disk_new_staged(&disk, "user_0/a", &stage);
	disk.settings.time_limit = 7;
	disk.settings.write_cache = 0;
	disk.settings.read_only = true;
	assert_int_equal(disk_open(&disk, false, NULL), 0);
	struct scsi_lu *lu = storage_lu_scsi(storage_served(disk.storage));
	assert_int_equal(scsi_lu_time_limit_ns(lu), 7000000000ull);
	assert_false(view_of(&disk).write_cache);
	assert_true(view_of(&disk).read_only);
	disk_close(&disk, false);
}

/* --- contents in memory --- */

static void test_lost_contents_are_not_ready_until_they_are_accepted(void **state)
{
	struct disk disk;

	(void)state;
	open_memory(&disk, "S-1");
	assert_int_equal(run_read(storage_served(disk.storage)), 0);
	note_first_write(&disk);
	disk_close(&disk, false);
	fixture_restart();
	open_memory(&disk, "S-1");
	assert_int_equal(storage_status(disk.storage), STORAGE_CONTENTS_LOST);
	assert_false(view_of(&disk).was_created);
	assert_true(is_logged("not ready: its contents were lost"));
	assert_int_equal(run_read(storage_served(disk.storage)), NOT_READY_LOST);
	accept_loss(&disk);
	assert_int_equal(run_read(storage_served(disk.storage)), 0);
	disk_close(&disk, false);
	fixture_restart();
	open_memory(&disk, "S-1");
	assert_int_equal(storage_status(disk.storage), STORAGE_SERVED);
	disk_close(&disk, false);
}

static void test_replace_keeps_contents_in_memory(void **state)
{
	struct stage stage;
	struct disk disk;

	(void)state;
	stage_init(&stage);
	open_memory(&disk, "S-1");
	struct storage_lu *lu = storage_served(disk.storage);
	struct note note = replace(&disk);
	assert_int_equal(note.err, -EINVAL);
	assert_names(&note.error, "user_0/ram is in memory");
	assert_names(&note.error, "delete it and create it again");
	snprintf(disk.config, sizeof(disk.config), "staged/%p", (void *)&stage);
	assert_int_equal(replace(&disk).err, -EINVAL);
	assert_ptr_equal(storage_served(disk.storage), lu);
	assert_int_equal(storage_status(disk.storage), STORAGE_SERVED);
	assert_int_equal(stage.opens, 0);
	disk_close(&disk, false);
}

/* The disk is too large for the memory at first, so nobody knows yet that its contents are lost. */
static void test_replace_of_a_failed_disk_does_not_accept_a_loss(void **state)
{
	struct disk disk;

	(void)state;
	open_memory(&disk, "S-1");
	note_first_write(&disk);
	disk_close(&disk, false);
	fixture_restart();
	disk_new(&disk, "user_0/ram", "alloc/x");
	disk.settings.size = 1ull << 60;
	disk.settings.serial = "S-1";
	assert_int_equal(disk_open(&disk, true, NULL), -ENOMEM);
	assert_int_equal(storage_status(disk.storage), STORAGE_FAILED);
	disk.settings.size = STAGE_SIZE;
	assert_int_equal(replace(&disk).err, 0);
	assert_int_equal(storage_status(disk.storage), STORAGE_CONTENTS_LOST);
	assert_int_equal(run_read(storage_served(disk.storage)), NOT_READY_LOST);
	assert_int_equal(replace(&disk).err, 0);
	assert_int_equal(storage_status(disk.storage), STORAGE_SERVED);
	disk_close(&disk, false);
}

static void test_lost_contents_without_a_fixed_identity_are_another_disk(void **state)
{
	struct disk disk;
	char serial[224];

	(void)state;
	open_memory(&disk, NULL);
	strcpy(serial, view_of(&disk).serial);
	note_first_write(&disk);
	disk_close(&disk, false);
	fixture_restart();
	open_memory(&disk, NULL);
	assert_int_equal(storage_status(disk.storage), STORAGE_SERVED);
	assert_string_not_equal(view_of(&disk).serial, serial);
	disk_close(&disk, false);
}

static void test_removed_disk_has_lost_no_contents(void **state)
{
	struct disk disk;

	(void)state;
	open_memory(&disk, "S-1");
	note_first_write(&disk);
	disk_close(&disk, true);
	fixture_restart();
	open_memory(&disk, "S-1");
	assert_int_equal(storage_status(disk.storage), STORAGE_SERVED);
	disk_close(&disk, false);
}

static int set_serial(struct disk *disk, const char *serial, struct error *error)
{
	struct note note = {.is_done = false};

	storage_set_serial(disk->storage, serial, done_note, &note);
	run_until(note.is_done);
	*error = note.error;
	return note.err;
}

/* A change is visible as soon as it is answered, and a serial number that another disk has is refused. */
static void test_serial(void **state)
{
	struct disk a, b;
	struct error error;

	(void)state;
	disk_new(&a, "user_0/a", "alloc/a");
	disk_new(&b, "user_0/b", "alloc/b");
	a.settings.size = b.settings.size = STAGE_SIZE;
	assert_int_equal(disk_open(&a, false, NULL), 0);
	assert_int_equal(disk_open(&b, false, NULL), 0);
	assert_int_equal(set_serial(&a, "one", &error), 0);
	assert_string_equal(view_of(&a).serial, "one");
	assert_int_equal(set_serial(&b, "one", &error), -EEXIST);
	assert_names(&error, "user_0/a");
	assert_names(&error, "user_0/b");
	assert_string_not_equal(view_of(&b).serial, "one");
	assert_int_equal(set_serial(&a, "two", &error), 0);
	assert_int_equal(set_serial(&b, "one", &error), 0);
	assert_string_equal(view_of(&b).serial, "one");
	assert_int_equal(set_serial(&b, "", &error), 0);
	assert_string_equal(view_of(&b).serial, "one"); /* the serial number that initiators know */
	disk_close(&a, false);
	disk_close(&b, false);
}

/* Another disk had the serial number, and initiators have not been told that its contents are gone. */
static void test_serial_of_lost_contents(void **state)
{
	struct disk disk;
	struct error error;

	(void)state;
	open_memory(&disk, "S-1");
	note_first_write(&disk);
	disk_close(&disk, false);
	fixture_restart();
	disk_new(&disk, "user_0/other", "alloc/other");
	disk.settings.size = STAGE_SIZE;
	assert_int_equal(disk_open(&disk, false, NULL), 0);
	assert_int_equal(storage_status(disk.storage), STORAGE_SERVED);
	assert_int_equal(set_serial(&disk, "S-1", &error), 0);
	assert_int_equal(storage_status(disk.storage), STORAGE_CONTENTS_LOST);
	assert_int_equal(run_read(storage_served(disk.storage)), NOT_READY_LOST);
	accept_loss(&disk);
	assert_int_equal(run_read(storage_served(disk.storage)), 0);
	disk_close(&disk, false);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_set_up, fixture_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_resize),
	    TEST(test_tick_notices_growth_and_health),
	    TEST(test_replace),
	    TEST(test_failed_replace_changes_nothing),
	    TEST(test_replace_does_not_wait_for_a_retry),
	    TEST(test_flush),
	    TEST(test_serial),
	    TEST(test_serial_of_lost_contents),
	    TEST(test_errors_are_counted),
	    TEST(test_attributes_reach_the_logical_unit),
	    TEST(test_lost_contents_are_not_ready_until_they_are_accepted),
	    TEST(test_replace_keeps_contents_in_memory),
	    TEST(test_replace_of_a_failed_disk_does_not_accept_a_loss),
	    TEST(test_lost_contents_without_a_fixed_identity_are_another_disk),
	    TEST(test_removed_disk_has_lost_no_contents),
	};

	return cmocka_run_group_tests_name("storage_changes", tests, fixture_up, fixture_down);
}
