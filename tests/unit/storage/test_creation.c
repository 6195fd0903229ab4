/* SPDX-License-Identifier: Apache-2.0 */
/* The creation of storage, and its removal when a later step of the same start fails. */
#include "storage_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "kept_log.h"

static void new_file(struct disk *disk, const char *name)
{
	char config[128];

	snprintf(config, sizeof(config), "file/%s", folder_path("disk.img"));
	disk_new(disk, name, config);
	disk->settings.size = STAGE_SIZE;
	disk->settings.create = true;
}

static void test_storage_is_created_once(void **state)
{
	struct disk disk;
	struct error error;

	(void)state;
	new_file(&disk, "user_0/file");
	assert_int_equal(disk_open(&disk, false, NULL), 0);
	assert_true(view_of(&disk).was_created);
	disk_close(&disk, false);
	/* The file system may not be mounted. */
	assert_int_equal(unlink(folder_path("disk.img")), 0);
	new_file(&disk, "user_0/file");
	assert_int_equal(disk_open(&disk, true, &error), -ENOMEDIUM);
	assert_names(&error, "has been served before");
	assert_int_equal(storage_status(disk.storage), STORAGE_FAILED);
	assert_int_not_equal(access(folder_path("disk.img"), F_OK), 0);
	/* The file system is mounted. */
	int fd = open(folder_path("disk.img"), O_CREAT | O_WRONLY, 0600);
	assert_int_equal(ftruncate(fd, STAGE_SIZE), 0);
	close(fd);
	run_until((storage_tick(disk.storage), storage_status(disk.storage) == STORAGE_SERVED));
	disk_close(&disk, false);
}

static void test_failed_open_leaves_nothing_behind(void **state)
{
	struct stage stage;
	struct disk other, disk;

	(void)state;
	stage_init(&stage);
	disk_new_staged(&other, "user_0/a", &stage);
	new_file(&disk, "user_0/file");
	other.settings.serial = disk.settings.serial = "S-1";
	assert_int_equal(disk_open(&other, false, NULL), 0);
	assert_int_equal(disk_open(&disk, false, NULL), -EEXIST);
	assert_int_not_equal(access(folder_path("disk.img"), F_OK), 0);
	disk_close(&other, false);
	assert_int_equal(disk_open(&disk, false, NULL), 0);
	disk_close(&disk, false);
}

static void test_discard_removes_what_was_created(void **state)
{
	struct disk disk;

	(void)state;
	new_file(&disk, "user_0/file");
	assert_int_equal(disk_open(&disk, false, NULL), 0);
	assert_int_equal(access(folder_path("disk.img"), F_OK), 0);
	storage_discard(disk.storage);
	assert_int_not_equal(access(folder_path("disk.img"), F_OK), 0);
	/* The file was never served, so the next start creates it again. */
	new_file(&disk, "user_0/file");
	assert_int_equal(disk_open(&disk, false, NULL), 0);
	disk_close(&disk, false);
}

static void test_discard_keeps_what_existed(void **state)
{
	struct disk disk;

	(void)state;
	new_file(&disk, "user_0/file");
	assert_int_equal(disk_open(&disk, false, NULL), 0);
	disk_close(&disk, false);
	new_file(&disk, "user_0/file");
	assert_int_equal(disk_open(&disk, false, NULL), 0);
	storage_discard(disk.storage);
	assert_int_equal(access(folder_path("disk.img"), F_OK), 0);
}

/* The next start, with a configuration that works, must know of the contents. */
static void test_discard_does_not_forget_contents(void **state)
{
	struct disk disk;

	(void)state;
	open_memory(&disk, "S-1");
	note_first_write(&disk);
	disk_close(&disk, false);
	fixture_restart();
	open_memory(&disk, "S-1");
	assert_int_equal(storage_status(disk.storage), STORAGE_CONTENTS_LOST);
	storage_discard(disk.storage);
	fixture_restart();
	open_memory(&disk, "S-1");
	assert_int_equal(storage_status(disk.storage), STORAGE_CONTENTS_LOST);
	disk_close(&disk, false);
}

/* Does what runner/control does when one of several exports fails. */
static void discard_others(void *arg, int err, const struct error *error)
{
	struct disk *disks = arg;

	(void)error;
	assert_int_equal(err, -EIO);
	for (unsigned i = 1; i < 4; i++)
		storage_discard(disks[i].storage);
	disks[1].storage = NULL;
}

static void test_discard_inside_the_failure_of_another_object(void **state)
{
	struct note notes[4] = {{.is_done = false}};
	struct stage stages[4];
	struct disk disks[4];

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		char name[] = {'a', '/', (char)('0' + i), '\0'};

		stage_init(&stages[i]);
		disk_new_staged(&disks[i], name, &stages[i]);
	}
	stages[0].open_error = EIO;
	storage_open(disks[0].storage, &disks[0].settings, false, discard_others, disks);
	for (unsigned i = 1; i < 4; i++)
		storage_open(disks[i].storage, &disks[i].settings, false, done_note, &notes[i]);
	/* If the machine is fast enough, the results of all four openings then wait in the queue together. */
	while (!stages[1].opens || !stages[2].opens || !stages[3].opens)
		usleep(1000);
	usleep(50000);
	run_until(!disks[1].storage);
	for (unsigned i = 1; i < 4; i++)
		assert_int_equal(stages[i].opens, stages[i].closes);
	disk_close(&disks[0], false);
}

static void test_relative_path_that_means_an_absolute_one(void **state)
{
	char config[128];
	struct disk disk;
	struct error error;

	(void)state;
	snprintf(config, sizeof(config), "file%s", folder_path("disk.img"));
	disk_new(&disk, "user_0/file", config);
	assert_int_equal(disk_open(&disk, false, &error), -ENOENT);
	assert_names(&error, "did you mean file/");
	disk_close(&disk, false);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_set_up, fixture_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_storage_is_created_once),
	    TEST(test_failed_open_leaves_nothing_behind),
	    TEST(test_discard_removes_what_was_created),
	    TEST(test_discard_keeps_what_existed),
	    TEST(test_discard_does_not_forget_contents),
	    TEST(test_discard_inside_the_failure_of_another_object),
	    TEST(test_relative_path_that_means_an_absolute_one),
	};

	return cmocka_run_group_tests_name("storage_creation", tests, fixture_up, fixture_down);
}
