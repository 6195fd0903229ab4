/* SPDX-License-Identifier: Apache-2.0 */
/* Devices that are added and removed. */
#include "manager_fixture.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "kept_log.h"
#include "scsi/scsi.h"

static void test_add_serve_remove(void **state)
{
	struct fixture *w = *state;
	char value[64];

	open_manager(w);
	fake_device_make(1, "file/a.img", SIZE);
	lose_storage(w, "a.img");
	assert_int_equal(send_added(1), 0);
	struct seen seen = wait_state(w, 1, TCMU_DEVICE_SERVED);
	assert_int_equal(seen.size, SIZE);
	assert_string_equal(seen.config, "file/a.img");
	assert_int_equal(size_of(w, "a.img"), SIZE);
	assert_string_equal(fake_attribute(1, "attrib/emulate_write_cache", value), "1");
	assert_string_equal(fake_attribute(1, "attrib/cmd_time_out", value), "45");
	assert_string_equal(fake_attribute(1, "attrib/tmr_notification", value), "1");
	assert_int_equal(fake_command(1, TEST_UNIT_READY, 6, 0), SCSI_GOOD);
	assert_int_equal(send_removed(1), 0);
	wait_gone(w);
}

static void test_failed_add_is_refused(void **state)
{
	struct fixture *w = *state;

	open_manager(w);
	fake_device_make(1, "file/no-folder/a.img", SIZE);
	assert_int_equal(send_added(1), -ENOENT);
	wait_gone(w);
}

/*
 * Names as long as possible, with every character that they may contain. If an event was not answered, its
 * sender would wait for ever.
 */
static void test_long_names(void **state)
{
	char name[256], path[400];
	struct fixture *w = *state;

	open_manager(w);
	memset(name, 'n', 255);
	name[255] = '\0';
	name[100] = '\n';
	name[101] = '%';
	fake_device_make(1, "file/a.img", SIZE);
	snprintf(fake_devices[1].uio_name, sizeof(fake_devices[1].uio_name), "tcm-user/0/%s/file/a.img",
		 name);
	snprintf(path, sizeof(path), "%s/core/user_0/%s", w->folder, name);
	assert_int_equal(symlink("d1", path), 0);
	assert_int_equal(send_added(1), 0);
	assert_int_equal(fake_command(1, TEST_UNIT_READY, 6, 0), SCSI_GOOD);
	assert_int_equal(send_removed(1), 0);
	wait_gone(w);
}

/*
 * The kernel has enabled the device whatever the answer is. So the device is listed, and its storage is
 * opened again later.
 */
static void test_failed_add_without_a_waiting_kernel(void **state)
{
	struct fixture *w = *state;

	open_manager(w);
	fake_kernel_waits(false);
	fake_device_make(1, "file/a.img", SIZE);
	break_storage(w, "a.img");
	assert_int_equal(send_added(1), -EISDIR);
	assert_int_equal(wait_state(w, 1, TCMU_DEVICE_FAILED).size, SIZE);
	assert_int_equal(fake_command(1, TEST_UNIT_READY, 6, 0), SCSI_CHECK_CONDITION);
	repair_storage(w, "a.img");
	for (int i = 0; i < 60000 && observe_device(w, 1).state != TCMU_DEVICE_SERVED; i++) {
		kernel_manager_tick(w->manager);
		pause_briefly();
	}
	assert_int_equal(fake_command(1, TEST_UNIT_READY, 6, 0), SCSI_GOOD);
}

/* The events of these removals were not received. */
static void test_devices_removed_without_event(void **state)
{
	struct fixture *w = *state;

	fake_device_make(1, "file/a.img", SIZE);
	fake_device_make(2, "file/b.img", SIZE);
	fake_device_stick(2, true);
	open_manager(w);
	wait_state(w, 1, TCMU_DEVICE_SERVED);
	fake_device_free(2);
	fake_device_stick(2, false);
	for (int i = 0; i < 60000 && observe_device(w, 1).n > 1; i++)
		pause_briefly();
	assert_int_equal(observe_device(w, 1).n, 1);

	fake_devices[1].open = false;
	snprintf(fake_devices[1].uio_name, sizeof(fake_devices[1].uio_name), "tcm-user/0/d2/file/b.img");
	assert_int_equal(send_added(1), 0);
	assert_string_equal(observe_device(w, 1).config, "file/b.img");
	assert_int_equal(fake_command(1, TEST_UNIT_READY, 6, 0), SCSI_GOOD);
}

