/* SPDX-License-Identifier: Apache-2.0 */
/*
 * New devices that the kernel enables late or removes again. The fake kernel fails the test if a ring is
 * mapped too early.
 */
#include "manager_fixture.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "scsi/scsi.h"

/* The daemon has answered, but the kernel has not enabled the device yet. */
static void add_not_enabled(struct fixture *w)
{
	open_manager(w);
	fake_device_make(1, "file/a.img", SIZE);
	fake_enable(1, false);
	assert_int_equal(send_added(1), 0);
}

static void test_device_that_is_enabled_late(void **state)
{
	struct fixture *w = *state;

	add_not_enabled(w);
	for (int i = 0; i < 10; i++)
		pause_briefly();
	assert_int_equal(observe_device(w, 1).state, TCMU_DEVICE_OPENING);
	fake_enable(1, true);
	wait_state(w, 1, TCMU_DEVICE_SERVED);
	assert_int_equal(fake_command(1, TEST_UNIT_READY, 6, 0), SCSI_GOOD);
}

/* Another daemon has refused the device, and no event reports this. */
static void test_device_removed_before_enable(void **state)
{
	struct fixture *w = *state;

	add_not_enabled(w);
	fake_device_free(1);
	wait_gone(w);
}

static void test_minor_number_is_used_again(void **state)
{
	struct fixture *w = *state;

	add_not_enabled(w);
	fake_device_free(1);
	fake_device_make(1, "alloc/b", SIZE);
	assert_int_equal(send_added(1), 0);
	wait_state(w, 1, TCMU_DEVICE_SERVED);
	for (int i = 0; i < 60000 && observe_device(w, 1).n > 1; i++)
		pause_briefly();
	assert_int_equal(observe_device(w, 1).n, 1);
	assert_string_equal(observe_device(w, 1).config, "alloc/b");
	assert_int_equal(fake_command(1, TEST_UNIT_READY, 6, 0), SCSI_GOOD);
}

/*
 * The process that creates the device has stopped waiting for the answer. It enables the device once more
 * while the daemon is still opening the storage for the first time.
 */
static void test_device_is_added_again_while_it_opens(void **state)
{
	struct tcmu_event event = {.type = TCMU_EVENT_ADDED};
	struct fixture *w = *state;

	open_manager(w);
	fake_device_make(1, "file/a.img", SIZE);
	fake_device_stick(1, true);
	fake_event(1, &event);
	fake_event(1, &event);
	fake_device_stick(1, false);
	assert_int_equal(fake_answer(&event), 0);
	wait_state(w, 1, TCMU_DEVICE_SERVED);
	close_manager(w);
	assert_int_equal(fake_answer(&event), 0); /* answered exactly once */
}

/* The kernel uses every size that was written, so the daemon then writes the size that it really serves. */
static void test_size_that_was_set_without_waiting(void **state)
{
	struct fixture *w = *state;

	open_manager(w);
	fake_device_make(1, "file/a.img", SIZE);
	assert_int_equal(send_added(1), 0);
	wait_state(w, 1, TCMU_DEVICE_SERVED);
	fake_attribute_set(1, "control", "-");
	fake_kernel_waits(false);
	send_reconfigured(1, (struct tcmu_event){.has_size = true, .size = SIZE / 2});
	wait_attribute(1, "control", "dev_size=1048576");
	send_reconfigured(1, (struct tcmu_event){.has_size = true, .size = SIZE * 2});
	wait_attribute(1, "control", "dev_size=2097152");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_device_that_is_enabled_late, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_device_removed_before_enable, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_minor_number_is_used_again, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_device_is_added_again_while_it_opens, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_size_that_was_set_without_waiting, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
