/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Disks in memory that the kernel front end serves, while its manager is restarted: an empty disk must
 * never be treated as the disk that had data.
 */
#include "manager_fixture.h"

#include <string.h>

#include "scsi/scsi.h"

#define NOT_READY      2
#define UNIT_ATTENTION 6

static const uint8_t write_10[10] = {0x2a, [8] = 1}, read_10[10] = {0x28, [8] = 1};

static void restart(struct fixture *w)
{
	close_manager(w);
	open_manager(w);
	wait_state(w, 1, TCMU_DEVICE_SERVED);
}

static void assert_not_ready(void)
{
	assert_int_equal(fake_command(1, read_10, 10, 512), SCSI_CHECK_CONDITION);
	assert_int_equal(fake_devices[1].ring.sense_key[1], NOT_READY);
	assert_int_equal(fake_command(1, write_10, 10, 512), SCSI_CHECK_CONDITION);
	assert_int_equal(fake_devices[1].ring.sense_key[1], NOT_READY);
}

static int write_config_again(const char *config)
{
	struct tcmu_event event = {.has_config = true};

	strcpy(event.config, config);
	return send_reconfigured(1, event);
}

/* The memory is lost with the manager, because the test does not keep it. */
static void test_loss_is_accepted_by_dev_config(void **state)
{
	struct fixture *w = *state;

	fake_device_make(1, "alloc/c", SIZE);
	open_manager(w);
	wait_state(w, 1, TCMU_DEVICE_SERVED);
	assert_int_equal(fake_command(1, write_10, 10, 512), SCSI_GOOD);
	for (unsigned i = 0; i < 2; i++) {
		restart(w);
		assert_not_ready();
	}
	assert_int_equal(write_config_again("alloc/c"), 0);
	assert_int_equal(fake_command(1, read_10, 10, 512), SCSI_CHECK_CONDITION);
	assert_int_equal(fake_devices[1].ring.sense_key[1], UNIT_ATTENTION); /* MEDIUM MAY HAVE CHANGED */
	assert_int_equal(fake_command(1, read_10, 10, 512), SCSI_GOOD);
	restart(w);
	assert_int_equal(fake_command(1, read_10, 10, 512), SCSI_GOOD);
}

static void test_unwritten_disk_has_lost_nothing(void **state)
{
	struct fixture *w = *state;

	fake_device_make(1, "alloc/c", SIZE);
	open_manager(w);
	wait_state(w, 1, TCMU_DEVICE_SERVED);
	assert_int_equal(fake_command(1, read_10, 10, 512), SCSI_GOOD);
	restart(w);
	assert_int_equal(fake_command(1, read_10, 10, 512), SCSI_GOOD);
}

/* A device that is removed and created again under the same name is another disk. */
static void test_device_that_is_created_again(void **state)
{
	struct fixture *w = *state;

	open_manager(w);
	fake_device_make(1, "alloc/c", SIZE);
	assert_int_equal(send_added(1), 0);
	assert_int_equal(fake_command(1, write_10, 10, 512), SCSI_GOOD);
	assert_int_equal(send_removed(1), 0);
	wait_gone(w);
	fake_device_free(1);
	fake_device_make(1, "alloc/c", SIZE);
	assert_int_equal(send_added(1), 0);
	assert_int_equal(fake_command(1, read_10, 10, 512), SCSI_GOOD);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_loss_is_accepted_by_dev_config),
	    TEST(test_unwritten_disk_has_lost_nothing),
	    TEST(test_device_that_is_created_again),
	};

	return cmocka_run_group_tests_name("contents", tests, NULL, NULL);
}