/*
 * A device is removed and created again at once, with the same storage, which is still open for the first
 * one.
 */
static void test_device_is_created_again_at_once(void **state)
{
	struct fixture *w = *state;

	open_manager(w);
	fake_device_make(1, "file/a.img", SIZE);
	assert_int_equal(send_added(1), 0);
	for (unsigned n = 2; n < 12; n++) {
		struct tcmu_event removed = {.type = TCMU_EVENT_REMOVED}, added = {.type = TCMU_EVENT_ADDED};

		fake_event(n - 1, &removed);
		fake_device_make(n, "file/a.img", SIZE);
		fake_event(n, &added);
		assert_int_equal(fake_answer(&removed), 0);
		assert_int_equal(fake_answer(&added), 0);
		assert_int_equal(fake_command(n, TEST_UNIT_READY, 6, 0), SCSI_GOOD);
	}
}

static void test_many_at_once(void **state)
{
	struct tcmu_event added[20], removed[20];
	struct fixture *w = *state;

	open_manager(w);
	for (unsigned n = 0; n < 20; n++) {
		char config[32];

		snprintf(config, sizeof(config), "file/many%u.img", n);
		fake_device_make(n, config, SIZE);
		added[n] = (struct tcmu_event){.type = TCMU_EVENT_ADDED};
		fake_event(n, &added[n]);
	}
	for (unsigned n = 0; n < 20; n++)
		assert_int_equal(fake_answer(&added[n]), 0);
	for (unsigned n = 0; n < 20; n++) {
		removed[n] = (struct tcmu_event){.type = TCMU_EVENT_REMOVED};
		fake_event(n, &removed[n]);
	}
	for (unsigned n = 0; n < 20; n++)
		assert_int_equal(fake_answer(&removed[n]), 0);
	wait_gone(w);
}

#define STUCK 40

static void stick(bool stuck)
{
	for (unsigned n = 0; n < STUCK; n++)
		fake_device_stick(n, stuck);
}

/* However many devices hang while they are opened or closed, the next device does not wait for them. */
static void test_stuck_devices_delay_no_other(void **state)
{
	struct tcmu_event added[STUCK];
	struct fixture *w = *state;

	open_manager(w);
	stick(true);
	for (unsigned n = 0; n < STUCK; n++) {
		char config[32];

		snprintf(config, sizeof(config), "alloc/stuck%u", n);
		fake_device_make(n, config, SIZE);
		added[n] = (struct tcmu_event){.type = TCMU_EVENT_ADDED};
		fake_event(n, &added[n]);
	}
	fake_device_make(STUCK, "alloc/free", SIZE);
	assert_int_equal(send_added(STUCK), 0);
	stick(false);
	for (unsigned n = 0; n < STUCK; n++)
		assert_int_equal(fake_answer(&added[n]), 0);

	stick(true);
	for (unsigned n = 0; n < STUCK; n++)
		assert_int_equal(send_removed(n), 0);
	assert_int_equal(send_removed(STUCK), 0);
	for (int i = 0; i < 60000 && observe_device(w, 0).n > STUCK; i++)
		pause_briefly();
	assert_int_equal(observe_device(w, 0).n, STUCK);
	fake_device_make(STUCK + 1, "alloc/free", SIZE);
	assert_int_equal(send_added(STUCK + 1), 0);
	stick(false);
}

