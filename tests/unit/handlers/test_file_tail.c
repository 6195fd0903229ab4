/* SPDX-License-Identifier: Apache-2.0 */
/* A WRITE that could lengthen a shortened file asks for the size of the file first. Other WRITEs do not. */
#include "kernel_features.h"
#include "test_file.h"

#include <sys/stat.h>
#include <unistd.h>

enum { PAGE = 4096, LAST = FILE_SIZE - PAGE };

static const struct tcmur_handler *handler;
static _Alignas(4096) uint8_t data[2 * PAGE];
static unsigned asked;

int __real_statx(int folder, const char *path, int flags, unsigned mask, struct statx *out);
int __wrap_statx(int folder, const char *path, int flags, unsigned mask, struct statx *out);

int __wrap_statx(int folder, const char *path, int flags, unsigned mask, struct statx *out)
{
	asked += mask == STATX_SIZE;
	return __real_statx(folder, path, flags, mask, out);
}

/* How often the size was asked for in a write that succeeds. */
static unsigned asked_by_write(void *handle, uint64_t offset, size_t len)
{
	asked = 0;
	assert_int_equal(fake_daemon_write(handle, offset, data, len, 0), TCMUR_OK);
	return asked;
}

static void refresh(void *handle)
{
	struct tcmur_info info;

	assert_int_equal(handler->refresh(handle, &info), 0);
}

static off_t size_of(const char *name)
{
	struct stat st;

	assert_int_equal(stat(in_dir(name), &st), 0);
	return st.st_size;
}

static void test_asks_for_the_last_page_only(void **state)
{
	void *handle = open_new("tail", NULL, 0);

	(void)state;
	assert_int_equal(asked_by_write(handle, 0, PAGE), 0);
	assert_int_equal(asked_by_write(handle, LAST - PAGE, PAGE), 0);
	assert_int_equal(asked_by_write(handle, LAST - PAGE, 2 * PAGE), 1);
	assert_int_equal(asked_by_write(handle, LAST, 512), 1);
	assert_int_equal(asked_by_write(handle, 0, PAGE), 0);
	close_and_remove(handle, "tail");
}

/* The file is shortened within its last page: the page stays, and only writes that lengthen the file fail. */
static void test_cut_in_the_last_page(void **state)
{
	void *handle = open_new("tail", NULL, 0);

	(void)state;
	assert_int_equal(truncate(in_dir("tail"), FILE_SIZE - 512), 0);
	assert_int_equal(asked_by_write(handle, LAST - PAGE, PAGE), 0);
	assert_int_equal(asked_by_write(handle, LAST, PAGE - 512), 1);
	assert_int_equal(fake_daemon_write(handle, LAST, data, PAGE, 0), TCMUR_READ_ERROR);
	assert_int_equal(size_of("tail"), FILE_SIZE - 512);
	close_and_remove(handle, "tail");
}

static void test_shortened_and_restored(void **state)
{
	void *handle = open_new("tail", NULL, 0);

	(void)state;
	if (!kernel_tells_which_page_is_gone()) {
		close_and_remove(handle, "tail");
		skip();
	}
	/* This is done here because cmocka installs a signal handler for each test. */
	assert_int_equal(handler->load(), 0);
	assert_int_equal(truncate(in_dir("tail"), MIB), 0);
	assert_int_equal(asked_by_write(handle, 0, PAGE), 1);
	assert_int_equal(fake_daemon_write(handle, MIB, data, PAGE, 0), TCMUR_READ_ERROR);
	assert_int_equal(size_of("tail"), MIB);
	assert_int_equal(truncate(in_dir("tail"), FILE_SIZE), 0);
	assert_int_equal(asked_by_write(handle, MIB, PAGE), 0);
	handler->unload();
	close_and_remove(handle, "tail");
}

/* If memory cannot be locked, each write asks for the size. */
static void test_without_locked_memory(void **state)
{
	(void)state;
	can_lock = false;
	void *handle = open_new("tail", NULL, 0);
	assert_int_equal(asked_by_write(handle, 0, PAGE), 1);
	close_and_remove(handle, "tail");
	can_lock = true;
}

/* The kernel may drop the page when it is written around the page cache or deallocated. */
static void test_page_that_may_be_gone(void **state)
{
	static const char *const direct[] = {"cache=none", NULL};
	struct tcmur_io io = {.offset = LAST, .len = PAGE};
	void *handle;

	(void)state;
	if (!kernel_has_direct_io(dir))
		skip();
	handle = open_new("tail", direct, 4096);
	assert_int_equal(asked_by_write(handle, 0, PAGE), 0);
	assert_int_equal(asked_by_write(handle, LAST, PAGE), 1);
	assert_int_equal(asked_by_write(handle, 0, PAGE), 1);
	refresh(handle);
	assert_int_equal(asked_by_write(handle, 0, PAGE), 0);
	assert_int_equal(fake_daemon_io(handler->write_zeroes, handle, &io), TCMUR_OK);
	assert_int_equal(asked_by_write(handle, 0, PAGE), 1);
	refresh(handle);
	assert_int_equal(asked_by_write(handle, 0, PAGE), 0);
	close_and_remove(handle, "tail");
}

int test_file_tail(const char *title)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(test_asks_for_the_last_page_only, fake_daemon_reset),
	    cmocka_unit_test_setup(test_cut_in_the_last_page, fake_daemon_reset),
	    cmocka_unit_test_setup(test_shortened_and_restored, fake_daemon_reset),
	    cmocka_unit_test_setup(test_without_locked_memory, fake_daemon_reset),
	    cmocka_unit_test_setup(test_page_that_may_be_gone, fake_daemon_reset),
	};

	const bool could_lock = can_lock;

	can_lock = true;
	handler = tcmur_handler_entry();
	int failed = cmocka_run_group_tests_name(title, tests, NULL, NULL);
	can_lock = could_lock;
	return failed;
}
