/* SPDX-License-Identifier: Apache-2.0 */
/* The handler null, in a fake daemon. */
#include "fake_daemon.h"

#include <stdlib.h>

static const struct wanted defaults = {.config = "bench"};

static void default_and_wanted_geometry(void **state)
{
	struct wanted wanted = {.config = "bench", .size = 1ull << 40, .block_size = 4096, .read_only = true};
	struct opening opening;

	(void)state;
	assert_int_equal(fake_daemon_open(&opening, "/", defaults), 0);
	assert_int_equal(opening.open.info.size, 1u << 30);
	assert_int_equal(opening.open.info.block_size, 512);
	assert_false(opening.open.info.read_only);
	tcmur_handler_entry()->close(opening.open.handle);

	assert_int_equal(fake_daemon_open(&opening, "/", wanted), 0);
	assert_int_equal(opening.open.info.size, 1ull << 40);
	assert_int_equal(opening.open.info.block_size, 4096);
	assert_true(opening.open.info.read_only);
	tcmur_handler_entry()->close(opening.open.handle);
}

static void reads_zeros_whatever_was_written(void **state)
{
	struct opening opening;
	uint8_t data[4096];

	(void)state;
	assert_int_equal(fake_daemon_open(&opening, "/", defaults), 0);
	fill(data, sizeof(data), 1);
	assert_int_equal(fake_daemon_write(opening.open.handle, 8192, data, sizeof(data), TCMUR_IO_FUA),
			 TCMUR_OK);
	assert_int_equal(fake_daemon_read(opening.open.handle, 8192, data, sizeof(data)), TCMUR_OK);
	assert_true(all_zero(data, sizeof(data)));
	tcmur_handler_entry()->close(opening.open.handle);
}

/* The handler must not touch iovecs past the length of the I/O. */
static void null_keeps_to_the_length(void **state)
{
	uint8_t first[512], second[1024];
	struct iovec iov[] = {{first, 512}, {second, 1024}};
	struct tcmur_io io = {.len = 1024, .iov = iov, .iovcnt = 2};
	struct opening opening;

	(void)state;
	assert_int_equal(fake_daemon_open(&opening, "/", defaults), 0);
	fill(first, sizeof(first), 1);
	fill(second, sizeof(second), 2);
	assert_int_equal(fake_daemon_io(tcmur_handler_entry()->read, opening.open.handle, &io), TCMUR_OK);
	assert_true(all_zero(first, 512));
	assert_true(all_zero(second, 512));
	assert_false(all_zero(second + 512, 512));
	tcmur_handler_entry()->close(opening.open.handle);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(default_and_wanted_geometry),
	    cmocka_unit_test(reads_zeros_whatever_was_written),
	    cmocka_unit_test(null_keeps_to_the_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
