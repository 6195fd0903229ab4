/* SPDX-License-Identifier: Apache-2.0 */
/* Changes of a device that is being served: its size, its storage and its write cache. */
#include "manager_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "scsi/scsi.h"

static void test_resize(void **state)
{
	struct fixture *w = *state;

	open_manager(w);
	fake_device_make(1, "file/a.img", SIZE);
	fake_device_make(2, "alloc/a", SIZE);
	assert_int_equal(send_added(1), 0);
	assert_int_equal(send_added(2), 0);
	assert_int_equal(fake_command(1, TEST_UNIT_READY, 6, 0), SCSI_GOOD);
	assert_int_equal(send_reconfigured(1, (struct tcmu_event){.has_size = true, .size = 2 * SIZE}), 0);
	assert_int_equal(size_of(w, "a.img"), 2 * SIZE);
	assert_int_equal(observe_device(w, 1).size, 2 * SIZE);
	assert_int_equal(fake_command(1, TEST_UNIT_READY, 6, 0), SCSI_CHECK_CONDITION);
	assert_int_equal(fake_devices[1].ring.sense_key[1], 6); /* CAPACITY DATA HAS CHANGED */
	assert_int_equal(fake_command(1, TEST_UNIT_READY, 6, 0), SCSI_GOOD);
	assert_int_equal(send_reconfigured(1, (struct tcmu_event){.has_size = true, .size = SIZE}), -EINVAL);
	assert_int_equal(size_of(w, "a.img"), 2 * SIZE);
	assert_int_equal(send_reconfigured(2, (struct tcmu_event){.has_size = true, .size = 2 * SIZE}),
			 -EOPNOTSUPP);
	assert_int_equal(send_reconfigured(1, (struct tcmu_event){0}), -EOPNOTSUPP);
}

static uint8_t write_cache_of(unsigned n)
{
	const uint8_t mode_sense[6] = {0x1a, 8, 8, 0, 24}; /* DBD, page 8 */

	while (fake_command(n, mode_sense, 6, 24) != SCSI_GOOD) /* unit attentions */
		;
	return fake_devices[n].ring.map[fake_devices[n].ring.data_off + 4 + 2];
}

static void test_write_cache(void **state)
{
	struct fixture *w = *state;

	open_manager(w);
	fake_device_make(1, "file/a.img", SIZE);
	fake_device_make(2, "alloc/a", SIZE);
	assert_int_equal(send_added(1), 0);
	assert_int_equal(send_added(2), 0);
	assert_int_equal(write_cache_of(1), 4);
	assert_int_equal(
	    send_reconfigured(1, (struct tcmu_event){.has_write_cache = true, .write_cache = false}), 0);
	assert_int_equal(write_cache_of(1), 0);
	assert_int_equal(
	    send_reconfigured(1, (struct tcmu_event){.has_write_cache = true, .write_cache = true}), 0);
	assert_int_equal(write_cache_of(1), 4);
	assert_int_equal(
	    send_reconfigured(2, (struct tcmu_event){.has_write_cache = true, .write_cache = true}),
	    -EOPNOTSUPP);
}

static int change_config(unsigned n, const char *config)
{
	struct tcmu_event event = {.has_config = true};

	snprintf(event.config, sizeof(event.config), "%s", config);
	return send_reconfigured(n, event);
}

/* Sends a MODE SELECT (6) of page 8. Its Data-Out lies in the place of Data-In. */
static void select_write_cache(unsigned n, bool on)
{
	const uint8_t mode_select[6] = {0x15, 0x10, 0, 0, 24};
	const uint8_t list[24] = {[4] = 8, [5] = 18, [6] = on ? 4 : 0};
	struct fake_ring *ring = &fake_devices[n].ring;

	memcpy(ring->map + ring->data_off, list, sizeof(list));
	assert_int_equal(fake_command(n, mode_select, 6, sizeof(list)), SCSI_GOOD);
}

/* An attribute whose writer has to wait: a full pipe. */
struct slow_attribute {
	char path[256];
	int pipe, opened;
};

static struct slow_attribute slow_down(const struct fixture *w, const char *name)
{
	static const char filling[4096];
	struct slow_attribute slow = {.opened = inotify_init1(IN_CLOEXEC)};

	snprintf(slow.path, sizeof(slow.path), "%s/core/user_0/%s", w->folder, name);
	assert_int_equal(unlink(slow.path), 0);
	assert_int_equal(mkfifo(slow.path, 0600), 0);
	slow.pipe = open(slow.path, O_RDWR | O_NONBLOCK);
	while (write(slow.pipe, filling, sizeof(filling)) > 0)
		;
	assert_true(inotify_add_watch(slow.opened, slow.path, IN_OPEN) >= 0);
	return slow;
}

