/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Starts of a manager after an earlier manager has ended: which rings it continues, which rings it resets and
 * when, and which devices it tries to open again.
 */
#include "manager_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "scsi/scsi.h"
#include "kernel/stray_io.h"

static void test_crash_resets_and_clean_stop_does_not(void **state)
{
	struct fixture *w = *state;
	char value[64];

	fake_device_make(1, "file/a.img", SIZE);
	fake_attribute_set(1, "attrib/emulate_write_cache", "1");
	open_manager(w);
	wait_state(w, 1, TCMU_DEVICE_SERVED);
	/* The commands in the ring are served. The fake kernel keeps them unless it sees a reset. */
	assert_int_equal(fake_command(1, TEST_UNIT_READY, 6, 0), SCSI_GOOD);
	assert_string_equal(fake_attribute(1, "action/reset_ring", value), "1");
	assert_string_equal(fake_attribute(1, "action/block_dev", value), "0");
	close_manager(w);
	fake_attribute_set(1, "action/reset_ring", "-");
	fake_attribute_set(1, "action/block_dev", "-");
	open_manager(w);
	wait_state(w, 1, TCMU_DEVICE_SERVED);
	assert_int_equal(fake_command(1, TEST_UNIT_READY, 6, 0), SCSI_GOOD);
	assert_string_equal(fake_attribute(1, "action/reset_ring", value), "-");
	assert_string_equal(fake_attribute(1, "action/block_dev", value), "-");
}

/* Changes the mark as if the daemon had stopped this many seconds earlier. */
static void age_mark(const struct fixture *w, unsigned seconds)
{
	char path[128], boot[64];
	unsigned long long ns;

	snprintf(path, sizeof(path), "%s/clean-stop", w->folder);
	FILE *mark = fopen(path, "r+");

	assert_non_null(mark);
	assert_int_equal(fscanf(mark, "%63s %llu", boot, &ns), 2);
	rewind(mark);
	fprintf(mark, "%s\n%llu\n", boot, ns - seconds * 1000000000ull);
	assert_int_equal(fclose(mark), 0);
}

/*
 * A command that has waited for longer than cmd_time_out (30 s) is answered BUSY. A device without a time-out
 * serves it. The age stays below the uptime of a machine that has just booted.
 */
static void test_old_commands_are_not_begun(void **state)
{
	struct fixture *w = *state;

	fake_device_make(1, "file/a.img", SIZE);
	fake_device_make(2, "file/b.img", SIZE);
	fake_attribute_set(2, "attrib/cmd_time_out", "0");
	open_manager(w);
	wait_state(w, 1, TCMU_DEVICE_SERVED);
	wait_state(w, 2, TCMU_DEVICE_SERVED);
	close_manager(w);
	int young = fake_send(1, TEST_UNIT_READY, 6, 0);
	open_manager(w);
	assert_int_equal(fake_await(1, young), SCSI_GOOD);
	close_manager(w);
	int old = fake_send(1, TEST_UNIT_READY, 6, 0), patient = fake_send(2, TEST_UNIT_READY, 6, 0);
	age_mark(w, 60);
	open_manager(w);
	assert_int_equal(fake_await(1, old), SCSI_BUSY);
	assert_int_equal(fake_await(2, patient), SCSI_GOOD);
	assert_int_equal(fake_command(1, TEST_UNIT_READY, 6, 0), SCSI_GOOD);
}

/*
 * The service is stopped and started again. The next manager can only use the descriptors if it takes all of
 * them.
 */
static void restart(struct fixture *w)
{
	close_manager(w);
	assert_int_equal(fake_store_restart(), 0);
}

static void test_devices_stay_open_over_a_restart(void **state)
{
	struct fixture *w = *state;

	w->fd_store = &fake_store;
	fake_device_make(1, "file/a.img", SIZE);
	open_manager(w);
	wait_state(w, 1, TCMU_DEVICE_SERVED);
	fake_device_make(2, "file/b.img", SIZE);
	assert_int_equal(send_added(2), 0);
	restart(w);
	assert_true(fake_devices[1].open && fake_devices[2].open);
	open_manager(w);
	wait_state(w, 1, TCMU_DEVICE_SERVED);
	wait_state(w, 2, TCMU_DEVICE_SERVED);
	assert_int_equal(fake_command(2, TEST_UNIT_READY, 6, 0), SCSI_GOOD);
	assert_int_equal(fake_store_count(), 2);
	assert_int_equal(send_removed(2), 0);
	for (int i = 0; i < 60000 && observe_device(w, 2).n > 1; i++)
		pause_briefly();
	assert_false(fake_devices[2].open);
	assert_int_equal(fake_store_count(), 1);
	restart(w);
	open_manager(w);
	wait_state(w, 1, TCMU_DEVICE_SERVED);
	restart(w);
	fake_store_discard();
}

