/* SPDX-License-Identifier: Apache-2.0 */
/* The handler alloc: reading, writing, unmapping and lending memory. */
#include "fake_daemon.h"
#include "kernel_features.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE 4096u
#define SIZE (4096u * 300 + 1024) /* the last page is not complete */

static const struct tcmur_handler *alloc;

static struct opening disk;
static bool keeps; /* The tests run twice: the second time with memory that is kept. */

static int open_disk(void **state)
{
	fake_daemon_reset(state);
	alloc = tcmur_handler_entry();
	if (keeps)
		kept_memory = memfd_create("disk", MFD_CLOEXEC);
	return fake_daemon_open(&disk, "/", (struct wanted){.config = "demo", .size = SIZE});
}

static int close_disk(void **state)
{
	(void)state;
	alloc->close(disk.open.handle);
	if (kept_memory >= 0)
		close(kept_memory);
	kept_memory = -1;
	return 0;
}

/* open() must fail, with this text in its reason. */
static void refused(struct wanted wanted, const char *text)
{
	struct opening opening;

	alloc = tcmur_handler_entry();
	assert_true(fake_daemon_open(&opening, "/", wanted) < 0);
	if (!strstr(opening.open.error, text))
		fail_msg("expected \"%s\" in \"%s\"", text, opening.open.error);
}

static void test_refusals(void **state)
{
	static const char *const bad[] = {"hugepages=maybe", NULL};
	char reason[64] = "";

	(void)state;
	refused((struct wanted){.config = "demo"}, "a memory disk needs a size, for example 64M");
	refused((struct wanted){.config = "demo", .size = 1ull << 60}, "do not fit in this machine's memory");
	refused((struct wanted){.config = "demo", .size = SIZE, .options = bad}, "hugepages=maybe");
	assert_int_equal(alloc->check_config("", reason, sizeof(reason)), -EINVAL);
	assert_non_null(strstr(reason, "name"));
	assert_int_equal(alloc->check_config("64M", reason, sizeof(reason)), 0);
}

static void test_info(void **state)
{
	static const char *const off[] = {"hugepages=off", NULL};
	struct opening opening;

	(void)state;
	alloc = tcmur_handler_entry();
	assert_int_equal(alloc->thread_model, TCMUR_ASYNC);
	assert_int_equal(
	    fake_daemon_open(
		&opening, "/",
		(struct wanted){.config = "x", .size = 1u << 20, .block_size = 4096, .options = off}),
	    0);
	assert_int_equal(opening.open.info.size, 1u << 20);
	assert_int_equal(opening.open.info.block_size, 4096);
	assert_true(opening.open.info.thin && opening.open.info.unmap_zeroes);
	assert_false(opening.open.info.write_cache);
	alloc->close(opening.open.handle);
	assert_int_equal(disk.open.info.block_size, 512);
	assert_int_equal(disk.open.info.unmap_granularity, PAGE);
}

static void test_reads_what_was_written(void **state)
{
	uint8_t *data = malloc(SIZE), *back = malloc(SIZE);
	void *handle = disk.open.handle;
	struct iovec in[] = {{back, 1}, {back + 1, 0}, {back + 1, 5000}, {back + 5001, SIZE - 5001}};
	struct tcmur_io io = {.len = SIZE, .iov = in, .iovcnt = 4};

	(void)state;
	assert_int_equal(fake_daemon_read(handle, 0, back, SIZE), TCMUR_OK);
	assert_true(all_zero(back, SIZE));
	fill(data, SIZE, 1);
	assert_int_equal(fake_daemon_write(handle, 0, data, SIZE, 0), TCMUR_OK);
	assert_int_equal(fake_daemon_io(alloc->read, handle, &io), TCMUR_OK);
	assert_memory_equal(data, back, SIZE);
	fill(data + 512, 1024, 2);
	assert_int_equal(fake_daemon_write(handle, 512, data + 512, 1024, TCMUR_IO_FUA), TCMUR_OK);
	assert_int_equal(fake_daemon_read(handle, 0, back, SIZE), TCMUR_OK);
	assert_memory_equal(data, back, SIZE);
	free(data);
	free(back);
}