static void wait_writer(struct slow_attribute slow)
{
	struct pollfd pfd = {.fd = slow.opened, .events = POLLIN};

	assert_int_equal(poll(&pfd, 1, 60000), 1);
}

/* Lets the write continue, and returns what was written. */
static char let_write(struct slow_attribute slow)
{
	char c = '\0';

	for (int i = 0; i < 60000 && !c; i++) {
		while (read(slow.pipe, &c, 1) == 1)
			;
		pause_briefly();
	}
	close(slow.pipe);
	close(slow.opened);
	assert_int_equal(unlink(slow.path), 0);
	return c;
}

/*
 * An initiator switches the write cache, and the daemon changes the attribute in configfs. Before that write
 * is complete, the kernel asks the daemon whether it agrees to it.
 */
static void test_write_cache_by_initiator(void **state)
{
	const struct tcmu_event off = {.has_write_cache = true, .write_cache = false};
	struct fixture *w = *state;

	open_manager(w);
	fake_device_make(1, "file/a.img", SIZE);
	assert_int_equal(send_added(1), 0);
	assert_int_equal(write_cache_of(1), 4);
	struct slow_attribute slow = slow_down(w, "d1/attrib/emulate_write_cache");

	select_write_cache(1, false);
	wait_writer(slow);
	assert_int_equal(send_reconfigured(1, off), 0);
	assert_int_equal(let_write(slow), '0');
	fake_attribute_set(1, "attrib/emulate_write_cache", "0");
	/*
	 * The daemon has only agreed to the write. The administrator's setting is still on, so an initiator
	 * may switch the cache on again.
	 */
	select_write_cache(1, true);
	wait_attribute(1, "attrib/emulate_write_cache", "1");
	assert_int_equal(write_cache_of(1), 4);
	assert_int_equal(
	    send_reconfigured(1, (struct tcmu_event){.has_write_cache = true, .write_cache = true}), 0);
	/* A write that the daemon has not made itself is the administrator's. */
	assert_int_equal(send_reconfigured(1, off), 0);
	assert_int_equal(write_cache_of(1), 0);
}

/*
 * Storage without a write cache, and later other storage in its place: configfs always shows the real state.
 */
static void test_write_cache_of_what_is_served(void **state)
{
	struct fixture *w = *state;

	fake_device_make(1, "alloc/a", SIZE);
	fake_attribute_set(1, "attrib/emulate_write_cache", "1");
	open_manager(w);
	wait_state(w, 1, TCMU_DEVICE_SERVED);
	wait_attribute(1, "attrib/emulate_write_cache", "0");

	fake_device_make(2, "file/a.img", SIZE);
	assert_int_equal(send_added(2), 0);
	assert_int_equal(write_cache_of(2), 4);
	select_write_cache(2, false);
	wait_attribute(2, "attrib/emulate_write_cache", "0");
	fake_attribute_set(2, "attrib/emulate_write_cache", "1"); /* the kernel has not taken the value yet */
	make_storage(w, "b.img", SIZE);
	assert_int_equal(change_config(2, "file/b.img"), 0);
	assert_int_equal(write_cache_of(2), 0);
}

static void test_other_storage(void **state)
{
	struct fixture *w = *state;

	open_manager(w);
	fake_device_make(1, "file/a.img", SIZE);
	assert_int_equal(send_added(1), 0);
	assert_int_equal(change_config(1, "file/a.img"), 0);
	assert_int_equal(change_config(1, "alloc/x"), -EINVAL);
	assert_int_equal(change_config(1, "file/no-folder/b.img"), -ENOENT);
	assert_int_equal(change_config(1, "file/b.img"), -ENOENT);
	assert_int_equal(size_of(w, "b.img"), -1);
	make_storage(w, "b.img", SIZE);
	assert_int_equal(change_config(1, "file/b.img"), 0);
	assert_string_equal(observe_device(w, 1).config, "file/b.img");
	assert_int_equal(fake_command(1, TEST_UNIT_READY, 6, 0), SCSI_GOOD);
	/* The first image is free again. */
	fake_device_make(2, "file/a.img", SIZE);
	for (int i = 0; i < 60000 && send_added(2); i++)
		pause_briefly();
	wait_state(w, 2, TCMU_DEVICE_SERVED);
}

