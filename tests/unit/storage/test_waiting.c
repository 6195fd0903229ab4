/* SPDX-License-Identifier: Apache-2.0 */
/* Storage that takes long to open, and a storage object whose storage is replaced by the same storage. */
#include "storage_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kept_log.h"

#define BECOMING_READY 0x020401u
#define NOT_READY      0x020400u

/* --- open() that hangs --- */

static void test_stand_in_while_opening_hangs(void **state)
{
	struct stage stage;
	struct disk disk;
	struct error error;

	(void)state;
	stage_init(&stage);
	stage.hangs_in_open = true;
	disk_new_staged(&disk, "user_0/a", &stage);
	disk.settings.serial = "S-1";
	assert_int_equal(disk_open(&disk, true, &error), -EINPROGRESS);
	assert_names(&error, "user_0/a has not opened after 5 seconds");
	assert_int_equal(storage_status(disk.storage), STORAGE_OPENING);
	assert_int_equal(run_read(storage_served(disk.storage)), BECOMING_READY);
	struct storage_view view;
	storage_view(disk.storage, &view);
	assert_string_equal(view.serial, "S-1");
	storage_tick(disk.storage);
	stage.hangs_in_open = false;
	run_until(storage_status(disk.storage) == STORAGE_SERVED);
	assert_int_equal(run_read(storage_served(disk.storage)), 0);
	assert_true(is_logged("opened; it is served now"));
	assert_int_equal(stage.opens, 1);
	disk_close(&disk, false);
}

static void test_open_fails_after_it_has_hung(void **state)
{
	struct stage stage;
	struct disk disk;

	(void)state;
	stage_init(&stage);
	stage.hangs_in_open = true;
	stage.open_error = EIO;
	disk_new_staged(&disk, "user_0/a", &stage);
	assert_int_equal(disk_open(&disk, true, NULL), -EINPROGRESS);
	stage.hangs_in_open = false;
	run_until(storage_status(disk.storage) == STORAGE_FAILED);
	assert_int_equal(run_read(storage_served(disk.storage)), NOT_READY);
	stage.open_error = 0;
	run_until((storage_tick(disk.storage), storage_status(disk.storage) == STORAGE_SERVED));
	disk_close(&disk, false);
}

static void test_close_with_a_stand_in_while_opening_hangs(void **state)
{
	struct note closed = {.is_done = false};
	struct stage stage;
	struct disk disk;

	(void)state;
	stage_init(&stage);
	stage.hangs_in_open = true;
	disk_new_staged(&disk, "user_0/a", &stage);
	assert_int_equal(disk_open(&disk, true, NULL), -EINPROGRESS);
	storage_close(disk.storage, false, 1, done_note, &closed);
	run_until(closed.is_done);
	assert_int_equal(closed.err, -EBUSY);
	assert_int_equal(storage_status(disk.storage), STORAGE_REMOVING);
	stage.hangs_in_open = false;
	disk_close(&disk, false);
	assert_int_equal(stage.closes, 1);
}

/* --- the same storage again --- */

static void new_file(struct disk *disk)
{
	char config[128];

	snprintf(config, sizeof(config), "file/%s", folder_path("disk.img"));
	disk_new(disk, "user_0/file", config);
	disk->settings.size = STAGE_SIZE;
	disk->settings.create = true;
	assert_int_equal(disk_open(disk, false, NULL), 0);
}

/* Returns whether another process would fail to lock the file now. */
static bool is_locked(void)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	int fd = open(folder_path("disk.img"), O_RDWR);

	assert_true(fd >= 0);
	assert_int_equal(fcntl(fd, F_OFD_GETLK, &lock), 0);
	close(fd);
	return lock.l_type != F_UNLCK;
}

static void test_same_file_keeps_its_lock(void **state)
{
	struct note note = {.is_done = false};
	struct disk disk;

	(void)state;
	new_file(&disk);
	struct storage_lu *old = storage_lu_get(storage_served(disk.storage));
	storage_replace(disk.storage, &disk.settings, done_note, &note);
	run_until(storage_status(disk.storage) == STORAGE_OPENING);
	/* Earlier commands are still in flight, so new ones wait. */
	assert_int_equal(run_read(old), 0);
	assert_int_equal(run_read(storage_served(disk.storage)), BECOMING_READY);
	assert_false(note.is_done);
	assert_true(is_locked());
	storage_lu_put(old);
	run_until(note.is_done);
	assert_int_equal(note.err, 0);
	assert_int_equal(storage_status(disk.storage), STORAGE_SERVED);
	assert_int_equal(run_read(storage_served(disk.storage)), 0);
	assert_true(is_locked());
	disk_close(&disk, false);
	assert_false(is_locked());
}

