/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs a handler that was built for the first version of the API (v1/old_handler.c) with the present
 * structures. The argument is the file of the handler.
 */
#include "loaded.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define SIZE 65536u

static struct tcmur_handler *old;
static struct opening opening;
static uint8_t data[4096], back[4096];

static int open_old(void **state)
{
	static const char *const half[] = {"half=32K", NULL};
	struct wanted wanted = {.config = "disk", .size = SIZE, .block_size = 4096, .options = half};

	fake_daemon_reset(state);
	if (fake_daemon_open(&opening, "/state", wanted) < 0) {
		fprintf(stderr, "%s\n", opening.open.error);
		return -1;
	}
	return 0;
}

static int close_old(void **state)
{
	(void)state;
	old->close(opening.open.handle);
	return 0;
}

static void test_table(void **state)
{
	char reason[64];

	(void)state;
	assert_int_equal(old->api_version, 1);
	assert_int_equal(old->thread_model, TCMUR_ASYNC);
	assert_true(old->struct_size <= sizeof(struct tcmur_handler));
	assert_int_equal(old->io_size, sizeof(struct tcmur_op) + 8);
	assert_string_equal(old->name, "old_v1");
	assert_string_equal(old->summary, "a handler of API version 1");
	assert_string_equal(old->config_desc, "NAME");
	assert_string_equal(old->options[0].name, "half");
	assert_null(old->options[1].name);
	assert_int_equal(old->check_config("good", reason, sizeof(reason)), 0);
	assert_int_equal(old->check_config("bad", reason, sizeof(reason)), -EINVAL);
	assert_string_equal(reason, "bad is bad");
}

static void test_open_error(void **state)
{
	static const char *const half[] = {"half=1K", NULL};
	struct opening wrong;

	(void)state;
	assert_int_equal(fake_daemon_open(&wrong, "/state",
					  (struct wanted){.config = "disk", .size = SIZE, .options = half}),
			 -EINVAL);
	assert_string_equal(wrong.open.error, "disk: half is not half");
}

static void test_info(void **state)
{
	const struct tcmur_info *info = &opening.open.info;
	struct tcmur_info now;

	(void)state;
	assert_int_equal(info->size, SIZE);
	assert_int_equal(info->block_size, 4096);
	assert_int_equal(info->physical_block_size, 4096);
	assert_true(!info->read_only && info->rotational && info->write_cache && info->write_cache_off);
	assert_true(info->thin && info->unmap_zeroes);
	assert_int_equal(info->unmap_granularity, 1024);
	assert_int_equal(info->unmap_alignment, 512);
	assert_int_equal(info->max_io, 32768);
	assert_int_equal(info->max_unmap, 16384);
	assert_int_equal(info->optimal_io, 8192);
	assert_int_equal(old->refresh(opening.open.handle, &now), 0);
	assert_int_equal(now.size, 2 * SIZE);
	assert_int_equal(now.optimal_io, 8192);
}

static void test_data(void **state)
{
	void *handle = opening.open.handle;
	struct iovec lent[2];

	(void)state;
	fill(data, sizeof(data), 1);
	assert_int_equal(fake_daemon_write(handle, 8192, data, sizeof(data), 0), TCMUR_OK);
	assert_int_equal(fake_daemon_read(handle, 8192, back, sizeof(back)), TCMUR_OK);
	assert_memory_equal(data, back, sizeof(data));
	assert_int_equal(old->data(handle, 8192, sizeof(data), lent, 2), 1);
	assert_int_equal(lent[0].iov_len, sizeof(data));
	assert_memory_equal(lent[0].iov_base, data, sizeof(data));
	assert_int_equal(fake_daemon_write(handle, 0, data, 512, TCMUR_IO_FUA), TCMUR_NO_SPACE);
	assert_ptr_equal(changed_lun, opening.open.lun);
	assert_int_equal(fake_daemon_range(old->flush, handle, 0, 0, 0), TCMUR_OK);
	assert_int_equal(counts.blocking, 1);
}

