/* SPDX-License-Identifier: Apache-2.0 */
/* The whole door on real loops, with the file handler; the kernel is a double (fake_kernel.h). */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "backstore/backstore.h"
#include "fake_kernel.h"
#include "scsi/scsi.h"
#include "tcmu/door.h"
#include "tcmu/stray_io.h"
#include "util/bytes.h"

#define SIZE (1u << 20)

static const uint8_t TEST_UNIT_READY[6] = {0};

struct world {
	char folder[64];
	int io_lock;
	const struct fd_store *fd_store; /* NULL unless a test sets it */
	struct loop_set set;
	struct tcmu_door *door;
};

static void open_door(struct world *w)
{
	const struct tcmu_door_options options = {.state_dir = w->folder,
						  .run_dir = w->folder,
						  .io_lock = w->io_lock,
						  .fd_store = w->fd_store,
						  .defaults = {.cmd_time_out = 45}};

	w->door = tcmu_door_open(&w->set, &options, NULL);
	assert_non_null(w->door);
}

static void close_door(struct world *w)
{
	tcmu_door_close(w->door);
	w->door = NULL;
}

static int set_up(void **state)
{
	const struct loop_options loops = {.nloops = 2, .npool = 4};
	struct world *w = calloc(1, sizeof(*w));

	*state = w;
	strcpy(w->folder, "/tmp/door.XXXXXX");
	assert_non_null(mkdtemp(w->folder));
	fake_kernel_start(w->folder);
	assert_true(backstore_load_handlers(HANDLERS, NULL) > 0);
	assert_int_equal(loop_set_start(&w->set, &loops, NULL), 0);
	w->io_lock = tcmu_stray_io_lock(w->folder, NULL);
	assert_true(w->io_lock >= 0);
	return 0;
}

static int tear_down(void **state)
{
	struct world *w = *state;
	char command[128];

	if (w->door)
		close_door(w);
	close(w->io_lock);
	loop_set_stop(&w->set);
	backstore_unload_handlers();
	fake_kernel_stop();
	snprintf(command, sizeof(command), "rm -r %s", w->folder);
	assert_int_equal(system(command), 0);
	free(w);
	return 0;
}

/* --- what the door says --- */

struct seen {
	unsigned n; /* devices there are */
	unsigned wanted;
	enum tcmu_device_state state; /* of the one with the wanted minor */
	char error[256], config[256];
	uint64_t size;
};

static void view(void *arg, const struct tcmu_device_view *device)
{
	struct seen *seen = arg;

	seen->n++;
	if (device->minor != seen->wanted)
		return;
	seen->state = device->state;
	seen->size = device->size;
	snprintf(seen->error, sizeof(seen->error), "%s", device->error);
	snprintf(seen->config, sizeof(seen->config), "%s", device->config);
}

static struct seen look(struct world *w, unsigned minor)
{
	struct seen seen = {.wanted = minor, .state = TCMU_DEVICE_CLOSING};

	tcmu_door_list(w->door, view, &seen);
	return seen;
}

static void pause_a_bit(void)
{
	const struct timespec ms = {0, 2000000};

	nanosleep(&ms, NULL);
}

static struct seen wait_state(struct world *w, unsigned minor, enum tcmu_device_state state)
{
	struct seen seen = look(w, minor);

	for (int i = 0; i < 5000 && seen.state != state; i++) {
		pause_a_bit();
		seen = look(w, minor);
	}
	assert_int_equal(seen.state, state);
	return seen;
}

static void wait_gone(struct world *w)
{
	for (int i = 0; i < 5000 && look(w, 0).n; i++)
		pause_a_bit();
	assert_int_equal(look(w, 0).n, 0);
}

static int add(unsigned n)
{
	struct tcmu_event event = {.type = TCMU_EVENT_ADDED};

	fake_event(n, &event);
	return fake_answer(&event);
}

static int remove_device(unsigned n)
{
	struct tcmu_event event = {.type = TCMU_EVENT_REMOVED};

	fake_event(n, &event);
	return fake_answer(&event);
}

static int reconfigure(unsigned n, struct tcmu_event event)
{
	event.type = TCMU_EVENT_RECONFIG;
	fake_event(n, &event);
	return fake_answer(&event);
}

static off_t size_of(const struct world *w, const char *name)
{
	char path[128];
	struct stat st;

	snprintf(path, sizeof(path), "%s/%s", w->folder, name);
	return stat(path, &st) ? -1 : st.st_size;
}

static void break_storage(const struct world *w, const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", w->folder, name);
	unlink(path);
	assert_int_equal(mkdir(path, 0700), 0);
}

