/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Commands and the kernel's time-out: what may be too old is not begun, what takes too long is called back,
 * and what then still hangs keeps newer commands off its place. The handler is that of
 * tests/unit/backstore/stuck.c.
 */
#include "device_world.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "kept_log.h"
#include "script.h"
#include "util/cleanup.h"
#include "util/log.h"
#include "util/clock.h"

#define THREADS  2
#define BLOCK    512u
#define SECOND   1000000000ull
#define TIME_OUT 2 /* s: nothing is begun after 1.5, and what was called back by 1.75 */

enum { READ = 0x28, WRITE = 0x2a };

static struct script script;
static void sleep_ms(unsigned ms)
{
	const struct timespec time = {ms / 1000, ms % 1000 * 1000000};

	nanosleep(&time, NULL);
}

static void await_log(const char *text)
{
	for (int i = 0; i < 60000 && !is_logged(text); i++)
		sleep_ms(1);
	assert_true(is_logged(text));
}

static void set_up_with(void **state, const char *handler)
{
	static struct world world;
	char config[64];

	script = (struct script){.info = {.size = 1 << 20, .block_size = BLOCK}, .media = calloc(1, 1 << 20)};
	assert_non_null(script.media);
	log_keep();
	snprintf(config, sizeof(config), "%s/%p", handler, (void *)&script);
	world_set_up(&world, STUCK_HANDLERS, config, THREADS);
	world.device.time_out = TIME_OUT;
	*state = &world;
}

static int set_up(void **state)
{
	set_up_with(state, "stuck_async");
	return 0;
}

static int set_up_parallel(void **state)
{
	set_up_with(state, "stuck_parallel");
	return 0;
}

static void stick_below(unsigned block)
{
	__atomic_store_n(&script.stuck_below, block * BLOCK, __ATOMIC_RELEASE);
}

static int tear_down(void **state)
{
	stick_below(0);
	world_tear_down(*state);
	log_set_sink(NULL);
	free(script.media);
	return 0;
}

/* Puts a WRITE of value, or a READ, and wakes the device. The data is in page value. */
static int start_blocks(struct world *w, uint8_t opcode, unsigned block, uint16_t nblocks, uint8_t value)
{
	uint8_t cdb[10];

	rw10(cdb, opcode, block, nblocks);
	memset(data(w, value), value, nblocks * BLOCK);
	int id = put(w, cdb, sizeof(cdb), value, nblocks * BLOCK);

	wake(w);
	return id;
}

static int start(struct world *w, uint8_t opcode, unsigned block, uint8_t value)
{
	return start_blocks(w, opcode, block, 1, value);
}

static unsigned writes_begun(void)
{
	return __atomic_load_n(&script.calls[SCRIPT_WRITE], __ATOMIC_RELAXED);
}

static void await_writes(unsigned n)
{
	for (int i = 0; i < 60000 && writes_begun() < n; i++)
		sleep_ms(1);
	assert_int_equal(writes_begun(), n);
}

static uint64_t given_up(const struct world *w)
{
	return __atomic_load_n(&w->device.expiry.nlate, __ATOMIC_RELAXED);
}

static void await_given_up(const struct world *w, uint64_t n)
{
	for (int i = 0; i < 60000 && given_up(w) < n; i++)
		sleep_ms(1);
	assert_int_equal(given_up(w), n);
}

/* --- age --------------------------------------------------------------------------------------- */

/* A daemon with nothing to do knows that it would have seen a command: however long that lasts. */
static void test_pause_without_commands(void **state)
{
	struct world *w = *state;

	tcmu_device_start(&w->device);
	for (int i = 0; i < 3; i++) {
		sleep_ms(1600);
		int id = start(w, WRITE, 1, 1);
		wait_completions(w, 1);
		assert_int_equal(w->ring.status[id], SCSI_GOOD);
	}
}

/* The loop stands still, as all of the daemon would. */
struct standstill {
	struct loop_work work;
	unsigned ms;
	bool begun, over;
};

static void stand_still(struct loop_work *work)
{
	struct standstill *standstill = container_of(work, struct standstill, work);

	__atomic_store_n(&standstill->begun, true, __ATOMIC_RELEASE);
	sleep_ms(standstill->ms);
	__atomic_store_n(&standstill->over, true, __ATOMIC_RELEASE);
}

static void stop_daemon(struct world *w, struct standstill *standstill, unsigned ms)
{
	*standstill = (struct standstill){.work.fn = stand_still, .ms = ms};
	loop_post(w->device.loop, &standstill->work);
	wait_flag(&standstill->begun);
}

