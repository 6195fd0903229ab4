/* SPDX-License-Identifier: Apache-2.0 */
/* Images that are missing: which device may create its image, and what happens to a device that may not. */
#include "manager_fixture.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kept_log.h"
#include "scsi/scsi.h"

static int set_up_log(void **state)
{
	log_keep();
	return set_up(state);
}

/* Serves the image as device 1, and removes the device, which leaves the image. */
static void serve_and_remove(struct fixture *w, const char *config)
{
	fake_device_make(1, config, SIZE);
	assert_int_equal(send_added(1), 0);
	wait_state(w, 1, TCMU_DEVICE_SERVED);
	assert_int_equal(send_removed(1), 0);
	wait_gone(w);
	fake_device_free(1);
}

/* Sends the event of a device as if fake_device_make() had made it, but creates no image. */
static int add_without_image(struct fixture *w, const char *config, const char *image)
{
	fake_device_make(1, config, SIZE);
	lose_storage(w, image);
	return send_added(1);
}

/* The device exists and answers NOT READY while its image is missing, until the image comes back. */
static void assert_waits_for_image(struct fixture *w, const char *image)
{
	wait_state(w, 1, TCMU_DEVICE_FAILED);
	assert_non_null(strstr(observe_device(w, 1).error, image));
	assert_non_null(strstr(observe_device(w, 1).error, "has been served before"));
	int id = fake_send(1, TEST_UNIT_READY, 6, 0);
	assert_int_equal(fake_await(1, id), SCSI_CHECK_CONDITION);
	assert_int_equal(fake_devices[1].ring.sense_key[id], 2); /* NOT READY */
	kernel_manager_tick(w->manager);
	for (int i = 0; i < 20; i++)
		pause_briefly();
	assert_int_equal(observe_device(w, 1).state, TCMU_DEVICE_FAILED);
	assert_int_equal(size_of(w, image), -1);
}

static void assert_served_again(struct fixture *w)
{
	for (int i = 0; i < 1000 && observe_device(w, 1).state != TCMU_DEVICE_SERVED; i++) {
		kernel_manager_tick(w->manager);
		pause_briefly();
	}
	wait_state(w, 1, TCMU_DEVICE_SERVED);
	/* The unit attentions report that the disk is another one. */
	for (int i = 0; i < 5 && fake_command(1, TEST_UNIT_READY, 6, 0) != SCSI_GOOD; i++)
		;
	assert_int_equal(fake_command(1, TEST_UNIT_READY, 6, 0), SCSI_GOOD);
}

static void test_new_image_is_created_once(void **state)
{
	struct fixture *w = *state;

	open_manager(w);
	assert_int_equal(add_without_image(w, "file/a.img", "a.img"), 0);
	wait_state(w, 1, TCMU_DEVICE_SERVED);
	assert_int_equal(size_of(w, "a.img"), SIZE);
}

/* A saved configuration is restored while the image's file system is not mounted. */
static void test_served_image_is_not_created(void **state)
{
	struct fixture *w = *state;
	char value[64];

	open_manager(w);
	serve_and_remove(w, "file/a.img");
	assert_int_equal(add_without_image(w, "file/a.img", "a.img"), 0);
	assert_waits_for_image(w, "a.img");
	assert_string_equal(fake_attribute(1, "attrib/cmd_time_out", value), "45");
	make_storage(w, "a.img", SIZE);
	assert_served_again(w);
}

/* The image is found by another path, with options, and after a restart of the daemon. */
static void test_image_is_known_by_its_place(void **state)
{
	struct fixture *w = *state;
	char config[128];

	open_manager(w);
	serve_and_remove(w, "file/a.img");
	close_manager(w);
	open_manager(w);
	snprintf(config, sizeof(config), "file/../%s/./a.img;cache=writethrough",
		 w->folder + strlen("/tmp/"));
	fake_device_make(1, "alloc/x", SIZE);
	snprintf(fake_devices[1].uio_name, sizeof(fake_devices[1].uio_name), "tcm-user/0/d1/%s", config);
	lose_storage(w, "a.img");
	assert_int_equal(send_added(1), 0);
	assert_waits_for_image(w, "a.img");
}

static void test_folder_is_missing_too(void **state)
{
	struct fixture *w = *state;
	char folder[128];

	open_manager(w);
	snprintf(folder, sizeof(folder), "%s/disks", w->folder);
	assert_int_equal(mkdir(folder, 0700), 0);
	serve_and_remove(w, "file/disks/a.img");
	lose_storage(w, "disks/a.img");
	assert_int_equal(rmdir(folder), 0);
	fake_device_make(1, "file/disks/a.img", SIZE);
	assert_int_equal(send_added(1), 0);
	assert_waits_for_image(w, "disks/a.img");
	assert_int_equal(mkdir(folder, 0700), 0);
	make_storage(w, "disks/a.img", SIZE);
	assert_served_again(w);
}

/* A device that exists when the daemon starts creates no image, whether it was served before or not. */
static void test_adopted_device_creates_nothing(void **state)
{
	struct fixture *w = *state;

	fake_device_make(1, "file/a.img", SIZE);
	lose_storage(w, "a.img");
	open_manager(w);
	wait_state(w, 1, TCMU_DEVICE_FAILED);
	assert_non_null(strstr(observe_device(w, 1).error, "a.img: no such file"));
	assert_int_equal(size_of(w, "a.img"), -1);
	make_storage(w, "a.img", SIZE);
	assert_served_again(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_new_image_is_created_once, set_up_log, tear_down),
	    cmocka_unit_test_setup_teardown(test_served_image_is_not_created, set_up_log, tear_down),
	    cmocka_unit_test_setup_teardown(test_image_is_known_by_its_place, set_up_log, tear_down),
	    cmocka_unit_test_setup_teardown(test_folder_is_missing_too, set_up_log, tear_down),
	    cmocka_unit_test_setup_teardown(test_adopted_device_creates_nothing, set_up_log, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