static void test_write_same(void **state)
{
	uint8_t block[512], back[PAGE * 3];
	void *handle = disk.open.handle;
	struct iovec iov[] = {{block, 100}, {block + 100, 412}};
	struct tcmur_io io = {.offset = 512, .len = PAGE * 2, .iov = iov, .iovcnt = 2};

	(void)state;
	fill(block, sizeof(block), 3);
	assert_int_equal(fake_daemon_io(alloc->write_same, handle, &io), TCMUR_OK);
	assert_int_equal(fake_daemon_read(handle, 0, back, sizeof(back)), TCMUR_OK);
	assert_true(all_zero(back, 512));
	for (unsigned i = 1; i <= PAGE * 2 / 512; i++)
		assert_memory_equal(back + i * 512, block, 512);
	assert_true(all_zero(back + 512 + PAGE * 2, PAGE - 512));
}

/* --- pages ------------------------------------------------------------------------------------ */

static uint8_t *memory(void)
{
	struct iovec iov;

	assert_int_equal(alloc->data(disk.open.handle, 0, SIZE, &iov, 1), 1);
	assert_int_equal(iov.iov_len, SIZE);
	assert_int_equal(alloc->data(disk.open.handle, 0, SIZE, &iov, 0), 0);
	return iov.iov_base;
}

static unsigned resident(void)
{
	unsigned char vec[(SIZE + PAGE - 1) / PAGE];
	unsigned n = 0;

	assert_int_equal(mincore(memory(), SIZE, vec), 0);
	for (unsigned i = 0; i < sizeof(vec); i++)
		n += vec[i] & 1;
	return n;
}

/* Asks for the extents of a range, and compares them with a model that has one byte for each page. */
static void check_extents(const uint8_t *written, uint64_t offset, uint64_t len)
{
	struct tcmur_extent extents[400];
	struct tcmur_io io = {.offset = offset, .len = len, .extents = extents, .max_extents = 400};
	uint64_t at = offset;

	assert_int_equal(fake_daemon_io(alloc->extents, disk.open.handle, &io), TCMUR_OK);
	for (uint32_t i = 0; i < io.nextents; i++) {
		bool mapped = extents[i].state == TCMUR_EXTENT_MAPPED;

		assert_int_equal(extents[i].offset, at);
		assert_true(extents[i].len > 0);
		if (i > 0)
			assert_int_not_equal(extents[i].state, extents[i - 1].state);
		for (uint64_t page = at / PAGE; page * PAGE < at + extents[i].len; page++)
			assert_int_equal(written[page], mapped);
		at += extents[i].len;
	}
	assert_int_equal(at, offset + len);
}

static void test_extents_room(void **state)
{
	uint8_t page[PAGE] = {1};
	struct tcmur_extent extents[2];
	struct tcmur_io io = {.offset = 512, .len = SIZE - 512, .extents = extents, .max_extents = 2};

	(void)state;
	assert_int_equal(fake_daemon_write(disk.open.handle, 64 * PAGE, page, PAGE, 0), TCMUR_OK);
	assert_int_equal(fake_daemon_io(alloc->extents, disk.open.handle, &io), TCMUR_OK);
	assert_int_equal(io.nextents, 2);
	assert_int_equal(extents[0].offset, 512);
	assert_int_equal(extents[0].len, 64 * PAGE - 512);
	assert_int_equal(extents[0].state, TCMUR_EXTENT_DEALLOCATED);
	assert_int_equal(extents[1].len, PAGE);
	assert_int_equal(extents[1].state, TCMUR_EXTENT_MAPPED);
}

static void test_usage(void **state)
{
	uint8_t page[PAGE] = {1};
	struct tcmur_usage usage;

	(void)state;
	assert_int_equal(alloc->usage(disk.open.handle, &usage), 0);
	assert_int_equal(usage.used, 0);
	assert_true(usage.available > 0);
	assert_int_equal(fake_daemon_write(disk.open.handle, PAGE - 512, page, 1024, 0), TCMUR_OK);
	assert_int_equal(fake_daemon_write(disk.open.handle, 300 * PAGE, page, 512, 0), TCMUR_OK);
	assert_int_equal(alloc->usage(disk.open.handle, &usage), 0);
	assert_int_equal(usage.used, 3 * PAGE);
	assert_int_equal(fake_daemon_range(alloc->unmap, disk.open.handle, 0, SIZE, 0), TCMUR_OK);
	assert_int_equal(alloc->usage(disk.open.handle, &usage), 0);
	assert_int_equal(usage.used, 0);
}

