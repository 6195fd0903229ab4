/* SPDX-License-Identifier: Apache-2.0 */
/* The handler file opens, creates and refuses files. */
#include "test_file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void refused(struct wanted wanted, int err, const char *reason)
{
	struct opening opening;

	assert_int_equal(fake_daemon_open(&opening, dir, wanted), -err);
	if (!strstr(opening.open.error, reason))
		fail_msg("expected \"%s\" in \"%s\"", reason, opening.open.error);
	assert_null(opening.open.handle);
}

static void close_handle(void *handle)
{
	tcmur_handler_entry()->close(handle);
}

static const char *const grow[] = {"grow", NULL};

static void test_created_sparse(void **state)
{
	struct opening opening;
	const struct tcmur_info *info = &opening.open.info;
	struct stat st;

	(void)state;
	assert_int_equal(fake_daemon_open(&opening, dir, (struct wanted){.config = "new", .size = FILE_SIZE}),
			 0);
	assert_int_equal(stat(in_dir("new"), &st), 0);
	assert_int_equal(st.st_size, FILE_SIZE);
	assert_int_equal(st.st_blocks, 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(info->size, FILE_SIZE);
	assert_int_equal(info->block_size, 512);
	assert_true(info->write_cache && !info->write_cache_off && !info->read_only);
	assert_true(info->thin && info->unmap_zeroes);
	close_and_remove(opening.open.handle, "new");
}

static void test_absolute_path_and_block_size(void **state)
{
	struct opening opening;
	char path[128];

	(void)state;
	close_handle(open_new("abs", NULL, 0));
	snprintf(path, sizeof(path), "%s", in_dir("abs"));
	assert_int_equal(
	    fake_daemon_open(&opening, "/nonexistent",
			     (struct wanted){.config = path, .size = FILE_SIZE, .block_size = 4096}),
	    0);
	assert_int_equal(opening.open.info.block_size, 4096);
	close_and_remove(opening.open.handle, "abs");
}

static void test_absent(void **state)
{
	(void)state;
	refused((struct wanted){.config = "absent"}, ENOENT,
		"absent: no such file; to create it, give the disk a size");
	refused((struct wanted){.config = "absent", .size = FILE_SIZE, .read_only = true}, ENOENT,
		"absent: no such file");
	refused((struct wanted){.config = "no/such/folder", .size = FILE_SIZE}, ENOENT, "No such file");
}

static void test_only_regular_files(void **state)
{
	(void)state;
	refused((struct wanted){.config = "."}, EISDIR, "is a directory");
	assert_int_equal(mkfifo(in_dir("fifo"), 0600), 0);
	refused((struct wanted){.config = "fifo", .size = FILE_SIZE}, EINVAL, "is not a regular file");
	unlink(in_dir("fifo"));
	refused((struct wanted){.config = "/dev/null"}, EINVAL, "is not a regular file");
	if (access("/dev/loop0", F_OK) == 0)
		refused((struct wanted){.config = "/dev/loop0"}, EINVAL,
			"is a block device: use the block handler");
}

/*
 * A file that was served before is not created again if it is missing, and it may have grown in the meantime.
 */
static void test_existing(void **state)
{
	struct wanted wanted = {.config = "before", .size = FILE_SIZE, .existing = true};
	struct opening opening;

	(void)state;
	refused(wanted, ENOENT, "before: no such file");
	assert_int_equal(access(in_dir("before"), F_OK), -1);
	close_handle(open_new("before", NULL, 0));
	wanted.size = FILE_SIZE / 2;
	assert_int_equal(fake_daemon_open(&opening, dir, wanted), 0);
	assert_int_equal(opening.open.info.size, FILE_SIZE);
	close_handle(opening.open.handle);
	wanted.size = 2 * FILE_SIZE;
	refused(wanted, EINVAL, "holds 4194304 bytes, but the size of its disk is set to 8388608");
	unlink(in_dir("before"));
}

/* A file system that is not mounted must not be taken for an empty disk. */
static void test_missing_file_is_not_created(void **state)
{
	struct wanted wanted = {.config = "unmounted", .size = FILE_SIZE, .no_create = true};

	(void)state;
	refused(wanted, ENOENT, "unmounted: no such file; to create it, set create and a size for the disk");
	assert_int_equal(access(in_dir("unmounted"), F_OK), -1);
}

static void test_discard(void **state)
{
	struct opening opening;

	(void)state;
	assert_int_equal(
	    fake_daemon_open(&opening, dir, (struct wanted){.config = "failed", .size = FILE_SIZE}), 0);
	assert_true(opening.open.info.flags & TCMUR_INFO_CREATED);
	tcmur_handler_entry()->discard(opening.open.handle);
	close_handle(opening.open.handle);
	assert_int_equal(access(in_dir("failed"), F_OK), -1);

	close_handle(open_new("kept", NULL, 0));
	assert_int_equal(
	    fake_daemon_open(&opening, dir, (struct wanted){.config = "kept", .size = FILE_SIZE}), 0);
	assert_false(opening.open.info.flags & TCMUR_INFO_CREATED);
	tcmur_handler_entry()->discard(opening.open.handle);
	close_handle(opening.open.handle);
	assert_int_equal(access(in_dir("kept"), F_OK), 0);
	unlink(in_dir("kept"));
}

static void test_other_size(void **state)
{
	static const char *const grow_off[] = {"grow=off", NULL};
	struct wanted wanted = {.config = "sized", .size = 2 * FILE_SIZE};
	struct opening opening;

	(void)state;
	close_handle(open_new("sized", NULL, 0));
	refused(wanted, EINVAL,
		"holds 4194304 bytes, but the size of its disk is set to 8388608; the option grow=on");
	wanted.options = grow_off;
	refused(wanted, EINVAL, "holds 4194304 bytes");
	wanted.options = grow;
	wanted.read_only = true;
	refused(wanted, EINVAL, "holds 4194304 bytes");
	wanted.read_only = false;
	wanted.size = FILE_SIZE / 2;
	refused(wanted, EINVAL, "a file is never shortened");
	wanted.size = 2 * FILE_SIZE;
	assert_int_equal(fake_daemon_open(&opening, dir, wanted), 0);
	assert_int_equal(opening.open.info.size, 2 * FILE_SIZE);
	close_and_remove(opening.open.handle, "sized");
}

static void test_too_small_or_too_large(void **state)
{
	(void)state;
	refused((struct wanted){.config = "tiny", .size = 100}, EINVAL,
		"holds 100 bytes, less than one block");
	assert_int_equal(access(in_dir("tiny"), F_OK), -1); /* the file that open() has created was removed */
	refused((struct wanted){.config = "huge", .size = UINT64_C(1) << 63}, EFBIG,
		"cannot be given its size");
	assert_int_equal(access(in_dir("huge"), F_OK), -1);
}

static void test_wrong_options(void **state)
{
	static const char *const cache[] = {"cache=fast", NULL};
	static const char *const maybe[] = {"grow=maybe", NULL};

	(void)state;
	refused((struct wanted){.config = "x", .size = FILE_SIZE, .options = cache}, EINVAL,
		"cache=fast: must be");
	refused((struct wanted){.config = "x", .size = FILE_SIZE, .options = maybe}, EINVAL,
		"grow=maybe: must be on or off");
	assert_int_equal(access(in_dir("x"), F_OK), -1);
}

static void test_second_opener(void **state)
{
	struct wanted reader = {.config = "locked", .read_only = true};
	struct wanted writer = {.config = "locked"};
	struct opening first, second;
	void *handle = open_new("locked", NULL, 0);

	(void)state;
	close_handle(handle);
	assert_int_equal(fake_daemon_open(&first, dir, writer), 0);
	assert_int_equal(first.open.info.flags, TCMUR_INFO_EXCLUSIVE);
	handle = first.open.handle;
	refused(writer, EBUSY, "locked: is in use");
	refused(reader, EBUSY, "locked: is in use");
	refused((struct wanted){.config = "locked", .size = 2 * FILE_SIZE, .options = grow}, EBUSY,
		"is in use");
	close_handle(handle);

	assert_int_equal(fake_daemon_open(&first, dir, reader), 0);
	assert_int_equal(fake_daemon_open(&second, dir, reader), 0);
	assert_true(first.open.info.read_only && !first.open.info.thin);
	assert_int_equal(first.open.info.flags, 0); /* other processes may use the file as well */
	refused(writer, EBUSY, "is in use");
	close_handle(second.open.handle);
	close_and_remove(first.open.handle, "locked");
}

/* Root may write to every file, so the test gives up root's rights here. */
static void test_unwritable_needs_ro(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip();
	close_handle(open_new("mode", NULL, 0));
	assert_int_equal(chmod(in_dir("mode"), 0444), 0);
	assert_int_equal(chmod(dir, 0755), 0);
	assert_int_equal(seteuid(65534), 0);
	refused((struct wanted){.config = "mode"}, EACCES, "cannot be written (export it with ro?)");
	assert_int_equal(seteuid(0), 0);
	unlink(in_dir("mode"));
}

static void test_check_config(void **state)
{
	struct tcmur_handler *file = tcmur_handler_entry();
	char reason[128] = "";

	(void)state;
	assert_int_equal(file->check_config("a", reason, sizeof(reason)), 0);
	assert_int_equal(file->check_config("", reason, sizeof(reason)), -EINVAL);
	assert_non_null(strstr(reason, "is not the path"));
	assert_int_equal(file->check_config("folder/", reason, sizeof(reason)), -EINVAL);
}

int test_file_open(const char *title)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(test_created_sparse, fake_daemon_reset),
	    cmocka_unit_test_setup(test_absolute_path_and_block_size, fake_daemon_reset),
	    cmocka_unit_test_setup(test_absent, fake_daemon_reset),
	    cmocka_unit_test_setup(test_only_regular_files, fake_daemon_reset),
	    cmocka_unit_test_setup(test_existing, fake_daemon_reset),
	    cmocka_unit_test_setup(test_missing_file_is_not_created, fake_daemon_reset),
	    cmocka_unit_test_setup(test_discard, fake_daemon_reset),
	    cmocka_unit_test_setup(test_other_size, fake_daemon_reset),
	    cmocka_unit_test_setup(test_too_small_or_too_large, fake_daemon_reset),
	    cmocka_unit_test_setup(test_wrong_options, fake_daemon_reset),
	    cmocka_unit_test_setup(test_second_opener, fake_daemon_reset),
	    cmocka_unit_test_setup(test_unwritable_needs_ro, fake_daemon_reset),
	    cmocka_unit_test_setup(test_check_config, fake_daemon_reset),
	};

	return cmocka_run_group_tests_name(title, tests, NULL, NULL);
}