/* The device was removed while there was no manager, and another one has its minor number. */
static void test_another_device_has_the_minor(void **state)
{
	struct fixture *w = *state;

	w->fd_store = &fake_store;
	fake_device_make(1, "file/a.img", SIZE);
	fake_device_make(2, "file/b.img", SIZE);
	open_manager(w);
	wait_state(w, 1, TCMU_DEVICE_SERVED);
	wait_state(w, 2, TCMU_DEVICE_SERVED);
	restart(w);
	fake_device_free(1);
	fake_device_make(1, "file/c.img", SIZE);
	fake_device_free(2);
	open_manager(w);
	wait_state(w, 1, TCMU_DEVICE_SERVED);
	assert_int_equal(fake_command(1, TEST_UNIT_READY, 6, 0), SCSI_GOOD);
	assert_int_equal(observe_device(w, 1).n, 1);
	assert_int_equal(fake_store_count(), 3);
	assert_int_equal(fake_store_restart(), 2); /* the manager did not take these two descriptors */
	close_manager(w);
	fake_store_discard();
}

static void test_refused_device_is_not_kept(void **state)
{
	struct fixture *w = *state;

	w->fd_store = &fake_store;
	open_manager(w);
	fake_device_make(1, "file/no-folder/a.img", SIZE);
	assert_int_equal(send_added(1), -ENOENT);
	wait_gone(w);
	assert_int_equal(fake_store_count(), 0);
	assert_false(fake_devices[1].open);
}

/*
 * I/O of a killed daemon is visible as a lock on the daemon's byte, and as a lock on the storage that the I/O
 * uses.
 */
struct stray {
	int io, file;
};

static struct stray begin_stray(const struct fixture *w, const char *name)
{
	struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	struct stray stray = {.io = tcmu_stray_io_lock(w->folder, NULL)};
	char path[128];

	assert_true(stray.io >= 0 && tcmu_stray_io(w->io_lock));
	snprintf(path, sizeof(path), "%s/%s", w->folder, name);
	stray.file = open(path, O_RDWR | O_CREAT, 0600);
	assert_true(stray.file >= 0);
	assert_int_equal(ftruncate(stray.file, SIZE), 0);
	assert_int_equal(fcntl(stray.file, F_OFD_SETLK, &whole), 0);
	return stray;
}

/* When a process ends, its files are closed one after the other. */
static void end_stray(const struct fixture *w, struct stray stray)
{
	close(stray.io);
	assert_false(tcmu_stray_io(w->io_lock));
	for (int i = 0; i < 200; i++)
		pause_briefly();
	close(stray.file);
}

/* The device is blocked, and nothing in the ring has been answered. */
static void assert_not_reset(unsigned n)
{
	char value[64];

	assert_string_equal(fake_attribute(n, "action/block_dev", value), "1");
	assert_string_equal(fake_attribute(n, "action/reset_ring", value), "-");
}

static void wait_reset(unsigned n)
{
	char value[64];

	for (int i = 0; i < 60000 && strcmp(fake_attribute(n, "action/block_dev", value), "0"); i++)
		pause_briefly();
	assert_string_equal(fake_attribute(n, "action/reset_ring", value), "1");
	assert_string_equal(fake_attribute(n, "action/block_dev", value), "0");
}

/*
 * The reset waits as long as the I/O lasts. A device that does not share its storage does not wait for the
 * I/O of other devices.
 */
static void test_stray_io_delays_the_reset(void **state)
{
	struct fixture *w = *state;
	struct stray stray = begin_stray(w, "a.img");

	fake_device_make(1, "file/a.img", SIZE);
	/* The storage of device 2 cannot be opened, so it is not known whether I/O is under way there. */
	fake_device_make(2, "file/b.img", SIZE);
	fake_device_make(3, "alloc/c", SIZE);
	break_storage(w, "b.img");
	open_manager(w);
	wait_state(w, 3, TCMU_DEVICE_SERVED);
	wait_reset(3);
	for (int i = 0; i < 3500; i++) /* longer than the time limit of a device that is only busy */
		pause_briefly();
	assert_not_reset(1);
	assert_not_reset(2);
	assert_int_equal(observe_device(w, 1).state, TCMU_DEVICE_OPENING);
	wait_state(w, 2, TCMU_DEVICE_FAILED);
	end_stray(w, stray);
	wait_state(w, 1, TCMU_DEVICE_SERVED);
	wait_reset(1);
	wait_reset(2);
	assert_int_equal(fake_command(1, TEST_UNIT_READY, 6, 0), SCSI_GOOD);
	assert_int_equal(fake_command(2, TEST_UNIT_READY, 6, 0), SCSI_CHECK_CONDITION);
}