/* Nobody knows when these came: the kernel drops the answer to the old, and initiators repeat the others. */
static void test_stopped_for_too_long(void **state)
{
	struct world *w = *state;
	struct standstill standstill;
	int ids[5];

	tcmu_device_start(&w->device);
	start(w, WRITE, 1, 1);
	wait_completions(w, 1);
	stop_daemon(w, &standstill, 1600);
	for (uint8_t i = 0; i < 5; i++)
		ids[i] = start(w, i ? WRITE : READ, 1, i + 2);
	wait_completions(w, 5);
	assert_true(standstill.over);
	for (unsigned i = 0; i < 5; i++)
		assert_int_equal(w->ring.status[ids[i]], SCSI_BUSY);
	assert_int_equal(writes_begun(), 1);
	await_log("the daemon did not look at the ring for too long");
	/* What comes now is known to be young. */
	int id = start(w, WRITE, 1, 9);
	wait_completions(w, 1);
	assert_int_equal(w->ring.status[id], SCSI_GOOD);
	assert_int_equal(script.media[BLOCK], 9);
}

static void test_stopped_for_a_moment(void **state)
{
	struct world *w = *state;
	struct standstill standstill;

	tcmu_device_start(&w->device);
	stop_daemon(w, &standstill, 200);
	int id = start(w, WRITE, 1, 1);
	wait_completions(w, 1);
	assert_int_equal(w->ring.status[id], SCSI_GOOD);
}

/*
 * What a daemon leaves behind waits for the next one; how long ago it looked, the mark of its clean stop
 * says.
 */
static void test_continued_too_late(void **state)
{
	struct world *w = *state;
	int before[3];

	for (uint8_t i = 0; i < 3; i++)
		before[i] = start(w, WRITE, 1, i + 1);
	tcmu_expiry_init(&w->device, clock_now_ns() - TIME_OUT * SECOND);
	tcmu_device_start(&w->device);
	wait_completions(w, 3);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(w->ring.status[before[i]], SCSI_BUSY);
	assert_int_equal(writes_begun(), 0);
}

static void test_continued_in_time(void **state)
{
	struct world *w = *state;
	int id = start(w, WRITE, 1, 1);

	tcmu_device_start(&w->device);
	wait_completions(w, 1);
	assert_int_equal(w->ring.status[id], SCSI_GOOD);
}

/* What comes then is new, however long nobody was there. */
static void test_nothing_to_continue(void **state)
{
	struct world *w = *state;

	tcmu_expiry_init(&w->device, clock_now_ns() - TIME_OUT * SECOND);
	tcmu_device_start(&w->device);
	sleep_ms(50);
	int id = start(w, WRITE, 1, 1);
	wait_completions(w, 1);
	assert_int_equal(w->ring.status[id], SCSI_GOOD);
}

static void reap(struct world *w)
{
	uint32_t bells[64];

	sched_yield();
	if (read(w->uio, bells, sizeof(bells)) > 0)
		fake_ring_reap(&w->ring);
}

/* The ring is never empty, and yet what is in it is new. */
static void test_busy_ring(void **state)
{
	struct world *w = *state;
	uint64_t end = clock_now_ns() + TIME_OUT * SECOND;
	int ids[8] = {0};

	tcmu_device_start(&w->device);
	for (; clock_now_ns() < end; reap(w))
		for (uint8_t i = 0; i < ARRAY_SIZE(ids); i++)
			if (!w->ring.in_flight[ids[i]])
				ids[i] = start(w, WRITE, i, i);
	while (!fake_ring_idle(&w->ring))
		reap(w);
	assert_int_equal(writes_begun(), w->ring.completions);
}

static void test_no_time_out(void **state)
{
	struct world *w = *state;
	struct standstill standstill;

	w->device.time_out = 0;
	tcmu_device_start(&w->device);
	stop_daemon(w, &standstill, 1600);
	int id = start(w, WRITE, 1, 1);
	wait_completions(w, 1);
	assert_int_equal(w->ring.status[id], SCSI_GOOD);
	assert_int_equal(given_up(w), 0);
}

static void on_first(struct tcmu_device *device)
{
	set_flag(&((struct world *)device->owner)->first);
}

/* What was set after the device had started, and before a LUN led to it. */
static void test_time_out_of_the_first_command(void **state)
{
	struct world *w = *state;

	w->device.time_out = 0;
	w->device.on_first = on_first;
	tcmu_device_start(&w->device);
	sleep_ms(100);
	stick_below(1);
	start(w, WRITE, 0, 1);
	wait_flag(&w->first);
	w->device.time_out = TIME_OUT;
	tcmu_device_go_on(&w->device);
	await_writes(1);
	await_given_up(w, 1);
	stick_below(0);
	wait_completions(w, 1);
}

/* --- waiting ----------------------------------------------------------------------------------- */

static void occupy_threads(struct world *w)
{
	stick_below(THREADS);
	for (uint8_t i = 0; i < THREADS; i++)
		start(w, WRITE, i, i + 1);
	await_writes(THREADS);
}