static void mend_storage(const struct world *w, const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", w->folder, name);
	assert_int_equal(rmdir(path), 0);
}

/* --- tests --- */

static void test_add_serve_remove(void **state)
{
	struct world *w = *state;
	char value[64];

	open_door(w);
	fake_device_make(1, "file/a.img", SIZE);
	assert_int_equal(add(1), 0);
	struct seen seen = look(w, 1);
	assert_int_equal(seen.state, TCMU_DEVICE_SERVED);
	assert_int_equal(seen.size, SIZE);
	assert_string_equal(seen.config, "file/a.img");
	assert_int_equal(size_of(w, "a.img"), SIZE);
	assert_string_equal(fake_attribute(1, "attrib/emulate_write_cache", value), "1");
	assert_string_equal(fake_attribute(1, "attrib/cmd_time_out", value), "45");
	assert_int_equal(fake_command(1, TEST_UNIT_READY, 6, 0), SCSI_GOOD);
	assert_int_equal(remove_device(1), 0);
	wait_gone(w);
}

static void test_failed_add_is_refused(void **state)
{
	struct world *w = *state;

	open_door(w);
	fake_device_make(1, "file/no-folder/a.img", SIZE);
	assert_int_equal(add(1), -ENOENT);
	wait_gone(w);
}

static void test_others_are_not_answered(void **state)
{
	struct tcmu_event event = {.type = TCMU_EVENT_ADDED};
	struct world *w = *state;

	fake_device_make(1, "someone/else", SIZE);
	fake_device_make(2, "filement/x", SIZE); /* ours is only a prefix of it */
	open_door(w);
	for (unsigned n = 1; n < 3; n++) {
		fake_event(n, &event);
		event.type = TCMU_EVENT_REMOVED;
		fake_event(n, &event);
	}
	assert_int_equal(fake_answers(), 0);
	assert_int_equal(look(w, 1).n, 0);
}