/* The administrator tells in the same way where the storage of a failed device is now. */
static void test_other_storage_for_a_failed_device(void **state)
{
	struct fixture *w = *state;

	fake_device_make(1, "file/a.img", SIZE);
	break_storage(w, "a.img");
	open_manager(w);
	wait_state(w, 1, TCMU_DEVICE_FAILED);
	assert_int_equal(send_reconfigured(1, (struct tcmu_event){.has_size = true, .size = 2 * SIZE}),
			 -ENODEV);
	assert_int_equal(change_config(1, "file/a.img"), -EISDIR);
	assert_int_equal(change_config(1, "file/no-folder/b.img"), -ENOENT);
	wait_state(w, 1, TCMU_DEVICE_FAILED);
	make_storage(w, "b.img", SIZE);
	assert_int_equal(change_config(1, "file/b.img"), 0);
	wait_state(w, 1, TCMU_DEVICE_SERVED);
	assert_int_equal(fake_command(1, TEST_UNIT_READY, 6, 0), SCSI_GOOD);
	assert_string_equal(observe_device(w, 1).config, "file/b.img");
}

/* READ (10) of the first block. */
static const uint8_t read_first[10] = {0x28, [8] = 1};

static uint8_t first_byte(unsigned n)
{
	const struct fake_ring *ring = &fake_devices[n].ring;

	assert_int_equal(fake_command(n, read_first, 10, 512), SCSI_GOOD);
	return ring->map[ring->data_off];
}

/* Other options of the same filters: the backstore stays open, and so do the contents of memory. */
static void test_filters(void **state)
{
	static const uint8_t write_first[10] = {0x2a, [8] = 1};
	struct fixture *w = *state;

	open_manager(w);
	fake_device_make(1, "alloc/a;filter=error;operations=read;count=1", SIZE);
	assert_int_equal(send_added(1), 0);
	while (fake_command(1, TEST_UNIT_READY, 6, 0) != SCSI_GOOD) /* unit attentions */
		;
	assert_int_equal(fake_command(1, read_first, 10, 512), SCSI_CHECK_CONDITION);
	fake_devices[1].ring.map[fake_devices[1].ring.data_off] = 0x5a;
	assert_int_equal(fake_command(1, write_first, 10, 512), SCSI_GOOD);
	assert_int_equal(first_byte(1), 0x5a);
	assert_int_equal(change_config(1, "alloc/a;filter=error;operations=read;count=none"), -EINVAL);
	assert_string_equal(observe_device(w, 1).config, "alloc/a;filter=error;operations=read;count=1");
	assert_int_equal(change_config(1, "alloc/a;filter=error;operations=read;every=1"), 0);
	assert_string_equal(observe_device(w, 1).config, "alloc/a;filter=error;operations=read;every=1");
	assert_int_equal(fake_command(1, read_first, 10, 512), SCSI_CHECK_CONDITION);
	assert_int_equal(change_config(1, "alloc/a;filter=error;operations=unmap"), 0);
	assert_int_equal(first_byte(1), 0x5a);
	/* Other filters need another backstore, whose memory would be empty. */
	assert_int_equal(change_config(1, "alloc/a"), -EBUSY);
	assert_int_equal(change_config(1, "alloc/a;filter=error;operations=unmap;filter=delay"), -EBUSY);
	assert_int_equal(first_byte(1), 0x5a);
}

static void wait_status_of_read(unsigned n, uint8_t status)
{
	for (int i = 0; i < 60000 && fake_command(n, read_first, 10, 512) != status; i++)
		pause_briefly();
	assert_int_equal(fake_command(n, read_first, 10, 512), status);
}

/* Filters are added to a file that stays locked all the time, and removed again. */
static void test_other_filters(void **state)
{
	struct fixture *w = *state;

	open_manager(w);
	fake_device_make(1, "file/a.img", SIZE);
	assert_int_equal(send_added(1), 0);
	while (fake_command(1, TEST_UNIT_READY, 6, 0) != SCSI_GOOD) /* unit attentions */
		;
	assert_int_equal(change_config(1, "file/a.img;filter=error;operations=read"), 0);
	wait_status_of_read(1, SCSI_CHECK_CONDITION);
	assert_int_equal(change_config(1, "file/a.img;filter=error;operations=read;filter=none_such"),
			 -EINVAL);
	wait_status_of_read(1, SCSI_CHECK_CONDITION);
	assert_string_equal(observe_device(w, 1).config, "file/a.img;filter=error;operations=read");
	fake_device_make(2, "file/a.img", SIZE);
	assert_int_equal(send_added(2), -EBUSY);
	assert_int_equal(change_config(1, "file/a.img"), 0);
	wait_status_of_read(1, SCSI_GOOD);
	assert_string_equal(observe_device(w, 1).config, "file/a.img");
	fake_device_make(3, "file/a.img", SIZE);
	assert_int_equal(send_added(3), -EBUSY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_resize, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_write_cache, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_write_cache_by_initiator, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_write_cache_of_what_is_served, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_other_storage, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_filters, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_other_filters, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_other_storage_for_a_failed_device, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
