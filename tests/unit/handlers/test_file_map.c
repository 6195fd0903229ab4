/* SPDX-License-Identifier: Apache-2.0 */
/* Files in memory: which data is copied through the mapping, and which is not. */
#include "test_file.h"
#include "file.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PAGE = 4096 };

static const struct tcmur_handler *handler;
static uint8_t data[16 * PAGE], back[16 * PAGE];

static int in_memory(void **state)
{
	fs_type = TMPFS_MAGIC;
	fill(data, sizeof(data), 5);
	return fake_daemon_reset(state);
}

static int on_disk(void **state)
{
	(void)state;
	fs_type = XFS_SUPER_MAGIC;
	return 0;
}

/* Returns whether a read of this range uses the mapping. */
static bool mapped(void *handle, uint64_t offset, size_t len)
{
	const struct file *file = handle;
	struct iovec iov[] = {{back, len / 2}, {back + len / 2, len - len / 2}};
	const struct tcmur_io io = {.offset = offset, .len = len, .iov = iov, .iovcnt = 2};

	return map_read(&file->map, &io);
}

static void write_pages(void *handle, unsigned page, unsigned n)
{
	assert_int_equal(fake_daemon_write(handle, page * PAGE, data, n * PAGE, 0), TCMUR_OK);
}

static void expect(void *handle, unsigned page, unsigned n, const uint8_t *content)
{
	assert_int_equal(fake_daemon_read(handle, page * PAGE, back, n * PAGE), TCMUR_OK);
	if (content)
		assert_memory_equal(back, content, n * PAGE);
	else
		assert_true(all_zero(back, n * PAGE));
}

static void test_what_was_written_is_mapped(void **state)
{
	void *handle = open_new("map", NULL, 0);

	(void)state;
	assert_false(mapped(handle, 0, PAGE));
	write_pages(handle, 2, 3);
	assert_true(mapped(handle, 2 * PAGE, 3 * PAGE));
	assert_memory_equal(back, data, 3 * PAGE);
	assert_true(mapped(handle, 3 * PAGE + 512, 512));
	assert_memory_equal(back, data + PAGE + 512, 512);
	assert_false(mapped(handle, PAGE, 2 * PAGE));
	assert_false(mapped(handle, 4 * PAGE, 2 * PAGE));
	expect(handle, 1, 1, NULL);
	/* The write used the mapping, and a system call reads the same data. */
	assert_int_equal(fake_daemon_write(handle, 3 * PAGE, data, PAGE, 0), TCMUR_OK);
	int fd = open(in_dir("map"), O_RDONLY);
	assert_int_equal(pread(fd, back, PAGE, 3 * PAGE), PAGE);
	close(fd);
	assert_memory_equal(back, data, PAGE);
	assert_int_equal(counts.transfers + counts.blocking, 0);
	close_and_remove(handle, "map");
}

static blkcnt_t blocks(const char *name)
{
	struct stat st;

	assert_int_equal(stat(in_dir(name), &st), 0);
	return st.st_blocks;
}

static void test_holes_stay_holes(void **state)
{
	void *handle = open_new("holes", NULL, 0);

	(void)state;
	write_pages(handle, 0, 16);
	blkcnt_t full = blocks("holes");
	assert_int_equal(fake_daemon_range(handler->unmap, handle, 4 * PAGE, 8 * PAGE, 0), TCMUR_OK);
	assert_int_equal(full - blocks("holes"), 8 * PAGE / 512);
	expect(handle, 4, 8, NULL);
	expect(handle, 0, 4, data);
	assert_int_equal(fake_daemon_range(handler->write_zeroes, handle, 12 * PAGE, 2 * PAGE, 0), TCMUR_OK);
	expect(handle, 12, 2, NULL);
	expect(handle, 14, 2, data + 14 * PAGE);
	assert_int_equal(full - blocks("holes"), 10 * PAGE / 512);
	write_pages(handle, 4, 1);
	assert_true(mapped(handle, 0, 5 * PAGE));
	assert_false(mapped(handle, 0, 6 * PAGE));
	close_and_remove(handle, "holes");
}

static void test_extents_at_open(void **state)
{
	for (unsigned read_only = 0; read_only < 2; read_only++) {
		void *handle = open_new("old", NULL, 0);
		struct opening opening;
		struct wanted wanted = {.config = "old", .read_only = read_only};

		(void)state;
		write_pages(handle, 1, 2);
		write_pages(handle, FILE_SIZE / PAGE - 1, 1);
		handler->close(handle);
		assert_int_equal(fake_daemon_open(&opening, dir, wanted), 0);
		handle = opening.open.handle;
		assert_false(mapped(handle, 0, PAGE));
		assert_true(mapped(handle, PAGE, 2 * PAGE));
		assert_memory_equal(back, data, 2 * PAGE);
		assert_false(mapped(handle, 3 * PAGE, PAGE));
		assert_true(mapped(handle, FILE_SIZE - PAGE, PAGE));
		close_and_remove(handle, "old");
	}
}

/*
 * The file is shortened and gets its size back. Data whose pages are missing is moved with a system call,
 * which fails while the file is short.
 */
static void test_cut_while_mapped(void **state)
{
	void *handle;

	(void)state;
	if (!kernel_tells_which_page_is_gone())
		skip();
	handle = open_new("cut", NULL, 0);
	/* this is done here because cmocka installs a signal handler for each test */
	assert_int_equal(handler->load(), 0);
	for (unsigned times = 0; times < 3; times++) {
		write_pages(handle, 0, 16);
		assert_true(mapped(handle, 0, 16 * PAGE));
		assert_int_equal(truncate(in_dir("cut"), 2 * PAGE), 0);
		assert_false(mapped(handle, 0, 16 * PAGE));
		assert_int_equal(fake_daemon_read(handle, 4 * PAGE, back, PAGE), TCMUR_READ_ERROR);
		assert_int_equal(fake_daemon_write(handle, 4 * PAGE, data, PAGE, 0), TCMUR_READ_ERROR);
		assert_true(mapped(handle, PAGE, PAGE));
		assert_int_equal(truncate(in_dir("cut"), FILE_SIZE), 0);
		expect(handle, 4, 4, NULL);
		write_pages(handle, 1, 8);
		expect(handle, 1, 8, data);
		expect(handle, 9, 4, NULL);
	}
	handler->unload();
	close_and_remove(handle, "cut");
}

static void test_file_that_has_grown_past_its_mapping(void **state)
{
	void *handle = open_new("grown", NULL, 0);

	(void)state;
	assert_int_equal(handler->resize(handle, 2 * FILE_SIZE), 0);
	write_pages(handle, FILE_SIZE / PAGE - 1, 4);
	assert_false(mapped(handle, FILE_SIZE, PAGE));
	expect(handle, FILE_SIZE / PAGE - 1, 4, data);
	close_and_remove(handle, "grown");
}

int test_file_map(const char *title)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_what_was_written_is_mapped, in_memory, on_disk),
	    cmocka_unit_test_setup_teardown(test_holes_stay_holes, in_memory, on_disk),
	    cmocka_unit_test_setup_teardown(test_extents_at_open, in_memory, on_disk),
	    cmocka_unit_test_setup_teardown(test_cut_while_mapped, in_memory, on_disk),
	    cmocka_unit_test_setup_teardown(test_file_that_has_grown_past_its_mapping, in_memory, on_disk),
	};

	handler = tcmur_handler_entry();
	return cmocka_run_group_tests_name(title, tests, NULL, NULL);
}
