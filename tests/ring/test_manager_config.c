/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The device's dev_config, HANDLER/CONFIG;KEY=VALUE: what the handler gets, what is refused, and the reasons.
 */
#include "manager_fixture.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "scsi/scsi.h"
#include "kept_log.h"

static int set_up_log(void **state)
{
	log_keep();
	return set_up(state);
}

/* Adds a device whose kernel waits for the reply, and returns the reply. */
static int add_config(unsigned n, const char *config)
{
	fake_device_make(n, "alloc/none", SIZE);
	snprintf(fake_devices[n].uio_name, sizeof(fake_devices[n].uio_name), "tcm-user/0/d%u/%s", n, config);
	return send_added(n);
}

static void test_options_reach_the_handler(void **state)
{
	struct fixture *w = *state;
	char value[64];

	open_manager(w);
	assert_int_equal(add_config(1, "file/a.img;cache=writethrough"), 0);
	wait_state(w, 1, TCMU_DEVICE_SERVED);
	assert_string_equal(observe_device(w, 1).config, "file/a.img;cache=writethrough");
	assert_int_equal(size_of(w, "a.img"), SIZE);
	assert_string_equal(fake_attribute(1, "attrib/emulate_write_cache", value), "0");
	assert_int_equal(fake_command(1, TEST_UNIT_READY, 6, 0), SCSI_GOOD);
	assert_true(is_logged("served, 1048576 bytes, with cache=writethrough"));
}

static void test_filters_stand_before_the_storage(void **state)
{
	static const uint8_t synchronize_cache[10] = {0x35};
	static const char line[] = "served, 1048576 bytes, with cache=writeback, "
				   "filters: delay (delay=1ms), error (sense=3/c/3)";
	struct fixture *w = *state;

	open_manager(w);
	assert_int_equal(
	    add_config(1, "file/a.img;cache=writeback;filter=delay;delay=1ms;filter=error;sense=3/c/3"), 0);
	wait_state(w, 1, TCMU_DEVICE_SERVED);
	assert_int_equal(fake_command(1, TEST_UNIT_READY, 6, 0), SCSI_GOOD);
	assert_int_equal(fake_command(1, synchronize_cache, 10, 0), SCSI_CHECK_CONDITION);
	for (int i = 0; i < 60000 && !is_logged(line); i++)
		usleep(1000);
	assert_true(is_logged(line));
}

static void test_wrong_options(void **state)
{
	struct fixture *w = *state;

	open_manager(w);
	assert_int_equal(add_config(1, "file/a.img;cache=fast"), -EINVAL);
	assert_true(is_logged("cache=fast: must be writeback"));
	assert_int_equal(add_config(2, "file/a.img;speed=9"), -EINVAL);
	assert_true(is_logged("handler file has no option \"speed\""));
	assert_int_equal(add_config(3, "file/a.img;filter=nosuch;read=5"), -EINVAL);
	assert_true(is_logged("no filter \"nosuch\" is loaded"));
	wait_gone(w);
	assert_int_equal(size_of(w, "a.img"), -1);
}

static void test_escapes(void **state)
{
	struct fixture *w = *state;

	open_manager(w);
	assert_int_equal(add_config(1, "file/my~20disk~2c~3b1.img"), 0);
	wait_state(w, 1, TCMU_DEVICE_SERVED);
	assert_int_equal(size_of(w, "my disk,;1.img"), SIZE);
}

/* Before there were options, such a name meant a file. */
static void test_literal_name(void **state)
{
	struct fixture *w = *state;

	make_storage(w, "a;b", SIZE);
	make_storage(w, "a", SIZE);
	fake_device_make(2, "file/a;b", SIZE);
	open_manager(w);
	wait_state(w, 2, TCMU_DEVICE_FAILED);
	assert_non_null(strstr(observe_device(w, 2).error, "write file/a~3bb"));
	assert_int_equal(add_config(1, "file/a;b"), -EINVAL);
	assert_int_equal(add_config(3, "file/a~3bb"), 0);
	wait_state(w, 3, TCMU_DEVICE_SERVED);
}

static void test_reconfigured_options(void **state)
{
	struct tcmu_event event = {.has_config = true};
	struct fixture *w = *state;

	open_manager(w);
	assert_int_equal(add_config(1, "file/a.img"), 0);
	wait_state(w, 1, TCMU_DEVICE_SERVED);
	make_storage(w, "b.img", SIZE);
	strcpy(event.config, "file/b.img;speed=9");
	assert_int_equal(send_reconfigured(1, event), -EINVAL);
	strcpy(event.config, "file/b.img;cache=writethrough");
	assert_int_equal(send_reconfigured(1, event), 0);
	for (int i = 0; i < 1000 && !is_logged("with cache=writethrough"); i++)
		pause_briefly();
	assert_true(is_logged("with cache=writethrough"));
	assert_string_equal(observe_device(w, 1).config, event.config);
}

/* targetcli would save this as another configuration. */
static void test_warning_of_blanks(void **state)
{
	struct fixture *w = *state;

	fake_device_make(1, "file/my disk.img", SIZE);
	fake_device_make(2, "file/a:b.img", SIZE);
	fake_device_make(3, "file/good~20disk.img", SIZE);
	open_manager(w);
	wait_state(w, 1, TCMU_DEVICE_SERVED);
	assert_true(is_logged("dev_config 'file/my disk.img' contains a blank or a colon"));
	assert_true(is_logged("dev_config 'file/a:b.img' contains a blank or a colon"));
	assert_false(is_logged("dev_config 'file/good"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_options_reach_the_handler, set_up_log, tear_down),
	    cmocka_unit_test_setup_teardown(test_filters_stand_before_the_storage, set_up_log, tear_down),
	    cmocka_unit_test_setup_teardown(test_wrong_options, set_up_log, tear_down),
	    cmocka_unit_test_setup_teardown(test_escapes, set_up_log, tear_down),
	    cmocka_unit_test_setup_teardown(test_literal_name, set_up_log, tear_down),
	    cmocka_unit_test_setup_teardown(test_reconfigured_options, set_up_log, tear_down),
	    cmocka_unit_test_setup_teardown(test_warning_of_blanks, set_up_log, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