static void test_ranges(void **state)
{
	void *handle = opening.open.handle;
	struct tcmur_extent extents[2];
	struct tcmur_io io = {.offset = 512, .len = 1024, .extents = extents, .max_extents = 2};

	(void)state;
	memset(data, 1, sizeof(data));
	assert_int_equal(fake_daemon_write(handle, 0, data, 4096, 0), TCMUR_OK);
	assert_int_equal(fake_daemon_range(old->unmap, handle, 0, 512, 0), TCMUR_OK);
	assert_int_equal(fake_daemon_range(old->write_zeroes, handle, 512, 512, TCMUR_IO_NO_UNMAP), TCMUR_OK);
	assert_int_equal(fake_daemon_range(old->write_zeroes, handle, 512, 512, 0), TCMUR_BUSY);
	assert_int_equal(fake_daemon_read(handle, 0, back, 4096), TCMUR_OK);
	assert_true(all_zero(back, 1024));
	assert_memory_equal(back + 1024, data, 4096 - 1024);

	assert_int_equal(fake_daemon_io(old->extents, handle, &io), TCMUR_OK);
	assert_int_equal(io.nextents, 2);
	assert_int_equal(extents[1].offset, 1024);
	assert_int_equal(extents[1].len, 512);
	assert_int_equal(extents[1].state, TCMUR_EXTENT_ANCHORED);
}

static void test_patterns(void **state)
{
	void *handle = opening.open.handle;
	struct iovec iov[2] = {{data, 512}, {data + 512, 512}};
	struct tcmur_io same = {.offset = 0, .len = 2048, .iov = iov, .iovcnt = 1};
	struct tcmur_io swap = {.offset = 512, .len = 512, .iov = iov, .iovcnt = 2};

	(void)state;
	memset(data, 1, 512);
	memset(data + 512, 2, 512);
	assert_int_equal(fake_daemon_io(old->write_same, handle, &same), TCMUR_OK);
	assert_int_equal(fake_daemon_io(old->compare_and_write, handle, &swap), TCMUR_OK);
	assert_int_equal(fake_daemon_read(handle, 0, back, 1536), TCMUR_OK);
	assert_memory_equal(back, data, 1024);
	assert_memory_equal(back + 1024, data, 512);
	memset(data, 2, 512);
	data[77] = 3;
	assert_int_equal(fake_daemon_io(old->compare_and_write, handle, &swap), TCMUR_MISCOMPARE);
	assert_int_equal(swap.miscompare_offset, 77);
}

static void test_scsi(void **state)
{
	static const uint8_t ours[6] = {0xc0}, other[6] = {0x12};
	_Alignas(16) uint8_t scratch[TCMUR_IO_SCRATCH_MAX];
	struct iovec iov = {data, 64};
	struct tcmur_scsi cmd = {
	    .cdb = other, .cdb_len = 6, .iov = &iov, .iovcnt = 1, .data_in_max = 64, .scratch = scratch};

	(void)state;
	assert_false(old->scsi(opening.open.handle, NULL, &cmd));
	cmd.cdb = ours;
	assert_true(old->scsi(opening.open.handle, NULL, &cmd));
	assert_ptr_equal(scsi_done, &cmd);
	assert_int_equal(scsi_status, 2);
	assert_int_equal(cmd.data_in_len, 64);
	assert_int_equal(data[63], 0x77);
	assert_int_equal(cmd.sense[0], 0x70);
	assert_int_equal(cmd.sense[95], 0x95);
	assert_int_equal(cmd.sense_len, 96);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_old, close_old)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_table),  TEST(test_open_error), TEST(test_info), TEST(test_data),
	    TEST(test_ranges), TEST(test_patterns),   TEST(test_scsi),
	};
	int failed;

	if (argc != 2)
		return 2;
	load_handler(argv[1]);
	old = tcmur_handler_entry();
	if (old->load() != 0)
		return 1;
	failed = cmocka_run_group_tests_name("old handler", tests, NULL, NULL);
	old->unload();
	return failed;
}