/* Removed and made again at once, with the same storage, which the first still has open. */
static void test_again_at_once(void **state)
{
	struct world *w = *state;

	open_door(w);
	fake_device_make(1, "file/a.img", SIZE);
	assert_int_equal(add(1), 0);
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
	struct world *w = *state;

	open_door(w);
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

/* Whatever number of devices hangs in being opened or closed: the next one does not wait for them. */
static void test_stuck_devices_delay_no_other(void **state)
{
	struct tcmu_event added[STUCK];
	struct world *w = *state;

	open_door(w);
	stick(true);
	for (unsigned n = 0; n < STUCK; n++) {
		char config[32];

		snprintf(config, sizeof(config), "alloc/stuck%u", n);
		fake_device_make(n, config, SIZE);
		added[n] = (struct tcmu_event){.type = TCMU_EVENT_ADDED};
		fake_event(n, &added[n]);
	}
	fake_device_make(STUCK, "alloc/free", SIZE);
	assert_int_equal(add(STUCK), 0);
	stick(false);
	for (unsigned n = 0; n < STUCK; n++)
		assert_int_equal(fake_answer(&added[n]), 0);

	stick(true);
	for (unsigned n = 0; n < STUCK; n++)
		assert_int_equal(remove_device(n), 0);
	assert_int_equal(remove_device(STUCK), 0);
	for (int i = 0; i < 5000 && look(w, 0).n > STUCK; i++)
		pause_a_bit();
	assert_int_equal(look(w, 0).n, STUCK);
	fake_device_make(STUCK + 1, "alloc/free", SIZE);
	assert_int_equal(add(STUCK + 1), 0);
	stick(false);
}

/* Removed, and the door closed, before the job has opened anything. */
static void test_every_event_is_answered(void **state)
{
	struct tcmu_event added[20], removed = {.type = TCMU_EVENT_REMOVED};
	struct world *w = *state;

	open_door(w);
	for (unsigned n = 0; n < 20; n++) {
		char config[32];

		snprintf(config, sizeof(config), "file/many%u.img", n);
		fake_device_make(n, config, SIZE);
		added[n] = (struct tcmu_event){.type = TCMU_EVENT_ADDED};
		fake_event(n, &added[n]);
	}
	fake_event(19, &removed);
	close_door(w);
	assert_int_equal(fake_answer(&removed), 0);
	for (unsigned n = 0; n < 20; n++) {
		int status = fake_answer(&added[n]);

		assert_true(status == 0 || status == -ESHUTDOWN);
	}
}

static void test_crash_resets_and_clean_stop_does_not(void **state)
{
	struct world *w = *state;
	char value[64];

	fake_device_make(1, "file/a.img", SIZE);
	fake_attribute_set(1, "attrib/emulate_write_cache", "1");
	open_door(w);
	wait_state(w, 1, TCMU_DEVICE_SERVED);
	/* Commands waiting in the ring are served; the double keeps them through what it does not know to be
	 * a reset. */
	assert_int_equal(fake_command(1, TEST_UNIT_READY, 6, 0), SCSI_GOOD);
	assert_string_equal(fake_attribute(1, "action/reset_ring", value), "1");
	assert_string_equal(fake_attribute(1, "action/block_dev", value), "0");
	close_door(w);
	fake_attribute_set(1, "action/reset_ring", "-");
	fake_attribute_set(1, "action/block_dev", "-");
	open_door(w);
	wait_state(w, 1, TCMU_DEVICE_SERVED);
	assert_int_equal(fake_command(1, TEST_UNIT_READY, 6, 0), SCSI_GOOD);
	assert_string_equal(fake_attribute(1, "action/reset_ring", value), "-");
	assert_string_equal(fake_attribute(1, "action/block_dev", value), "-");
}

/* Stopped and started again, as systemd sees it; the descriptors are of use if the next door takes them all. */
static void restart(struct world *w)
{
	close_door(w);
	assert_int_equal(fake_store_restart(), 0);
}

static void test_devices_stay_open_between_doors(void **state)
{
	struct world *w = *state;

	w->fd_store = &fake_store;
	fake_device_make(1, "file/a.img", SIZE);
	open_door(w);
	wait_state(w, 1, TCMU_DEVICE_SERVED);
	fake_device_make(2, "file/b.img", SIZE);
	assert_int_equal(add(2), 0);
	restart(w);
	assert_true(fake_devices[1].open && fake_devices[2].open);
	open_door(w);
	wait_state(w, 1, TCMU_DEVICE_SERVED);
	wait_state(w, 2, TCMU_DEVICE_SERVED);
	assert_int_equal(fake_command(2, TEST_UNIT_READY, 6, 0), SCSI_GOOD);
	assert_int_equal(fake_store_count(), 2);
	assert_int_equal(remove_device(2), 0);
	for (int i = 0; i < 5000 && look(w, 2).n > 1; i++)
		pause_a_bit();
	assert_false(fake_devices[2].open);
	assert_int_equal(fake_store_count(), 1);
	restart(w);
	open_door(w);
	wait_state(w, 1, TCMU_DEVICE_SERVED);
	restart(w);
	fake_store_discard();
}

/* Its device went while there was no door, and another one has its minor number. */
static void test_another_device_has_the_minor(void **state)
{
	struct world *w = *state;

	w->fd_store = &fake_store;
	fake_device_make(1, "file/a.img", SIZE);
	fake_device_make(2, "file/b.img", SIZE);
	open_door(w);
	wait_state(w, 1, TCMU_DEVICE_SERVED);
	wait_state(w, 2, TCMU_DEVICE_SERVED);
	restart(w);
	fake_device_free(1);
	fake_device_make(1, "file/c.img", SIZE);
	fake_device_free(2);
	open_door(w);
	wait_state(w, 1, TCMU_DEVICE_SERVED);
	assert_int_equal(fake_command(1, TEST_UNIT_READY, 6, 0), SCSI_GOOD);
	assert_int_equal(look(w, 1).n, 1);
	assert_int_equal(fake_store_count(), 3);
	assert_int_equal(fake_store_restart(), 2); /* for control to drop */
	close_door(w);
	fake_store_discard();
}

static void test_refused_device_is_not_kept(void **state)
{
	struct world *w = *state;

	w->fd_store = &fake_store;
	open_door(w);
	fake_device_make(1, "file/no-folder/a.img", SIZE);
	assert_int_equal(add(1), -ENOENT);
	wait_gone(w);
	assert_int_equal(fake_store_count(), 0);
	assert_false(fake_devices[1].open);
}

/* A dead daemon's I/O as it shows: a lock on its daemon's byte, and one on the storage that it is on its way to. */
struct stray {
	int io, file;
};

static struct stray begin_stray(const struct world *w, const char *name)
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

static void end_stray(const struct world *w, struct stray stray)
{
	close(stray.file);
	close(stray.io);
	assert_false(tcmu_stray_io(w->io_lock));
}

/* Blocked, with nothing in the ring given back. */
static void is_not_reset(unsigned n)
{
	char value[64];

	assert_string_equal(fake_attribute(n, "action/block_dev", value), "1");
	assert_string_equal(fake_attribute(n, "action/reset_ring", value), "-");
}

static void wait_reset(unsigned n)
{
	char value[64];

	for (int i = 0; i < 5000 && strcmp(fake_attribute(n, "action/block_dev", value), "0"); i++)
		pause_a_bit();
	assert_string_equal(fake_attribute(n, "action/reset_ring", value), "1");
	assert_string_equal(fake_attribute(n, "action/block_dev", value), "0");
}

/* However long it takes; but who is alone with his storage waits for nobody else's. */
static void test_stray_io_delays_the_reset(void **state)
{
	struct world *w = *state;
	struct stray stray = begin_stray(w, "a.img");

	fake_device_make(1, "file/a.img", SIZE);
	fake_device_make(2, "file/b.img",
			 SIZE); /* cannot be opened: nothing tells that no I/O is under way */
	fake_device_make(3, "alloc/c", SIZE);
	break_storage(w, "b.img");
	open_door(w);
	wait_state(w, 3, TCMU_DEVICE_SERVED);
	wait_reset(3);
	for (int i = 0; i < 1800; i++) /* longer than a device that is only busy gets */
		pause_a_bit();
	is_not_reset(1);
	is_not_reset(2);
	assert_int_equal(look(w, 1).state, TCMU_DEVICE_OPENING);
	assert_int_equal(look(w, 2).state, TCMU_DEVICE_FAILED);
	end_stray(w, stray);
	wait_state(w, 1, TCMU_DEVICE_SERVED);
	wait_reset(1);
	wait_reset(2);
	assert_int_equal(fake_command(1, TEST_UNIT_READY, 6, 0), SCSI_GOOD);
	assert_int_equal(fake_command(2, TEST_UNIT_READY, 6, 0), SCSI_CHECK_CONDITION);
}

/* A stop while a device waits is no clean one; the next start does what was left. */
static void test_stop_before_the_reset(void **state)
{
	struct world *w = *state;
	struct stray stray = begin_stray(w, "a.img");

	fake_device_make(1, "file/a.img", SIZE);
	fake_device_make(2, "file/b.img", SIZE);
	break_storage(w, "b.img");
	open_door(w);
	wait_state(w, 2, TCMU_DEVICE_FAILED);
	assert_int_equal(remove_device(2), 0);
	close_door(w);
	is_not_reset(1);
	assert_int_equal(size_of(w, "clean-stop"), -1);
	end_stray(w, stray);
	fake_device_free(2);
	open_door(w);
	wait_state(w, 1, TCMU_DEVICE_SERVED);
	wait_reset(1);
}

static void test_adopted_without_storage_is_retried(void **state)
{
	const uint8_t inquiry[6] = {0x12, 0, 0, 0, 36};
	struct world *w = *state;

	fake_device_make(1, "file/a.img", SIZE);
	break_storage(w, "a.img");
	open_door(w);
	struct seen seen = wait_state(w, 1, TCMU_DEVICE_FAILED);
	assert_non_null(strstr(seen.error, "a.img: is a directory"));
	assert_int_equal(fake_command(1, TEST_UNIT_READY, 6, 0), SCSI_CHECK_CONDITION);
	assert_int_equal(fake_devices[1].ring.sense_key[1], 2);
	assert_int_equal(fake_command(1, inquiry, 6, 36), SCSI_GOOD);
	tcmu_door_retry(w->door);
	assert_int_equal(fake_command(1, TEST_UNIT_READY, 6, 0), SCSI_CHECK_CONDITION);
	mend_storage(w, "a.img");
	for (int i = 0; i < 100 && look(w, 1).state != TCMU_DEVICE_SERVED; i++) {
		tcmu_door_retry(w->door);
		pause_a_bit();
	}
	wait_state(w, 1, TCMU_DEVICE_SERVED);
	assert_int_equal(fake_command(1, TEST_UNIT_READY, 6, 0), SCSI_GOOD);
	tcmu_door_retry(w->door);
	assert_int_equal(fake_command(1, TEST_UNIT_READY, 6, 0), SCSI_GOOD);
	wait_state(w, 1, TCMU_DEVICE_SERVED);
}

static void test_resize(void **state)
{
	struct world *w = *state;

	open_door(w);
	fake_device_make(1, "file/a.img", SIZE);
	fake_device_make(2, "alloc/a", SIZE);
	assert_int_equal(add(1), 0);
	assert_int_equal(add(2), 0);
	assert_int_equal(fake_command(1, TEST_UNIT_READY, 6, 0), SCSI_GOOD);
	assert_int_equal(reconfigure(1, (struct tcmu_event){.has_size = true, .size = 2 * SIZE}), 0);
	assert_int_equal(size_of(w, "a.img"), 2 * SIZE);
	assert_int_equal(look(w, 1).size, 2 * SIZE);
	assert_int_equal(fake_command(1, TEST_UNIT_READY, 6, 0), SCSI_CHECK_CONDITION);
	assert_int_equal(fake_devices[1].ring.sense_key[1], 6); /* CAPACITY DATA HAS CHANGED */
	assert_int_equal(fake_command(1, TEST_UNIT_READY, 6, 0), SCSI_GOOD);
	assert_int_equal(reconfigure(1, (struct tcmu_event){.has_size = true, .size = SIZE}), -EINVAL);
	assert_int_equal(size_of(w, "a.img"), 2 * SIZE);
	assert_int_equal(reconfigure(2, (struct tcmu_event){.has_size = true, .size = 2 * SIZE}),
			 -EOPNOTSUPP);
	assert_int_equal(reconfigure(1, (struct tcmu_event){0}), -EOPNOTSUPP);
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
	struct world *w = *state;

	open_door(w);
	fake_device_make(1, "file/a.img", SIZE);
	fake_device_make(2, "alloc/a", SIZE);
	assert_int_equal(add(1), 0);
	assert_int_equal(add(2), 0);
	assert_int_equal(write_cache_of(1), 4);
	assert_int_equal(reconfigure(1, (struct tcmu_event){.has_write_cache = true, .write_cache = false}),
			 0);
	assert_int_equal(write_cache_of(1), 0);
	assert_int_equal(reconfigure(1, (struct tcmu_event){.has_write_cache = true, .write_cache = true}),
			 0);
	assert_int_equal(write_cache_of(1), 4);
	assert_int_equal(reconfigure(2, (struct tcmu_event){.has_write_cache = true, .write_cache = true}),
			 -EOPNOTSUPP);
}

static int change_config(unsigned n, const char *config)
{
	struct tcmu_event event = {.has_config = true};

	snprintf(event.config, sizeof(event.config), "%s", config);
	return reconfigure(n, event);
}

static void test_other_storage(void **state)
{
	struct world *w = *state;

	open_door(w);
	fake_device_make(1, "file/a.img", SIZE);
	assert_int_equal(add(1), 0);
	assert_int_equal(change_config(1, "file/a.img"), 0);
	assert_int_equal(change_config(1, "alloc/x"), -EINVAL);
	assert_int_equal(change_config(1, "file/no-folder/b.img"), -ENOENT);
	assert_int_equal(change_config(1, "file/b.img"), 0);
	assert_string_equal(look(w, 1).config, "file/b.img");
	assert_int_equal(fake_command(1, TEST_UNIT_READY, 6, 0), SCSI_GOOD);
	assert_int_equal(size_of(w, "b.img"), SIZE);
	/* The first one is free again. */
	fake_device_make(2, "file/a.img", SIZE);
	for (int i = 0; i < 1000 && add(2); i++)
		pause_a_bit();
	wait_state(w, 2, TCMU_DEVICE_SERVED);
}

static void test_broken_ring_fails_and_leaves_no_mark(void **state)
{
	const uint32_t event = 1;
	struct world *w = *state;

	open_door(w);
	fake_device_make(1, "file/a.img", SIZE);
	assert_int_equal(add(1), 0);
	fake_ring_put_raw(&fake_devices[1].ring, 0, 64);
	assert_int_equal(write(fake_devices[1].uio, &event, 4), 4);
	struct seen seen = wait_state(w, 1, TCMU_DEVICE_FAILED);
	assert_non_null(strstr(seen.error, "ring is broken"));
	tcmu_door_retry(w->door);
	assert_int_equal(look(w, 1).state, TCMU_DEVICE_FAILED);
	assert_int_equal(remove_device(1), 0);
	wait_gone(w);
	close_door(w);
	assert_int_equal(size_of(w, "clean-stop"), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_add_serve_remove, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_failed_add_is_refused, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_others_are_not_answered, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_again_at_once, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_many_at_once, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_stuck_devices_delay_no_other, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_every_event_is_answered, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_crash_resets_and_clean_stop_does_not, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_devices_stay_open_between_doors, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_another_device_has_the_minor, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_refused_device_is_not_kept, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_stray_io_delays_the_reset, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_stop_before_the_reset, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_adopted_without_storage_is_retried, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_resize, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_write_cache, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_other_storage, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_broken_ring_fails_and_leaves_no_mark, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