/* The device is removed and the manager is closed before the job has opened anything. */
static void test_every_event_is_answered(void **state)
{
	struct tcmu_event added[20], removed = {.type = TCMU_EVENT_REMOVED};
	struct fixture *w = *state;

	open_manager(w);
	for (unsigned n = 0; n < 20; n++) {
		char config[32];

		snprintf(config, sizeof(config), "file/many%u.img", n);
		fake_device_make(n, config, SIZE);
		added[n] = (struct tcmu_event){.type = TCMU_EVENT_ADDED};
		fake_event(n, &added[n]);
	}
	fake_event(19, &removed);
	close_manager(w);
	assert_int_equal(fake_answer(&removed), 0);
	for (unsigned n = 0; n < 20; n++) {
		int status = fake_answer(&added[n]);

		assert_true(status == 0 || status == -ESHUTDOWN);
	}
}

static void test_broken_ring_fails(void **state)
{
	const uint32_t event = 1;
	struct fixture *w = *state;

	open_manager(w);
	fake_device_make(1, "file/a.img", SIZE);
	assert_int_equal(send_added(1), 0);
	assert_int_equal(send_reconfigured(1, (struct tcmu_event){.has_size = true, .size = 2 * SIZE}), 0);
	fake_ring_put_raw(&fake_devices[1].ring, 0, 64);
	assert_int_equal(write(fake_devices[1].uio, &event, 4), 4);
	struct seen seen = wait_state(w, 1, TCMU_DEVICE_FAILED);
	assert_non_null(strstr(seen.error, "ring is broken"));
	assert_int_equal(seen.size, 2 * SIZE);
	kernel_manager_tick(w->manager);
	assert_int_equal(observe_device(w, 1).state, TCMU_DEVICE_FAILED);
	assert_int_equal(send_removed(1), 0);
	wait_gone(w);
}

/* Initiators would take the two disks for one disk with two paths. */
static void test_same_serial_number_twice(void **state)
{
	struct fixture *w = *state;

	open_manager(w);
	for (unsigned n = 1; n <= 2; n++) {
		fake_device_make(n, n == 1 ? "alloc/one" : "alloc/two", SIZE);
		assert_int_equal(send_added(n), 0);
		fake_attribute_set(n, "wwn/vpd_unit_serial", "T10 VPD Unit Serial Number: same");
	}
	assert_int_equal(fake_command(1, TEST_UNIT_READY, 6, 0), SCSI_GOOD);
	log_keep();
	assert_int_equal(fake_command(2, TEST_UNIT_READY, 6, 0), SCSI_CHECK_CONDITION);
	assert_int_equal(fake_devices[2].ring.sense_key[1], 2); /* NOT READY */
	assert_true(is_logged("user_0/d2 and user_0/d1 have the same serial number"));
	assert_int_equal(fake_command(1, TEST_UNIT_READY, 6, 0), SCSI_GOOD);
}

/* The stop of the daemon must not wait for storage that hangs; the next daemon resets the ring. */
static void test_close_while_storage_hangs(void **state)
{
	static const uint8_t read_first[10] = {0x28, [8] = 1};
	struct fixture *w = *state;
	char path[128], text[128];

	open_manager(w);
	fake_device_make(1, "alloc/a;filter=delay;read=3s", SIZE);
	fake_device_make(2, "alloc/b", SIZE);
	assert_int_equal(send_added(1), 0);
	assert_int_equal(send_added(2), 0);
	while (fake_command(1, TEST_UNIT_READY, 6, 0) != SCSI_GOOD) /* unit attentions */
		;
	int id = fake_send(1, read_first, sizeof(read_first), 512);
	pause_briefly();
	assert_false(kernel_manager_close(w->manager, 300));
	snprintf(path, sizeof(path), "%s/clean-stop", w->folder);
	FILE *file = fopen(path, "r");
	assert_non_null(file);
	for (int line = 0; line < 3; line++)
		assert_non_null(fgets(text, sizeof(text), file));
	fclose(file);
	assert_memory_equal(text, "1 ", 2);
	assert_int_equal(fake_await(1, id), SCSI_GOOD);
	close_manager(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_same_serial_number_twice, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_add_serve_remove, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_failed_add_is_refused, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_long_names, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_failed_add_without_a_waiting_kernel, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_devices_removed_without_event, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_device_is_created_again_at_once, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_many_at_once, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_stuck_devices_delay_no_other, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_every_event_is_answered, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_broken_ring_fails, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_close_while_storage_hangs, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