static void test_unmap_frees_pages(void **state)
{
	static const char *const off[] = {"hugepages=off", NULL};
	uint8_t data[16 * PAGE], back[16 * PAGE];
	void *handle;

	(void)state;
	if (keeps && !kernel_removes_pages())
		skip();
	/* Reading would map a huge page of zeros, and writing would take a huge page. */
	alloc->close(disk.open.handle);
	assert_int_equal(
	    fake_daemon_open(&disk, "/", (struct wanted){.config = "x", .size = SIZE, .options = off}), 0);
	handle = disk.open.handle;
	memset(data, 0xee, sizeof(data));
	assert_int_equal(fake_daemon_write(handle, 0, data, sizeof(data), 0), TCMUR_OK);
	assert_int_equal(resident(), 16);
	/*
	 * The range reaches from within page 1 to within page 9: seven whole pages are freed, and two keep a
	 * part.
	 */
	assert_int_equal(fake_daemon_range(alloc->unmap, handle, PAGE + 512, 8 * PAGE, 0), TCMUR_OK);
	assert_int_equal(resident(), 16 - 7);
	memset(data + PAGE + 512, 0, 8 * PAGE);
	assert_int_equal(fake_daemon_read(handle, 0, back, sizeof(back)), TCMUR_OK);
	assert_memory_equal(data, back, sizeof(data));
	/* zeros by deallocation, and zeros that stay allocated */
	assert_int_equal(fake_daemon_range(alloc->write_zeroes, handle, 0, PAGE, 0), TCMUR_OK);
	assert_int_equal(
	    fake_daemon_range(alloc->write_zeroes, handle, 20 * PAGE, 2 * PAGE, TCMUR_IO_NO_UNMAP), TCMUR_OK);
	const uint8_t written[(SIZE + PAGE - 1) / PAGE] = {0, 1, 0, 0, 0, 0, 0, 0,        0,
							   1, 1, 1, 1, 1, 1, 1, [20] = 1, [21] = 1};
	check_extents(written, 0, SIZE);
	/* the disk's last page is short */
	assert_int_equal(fake_daemon_write(handle, SIZE - 512, data, 512, 0), TCMUR_OK);
	assert_int_equal(fake_daemon_range(alloc->unmap, handle, SIZE - 1024, 1024, 0), TCMUR_OK);
	check_extents(written, 0, SIZE);
}

static void test_random_ranges(void **state)
{
	static uint8_t model[SIZE], data[SIZE], written[SIZE / PAGE + 1];
	void *handle = disk.open.handle;

	(void)state;
	if (keeps && !kernel_removes_pages())
		skip();
	srand(4096);
	memset(model, 0, sizeof(model));
	memset(written, 0, sizeof(written));
	for (unsigned round = 0; round < 2000; round++) {
		uint64_t offset = (uint64_t)rand() % (SIZE / 512), len = SIZE / 512 - offset;

		len = (1 + (uint64_t)rand() % len % (rand() % 2 ? 40 : 4000)) * 512;
		if (offset * 512 + len > SIZE)
			continue;
		offset *= 512;
		if (rand() % 3) {
			fill(data, len, round);
			assert_int_equal(fake_daemon_write(handle, offset, data, len, 0), TCMUR_OK);
			memcpy(model + offset, data, len);
			for (uint64_t page = offset / PAGE; page * PAGE < offset + len; page++)
				written[page] = 1;
		} else {
			uint64_t end = offset + len == SIZE ? SIZE + PAGE : offset + len;

			assert_int_equal(fake_daemon_range(alloc->unmap, handle, offset, len, 0), TCMUR_OK);
			memset(model + offset, 0, len);
			for (uint64_t page = (offset + PAGE - 1) / PAGE;
			     (page + 1) * PAGE <= end && page * PAGE < SIZE; page++)
				written[page] = 0;
		}
		assert_memory_equal(memory(), model, SIZE);
		check_extents(written, 0, SIZE);
		check_extents(written, offset, len);
	}
}