/* A descriptor of another kind has a lock of its own, so the old descriptor must be closed first. */
static void test_same_file_opened_in_another_way(void **state)
{
	struct note note = {.is_done = false};
	struct disk disk;
	struct storage_view view;

	(void)state;
	new_file(&disk);
	disk.settings.read_only = true;
	struct storage_lu *old = storage_lu_get(storage_served(disk.storage));
	storage_replace(disk.storage, &disk.settings, done_note, &note);
	run_until(storage_status(disk.storage) == STORAGE_OPENING);
	assert_int_equal(run_read(storage_served(disk.storage)), BECOMING_READY);
	storage_lu_put(old);
	run_until(note.is_done);
	assert_int_equal(note.err, 0);
	assert_int_equal(storage_status(disk.storage), STORAGE_SERVED);
	storage_view(disk.storage, &view);
	assert_true(view.read_only);
	disk_close(&disk, false);
}

/* The file was repaired: another file has its name. */
static void test_another_file_of_the_same_name(void **state)
{
	struct note note = {.is_done = false};
	struct disk disk;

	(void)state;
	new_file(&disk);
	assert_int_equal(unlink(folder_path("disk.img")), 0);
	int fd = open(folder_path("disk.img"), O_CREAT | O_WRONLY, 0600);
	assert_int_equal(ftruncate(fd, STAGE_SIZE), 0);
	close(fd);
	storage_replace(disk.storage, &disk.settings, done_note, &note);
	run_until(note.is_done);
	assert_int_equal(note.err, 0);
	assert_true(is_locked());
	disk_close(&disk, false);
}

static void test_same_storage_that_does_not_open_again(void **state)
{
	struct note note = {.is_done = false};
	struct stage stage;
	struct disk disk;

	(void)state;
	disk_serve_staged(&disk, &stage);
	stage.open_error = EBUSY;
	storage_replace(disk.storage, &disk.settings, done_note, &note);
	run_until(note.is_done);
	assert_int_equal(note.err, -EBUSY);
	assert_int_equal(storage_status(disk.storage), STORAGE_FAILED);
	assert_int_equal(stage.closes, 1);
	assert_int_equal(run_read(storage_served(disk.storage)), NOT_READY);
	stage.open_error = 0;
	run_until((storage_tick(disk.storage), storage_status(disk.storage) == STORAGE_SERVED));
	disk_close(&disk, false);
}

/* The new storage is in use by another process, so it is refused, and the old storage stays in use. */
static void test_other_storage_that_is_in_use(void **state)
{
	struct note note = {.is_done = false};
	struct stage a, b;
	struct disk disk;

	(void)state;
	stage_init(&b);
	b.open_error = EBUSY;
	disk_serve_staged(&disk, &a);
	snprintf(disk.config, sizeof(disk.config), "staged/%p", (void *)&b);
	storage_replace(disk.storage, &disk.settings, done_note, &note);
	run_until(note.is_done);
	assert_int_equal(note.err, -EBUSY);
	assert_int_equal(storage_status(disk.storage), STORAGE_SERVED);
	assert_int_equal(run_read(storage_served(disk.storage)), 0);
	assert_int_equal(a.closes, 0);
	disk_close(&disk, false);
}

static void test_close_while_the_old_one_is_used(void **state)
{
	struct note note = {.is_done = false}, closed = {.is_done = false}, other = {.is_done = false};
	struct disk disk;

	(void)state;
	new_file(&disk);
	struct storage_lu *old = storage_lu_get(storage_served(disk.storage));
	storage_replace(disk.storage, &disk.settings, done_note, &note);
	run_until(storage_status(disk.storage) == STORAGE_OPENING);
	storage_replace(disk.storage, &disk.settings, done_note, &other);
	assert_int_equal(other.err, -EBUSY);
	storage_close(disk.storage, false, 120, done_note, &closed);
	assert_int_equal(note.err, -ECANCELED);
	storage_lu_put(old);
	run_until(closed.is_done);
	assert_int_equal(closed.err, 0);
	assert_false(is_locked());
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_set_up, fixture_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_stand_in_while_opening_hangs),
	    TEST(test_open_fails_after_it_has_hung),
	    TEST(test_close_with_a_stand_in_while_opening_hangs),
	    TEST(test_same_file_keeps_its_lock),
	    TEST(test_same_file_opened_in_another_way),
	    TEST(test_another_file_of_the_same_name),
	    TEST(test_same_storage_that_does_not_open_again),
	    TEST(test_other_storage_that_is_in_use),
	    TEST(test_close_while_the_old_one_is_used),
	};

	return cmocka_run_group_tests_name("waiting", tests, fixture_up, fixture_down);
}