/* What waits for a thread is answered before the kernel would do so, and never reaches the handler. */
static void test_queued_expires(void **state)
{
	struct world *w = *state;
	uint64_t begun = clock_now_ns();

	tcmu_device_start(&w->device);
	occupy_threads(w);
	int id = start(w, WRITE, 9, 9);
	wait_completions(w, 1);
	assert_true(clock_now_ns() - begun > TIME_OUT * SECOND / 2);
	assert_true(clock_now_ns() - begun < 5 * TIME_OUT * SECOND); /* the machine may be loaded */
	assert_int_equal(w->ring.status[id], SCSI_CHECK_CONDITION);
	assert_int_equal(w->ring.sense_key[id], 0xb);
	stick_below(0);
	wait_completions(w, THREADS);
	assert_int_equal(writes_begun(), THREADS);
	assert_int_equal(script.media[9 * BLOCK], 0);
	assert_int_equal(given_up(w), THREADS + 1);
}

/* An abort of the kernel's does not wait for what has not begun. */
static void test_abort_of_queued(void **state)
{
	struct world *w = *state;

	w->device.time_out = 3600;
	tcmu_device_start(&w->device);
	occupy_threads(w);
	uint16_t id = (uint16_t)start(w, WRITE, 9, 9);
	assert_true(fake_ring_put_tmr(&w->ring, 1, &id, 1));
	wake(w);
	wait_completions(w, 1);
	assert_int_equal(w->ring.status[id], SCSI_TASK_ABORTED);
	stick_below(0);
	wait_completions(w, THREADS);
	assert_int_equal(writes_begun(), THREADS);
}

/* --- a write that hangs ------------------------------------------------------------------------ */

/*
 * The kernel has told the initiator that the write failed. What the initiator then writes in the same place
 * is done after it, whenever that is; elsewhere all goes on.
 */
static void test_stale_write_lands_first(void **state)
{
	struct world *w = *state;

	tcmu_device_start(&w->device);
	stick_below(1);
	int stale = start_blocks(w, WRITE, 0, 3, 1);
	await_given_up(w, 1);
	int newer = start_blocks(w, WRITE, 1, 1, 2), reader = start(w, READ, 2, 3),
	    elsewhere = start(w, WRITE, 5, 4);
	wait_completions(w, 1);
	assert_int_equal(w->ring.status[elsewhere], SCSI_GOOD);
	assert_false(w->ring.in_flight[elsewhere]);
	stick_below(0);
	wait_completions(w, 3);
	assert_int_equal(w->ring.status[stale], SCSI_GOOD); /* nobody gets to see it */
	assert_int_equal(w->ring.status[newer], SCSI_GOOD);
	assert_int_equal(w->ring.status[reader], SCSI_GOOD);
	assert_int_equal(data(w, 3)[0], 1);
	assert_int_equal(script.media[BLOCK], 2);
}

/* Who waits behind it has a time of its own, and can be given up, too. */
static void test_behind_a_stale_write(void **state)
{
	struct world *w = *state;

	tcmu_device_start(&w->device);
	stick_below(1);
	start(w, WRITE, 0, 1);
	await_given_up(w, 1);
	int newer = start(w, WRITE, 0, 2);
	wait_completions(w, 1);
	assert_int_equal(w->ring.status[newer], SCSI_CHECK_CONDITION);
	assert_int_equal(w->ring.sense_key[newer], 0xb);
	await_log("the storage has not answered for ");
	stick_below(0);
	wait_completions(w, 1);
	assert_int_equal(script.media[0], 1);
	await_log("the storage answers again");
}

/* The daemon is stopped while a write hangs, in time to be young when it goes on; the write is not. */
static void test_stopped_while_a_write_hangs(void **state)
{
	struct world *w = *state;
	struct standstill standstill;

	tcmu_device_start(&w->device);
	stick_below(1);
	start(w, WRITE, 0, 1);
	await_writes(1);
	sleep_ms(700);
	stop_daemon(w, &standstill, 700);
	int newer = start(w, WRITE, 0, 2);
	wait_flag(&standstill.over);
	sleep_ms(50);
	assert_int_equal(fake_ring_reap(&w->ring), 0);
	assert_int_equal(writes_begun(), 1);
	stick_below(0);
	wait_completions(w, 2);
	assert_int_equal(w->ring.status[newer], SCSI_GOOD);
	assert_int_equal(script.media[0], 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_pause_without_commands, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_stopped_for_too_long, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_stopped_for_a_moment, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_continued_too_late, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_continued_in_time, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_nothing_to_continue, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_busy_ring, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_no_time_out, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_time_out_of_the_first_command, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_queued_expires, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_queued_expires, set_up_parallel, tear_down),
	    cmocka_unit_test_setup_teardown(test_abort_of_queued, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_abort_of_queued, set_up_parallel, tear_down),
	    cmocka_unit_test_setup_teardown(test_stale_write_lands_first, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_stale_write_lands_first, set_up_parallel, tear_down),
	    cmocka_unit_test_setup_teardown(test_behind_a_stale_write, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_stopped_while_a_write_hangs, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
