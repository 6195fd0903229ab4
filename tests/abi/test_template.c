/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs the handler of the template, which was built outside this tree. The argument is the file of the
 * handler.
 */
#include "loaded.h"

#include <errno.h>
#include <string.h>

static void test_disk(void **state)
{
	static const char *const options[] = {"fill=7", NULL};
	static uint8_t data[4096], back[4096];
	struct tcmur_handler *template = tcmur_handler_entry();
	struct opening opening;
	void *handle;

	(void)state;
	assert_string_equal(template->name, "template");
	assert_int_equal(template->struct_size, sizeof(*template));
	assert_int_equal(fake_daemon_open(&opening, "/", (struct wanted){.config = "x"}), -EINVAL);
	assert_string_equal(opening.open.error, "template/x: the disk needs a size");

	assert_int_equal(
	    fake_daemon_open(&opening, "/",
			     (struct wanted){.config = "x", .size = 1u << 20, .options = options}),
	    0);
	assert_int_equal(opening.open.info.size, 1u << 20);
	handle = opening.open.handle;
	memset(data, 7, sizeof(data));
	assert_int_equal(fake_daemon_read(handle, 4096, back, sizeof(back)), TCMUR_OK);
	assert_memory_equal(data, back, sizeof(data));
	fill(data, sizeof(data), 1);
	assert_int_equal(fake_daemon_write(handle, (1u << 20) - 4096, data, sizeof(data), 0), TCMUR_OK);
	assert_int_equal(fake_daemon_read(handle, (1u << 20) - 4096, back, sizeof(back)), TCMUR_OK);
	assert_memory_equal(data, back, sizeof(data));
	template->close(handle);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_disk)};

	if (argc != 2)
		return 2;
	load_handler(argv[1]);
	return cmocka_run_group_tests_name("template", tests, NULL, NULL);
}