/* The next process sees the same bytes, and the same pages in use. */
static void test_kept_memory_survives(void **state)
{
	static uint8_t written[SIZE / PAGE + 1];
	uint8_t block[PAGE], back[PAGE];

	(void)state;
	if (!keeps)
		return;
	fill(block, sizeof(block), 7);
	assert_int_equal(fake_daemon_write(disk.open.handle, 3 * PAGE, block, PAGE, 0), TCMUR_OK);
	assert_int_equal(fake_daemon_write(disk.open.handle, SIZE - 512, block, 512, 0), TCMUR_OK);
	alloc->close(disk.open.handle);
	kept_memory_is_found = true;
	assert_int_equal(fake_daemon_open(&disk, "/", (struct wanted){.config = "demo", .size = SIZE}), 0);
	kept_memory_is_found = false;
	assert_non_null(strstr(logged, "survived"));
	assert_int_equal(fake_daemon_read(disk.open.handle, 3 * PAGE, back, PAGE), TCMUR_OK);
	assert_memory_equal(block, back, PAGE);
	written[3] = written[SIZE / PAGE] = 1;
	check_extents(written, 0, SIZE);
}

static void test_first_write_is_noted(void **state)
{
	static const uint8_t block[PAGE];
	struct iovec iov = {.iov_base = (void *)block, .iov_len = 512};
	struct tcmur_io same = {.len = PAGE, .iov = &iov, .iovcnt = 1};
	uint8_t back[512];

	(void)state;
	notes = 0;
	assert_int_equal(fake_daemon_read(disk.open.handle, 0, back, sizeof(back)), TCMUR_OK);
	assert_int_equal(fake_daemon_range(alloc->unmap, disk.open.handle, 0, PAGE, 0), TCMUR_OK);
	assert_int_equal(notes, 0);
	assert_int_equal(fake_daemon_io(alloc->write_same, disk.open.handle, &same), TCMUR_OK);
	assert_int_equal(notes, 1);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(fake_daemon_write(disk.open.handle, 0, block, PAGE, 0), TCMUR_OK);
	assert_int_equal(notes, 1);
}

static void test_loss_is_accepted_by_an_option(void **state)
{
	static const char *const accept[] = {"lost=accept", NULL}, *const wrong[] = {"lost=maybe", NULL};
	struct opening opening;

	(void)state;
	alloc = tcmur_handler_entry();
	refused((struct wanted){.config = "demo", .size = SIZE, .options = wrong}, "lost=maybe");
	assert_int_equal(fake_daemon_open(&opening, "/",
					  (struct wanted){.config = "demo", .size = SIZE, .options = accept}),
			 0);
	assert_true(opening.open.info.flags & TCMUR_INFO_LOSS_ACCEPTED);
	alloc->close(opening.open.handle);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_refusals),
	    cmocka_unit_test_setup_teardown(test_info, open_disk, close_disk),
	    cmocka_unit_test_setup_teardown(test_reads_what_was_written, open_disk, close_disk),
	    cmocka_unit_test_setup_teardown(test_write_same, open_disk, close_disk),
	    cmocka_unit_test_setup_teardown(test_extents_room, open_disk, close_disk),
	    cmocka_unit_test_setup_teardown(test_usage, open_disk, close_disk),
	    cmocka_unit_test_setup_teardown(test_unmap_frees_pages, open_disk, close_disk),
	    cmocka_unit_test_setup_teardown(test_random_ranges, open_disk, close_disk),
	    cmocka_unit_test_setup_teardown(test_kept_memory_survives, open_disk, close_disk),
	    cmocka_unit_test_setup_teardown(test_first_write_is_noted, open_disk, close_disk),
	    cmocka_unit_test(test_loss_is_accepted_by_an_option),
	};
	int failed = cmocka_run_group_tests_name("memory of the process", tests, NULL, NULL);

	keeps = true;
	return failed + cmocka_run_group_tests_name("memory that is kept", tests, NULL, NULL);
}