/* A stop while a device waits for its reset is not a clean stop. The next manager resets the ring. */
static void test_stop_before_the_reset(void **state)
{
	struct fixture *w = *state;
	struct stray stray = begin_stray(w, "a.img");

	fake_device_make(1, "file/a.img", SIZE);
	fake_device_make(2, "file/b.img", SIZE);
	break_storage(w, "b.img");
	open_manager(w);
	wait_state(w, 2, TCMU_DEVICE_FAILED);
	assert_int_equal(send_removed(2), 0);
	close_manager(w);
	assert_not_reset(1);
	end_stray(w, stray);
	fake_device_free(2);
	open_manager(w);
	wait_state(w, 1, TCMU_DEVICE_SERVED);
	wait_reset(1);
}

static void assert_untouched(unsigned n)
{
	char value[64];

	assert_string_equal(fake_attribute(n, "action/reset_ring", value), "-");
	assert_string_equal(fake_attribute(n, "action/block_dev", value), "-");
}

static void forget_resets(unsigned n)
{
	fake_attribute_set(n, "action/reset_ring", "-");
	fake_attribute_set(n, "action/block_dev", "-");
}

/*
 * After a clean stop, the mark lists the rings that were not stopped cleanly, and also those of devices
 * without a handler.
 */
static void test_clean_stop_with_unclean_devices(void **state)
{
	const uint32_t event = 1;
	struct fixture *w = *state;

	for (unsigned n = 1; n <= 3; n++) {
		char config[32];

		snprintf(config, sizeof(config), n == 3 ? "nobodys/%u" : "file/%u.img", n);
		fake_device_make(n, config, SIZE);
	}
	open_manager(w);
	wait_state(w, 1, TCMU_DEVICE_SERVED);
	wait_state(w, 2, TCMU_DEVICE_SERVED);
	wait_reset(1);
	wait_reset(2);
	assert_untouched(3);
	forget_resets(1);
	forget_resets(2);
	fake_ring_put_raw(&fake_devices[1].ring, 0, 64);
	assert_int_equal(write(fake_devices[1].uio, &event, 4), 4);
	wait_state(w, 1, TCMU_DEVICE_FAILED);
	close_manager(w);
	open_manager(w); /* the handler is still missing */
	wait_state(w, 2, TCMU_DEVICE_SERVED);
	wait_reset(1);
	assert_untouched(2);
	close_manager(w);
	snprintf(fake_devices[3].uio_name, sizeof(fake_devices[3].uio_name), "tcm-user/0/d3/file/3.img");
	make_storage(w, "3.img", SIZE);
	open_manager(w);
	wait_state(w, 3, TCMU_DEVICE_SERVED);
	wait_reset(3);
	assert_untouched(2);
}

/* A mark that was not written completely is ignored. */
static void test_torn_mark(void **state)
{
	struct fixture *w = *state;
	char path[128];

	snprintf(path, sizeof(path), "%s/clean-stop", w->folder);
	fake_device_make(1, "file/a.img", SIZE);
	open_manager(w);
	wait_reset(1);
	close_manager(w);
	forget_resets(1);
	assert_int_equal(truncate(path, size_of(w, "clean-stop") - 2), 0);
	open_manager(w);
	wait_reset(1);
	close_manager(w);
	forget_resets(1);
	open_manager(w);
	wait_state(w, 1, TCMU_DEVICE_SERVED);
	assert_untouched(1);
}

/* The device is served only after a reset of its ring, because a killed daemon may have left old entries. */
static void test_reset_that_fails_is_tried_again(void **state)
{
	struct fixture *w = *state;
	char path[256];

	fake_device_make(1, "file/a.img", SIZE);
	snprintf(path, sizeof(path), "%s/core/user_0/d1/action/reset_ring", w->folder);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkdir(path, 0700), 0);
	open_manager(w);
	assert_non_null(strstr(wait_state(w, 1, TCMU_DEVICE_FAILED).error, "reset_ring"));
	kernel_manager_tick(w->manager);
	wait_state(w, 1, TCMU_DEVICE_FAILED);
	assert_int_equal(rmdir(path), 0);
	fake_attribute_set(1, "action/reset_ring", "-");
	for (int i = 0; i < 60000 && observe_device(w, 1).state != TCMU_DEVICE_SERVED; i++) {
		kernel_manager_tick(w->manager);
		pause_briefly();
	}
	wait_reset(1);
	assert_int_equal(fake_command(1, TEST_UNIT_READY, 6, 0), SCSI_GOOD);
}

static void test_adopted_without_storage_is_retried(void **state)
{
	const uint8_t inquiry[6] = {0x12, 0, 0, 0, 36};
	struct fixture *w = *state;

	fake_device_make(1, "file/a.img", SIZE);
	break_storage(w, "a.img");
	open_manager(w);
	struct seen seen = wait_state(w, 1, TCMU_DEVICE_FAILED);
	assert_non_null(strstr(seen.error, "a.img: is a directory"));
	assert_int_equal(fake_command(1, TEST_UNIT_READY, 6, 0), SCSI_CHECK_CONDITION);
	assert_int_equal(fake_devices[1].ring.sense_key[1], 2);
	assert_int_equal(fake_command(1, inquiry, 6, 36), SCSI_GOOD);
	kernel_manager_tick(w->manager);
	assert_int_equal(fake_command(1, TEST_UNIT_READY, 6, 0), SCSI_CHECK_CONDITION);
	repair_storage(w, "a.img");
	for (int i = 0; i < 60000 && observe_device(w, 1).state != TCMU_DEVICE_SERVED; i++) {
		kernel_manager_tick(w->manager);
		pause_briefly();
	}
	wait_state(w, 1, TCMU_DEVICE_SERVED);
	assert_int_equal(fake_command(1, TEST_UNIT_READY, 6, 0), SCSI_GOOD);
	kernel_manager_tick(w->manager);
	assert_int_equal(fake_command(1, TEST_UNIT_READY, 6, 0), SCSI_GOOD);
	wait_state(w, 1, TCMU_DEVICE_SERVED);
}

/*
 * The file may be missing because its file system is not mounted. If the daemon created an empty file, it
 * would serve that file as the disk.
 */
static void test_lost_storage_is_not_created_again(void **state)
{
	struct fixture *w = *state;

	fake_device_make(1, "file/a.img", SIZE);
	lose_storage(w, "a.img");
	open_manager(w);
	assert_non_null(strstr(wait_state(w, 1, TCMU_DEVICE_FAILED).error, "a.img: no such file"));
	kernel_manager_tick(w->manager);
	assert_int_equal(fake_command(1, TEST_UNIT_READY, 6, 0), SCSI_CHECK_CONDITION);
	assert_int_equal(size_of(w, "a.img"), -1);
	assert_int_equal(send_added(1), 0); /* the device is new, because its creator waits for the answer */
	assert_int_equal(size_of(w, "a.img"), SIZE);
	assert_int_equal(fake_command(1, TEST_UNIT_READY, 6, 0), SCSI_GOOD);
}

/* The storage is enlarged first, and a restart may happen before dev_size is written. */
static void test_storage_that_has_grown(void **state)
{
	struct fixture *w = *state;

	fake_device_make(1, "file/a.img", SIZE);
	make_storage(w, "a.img", 2 * SIZE);
	open_manager(w);
	assert_int_equal(wait_state(w, 1, TCMU_DEVICE_SERVED).size, SIZE);
	assert_int_equal(send_reconfigured(1, (struct tcmu_event){.has_size = true, .size = 2 * SIZE}), 0);
	assert_int_equal(observe_device(w, 1).size, 2 * SIZE);
	close_manager(w);
	make_storage(w, "a.img", SIZE / 2);
	open_manager(w);
	assert_non_null(strstr(wait_state(w, 1, TCMU_DEVICE_FAILED).error,
			       "holds 524288 bytes, but the size of its disk is set to "));
}

/* A list of the devices shows that the path of the storage leads to another file. */
static void test_storage_that_is_replaced(void **state)
{
	struct fixture *w = *state;

	fake_device_make(1, "file/a.img", SIZE);
	open_manager(w);
	assert_string_equal(wait_state(w, 1, TCMU_DEVICE_SERVED).error, "");
	make_storage(w, "a.img", 2 * SIZE);
	kernel_manager_tick(w->manager);
	lose_storage(w, "a.img");
	make_storage(w, "a.img", SIZE);
	for (int i = 0; i < 60000 && !observe_device(w, 1).error[0]; i++) {
		kernel_manager_tick(w->manager);
		pause_briefly();
	}
	assert_string_equal(observe_device(w, 1).error,
			    "the path leads to other storage now, but the old storage is still served");
	assert_int_equal(observe_device(w, 1).state, TCMU_DEVICE_SERVED);
	assert_int_equal(observe_device(w, 1).size, SIZE); /* only dev_size enlarges the disk */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_crash_resets_and_clean_stop_does_not, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_old_commands_are_not_begun, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_devices_stay_open_over_a_restart, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_another_device_has_the_minor, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_refused_device_is_not_kept, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_stray_io_delays_the_reset, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_stop_before_the_reset, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_clean_stop_with_unclean_devices, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_torn_mark, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_reset_that_fails_is_tried_again, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_adopted_without_storage_is_retried, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_lost_storage_is_not_created_again, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_storage_that_has_grown, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_storage_that_is_replaced, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
