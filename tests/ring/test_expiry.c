/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Commands and the kernel's time-out: commands that may have expired are not started, commands that take too
 * long are cancelled, and a write that still hangs keeps newer commands away from its blocks. The handler is
 * tests/unit/backstore/stuck.c.
 */
#include "device_fixture.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "kept_log.h"
#include "script.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/counter.h"
#include "util/log.h"

#define THREADS 2
#define BLOCK   512u
#define SECOND  1000000000ull
/*
 * In seconds. Commands that are older than 1.5 s are not started, and those that were cancelled end within
 * 1.75 s.
 */
#define TIME_OUT 2

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
	static struct fixture fixture;
	char config[64];

	script = (struct script){.info = {.size = 1 << 20, .block_size = BLOCK}, .media = calloc(1, 1 << 20)};
	assert_non_null(script.media);
	log_keep();
	snprintf(config, sizeof(config), "%s/%p", handler, (void *)&script);
	fixture_set_up(&fixture, STUCK_HANDLERS, config, THREADS);
	fixture.device.time_out = TIME_OUT;
	*state = &fixture;
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
	fixture_tear_down(*state);
	log_set_sink(NULL);
	free(script.media);
	return 0;
}

/*
 * Puts a WRITE of value, or a READ, into the ring, and wakes the device. The data is in the page with the
 * number value.
 */
static int start_blocks(struct fixture *w, uint8_t opcode, unsigned block, uint16_t nblocks, uint8_t value)
{
	uint8_t cdb[10];

	rw10(cdb, opcode, block, nblocks);
	memset(data(w, value), value, nblocks * BLOCK);
	int id = put(w, cdb, sizeof(cdb), value, nblocks * BLOCK);

	wake(w);
	return id;
}

static int start(struct fixture *w, uint8_t opcode, unsigned block, uint8_t value)
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

static uint64_t count_expired(const struct fixture *w)
{
	return counter_read(&w->device.expiry.nexpired);
}

static void await_expired(const struct fixture *w, uint64_t n)
{
	for (int i = 0; i < 60000 && count_expired(w) < n; i++)
		sleep_ms(1);
	assert_int_equal(count_expired(w), n);
}

/* --- age --------------------------------------------------------------------------------------- */

/* An idle daemon would have seen a command at once. So however long it is idle, the next command is new. */
static void test_pause_without_commands(void **state)
{
	struct fixture *w = *state;

	tcmu_device_start(&w->device);
	for (int i = 0; i < 3; i++) {
		sleep_ms(1600);
		int id = start(w, WRITE, 1, 1);
		wait_completions(w, 1);
		assert_int_equal(w->ring.status[id], SCSI_GOOD);
	}
}

/* Blocks the loop, as if the whole daemon was stopped. */
struct blockage {
	struct loop_work work;
	unsigned ms;
	bool begun, over;
};

static void block_loop(struct loop_work *work)
{
	struct blockage *blockage = container_of(work, struct blockage, work);

	__atomic_store_n(&blockage->begun, true, __ATOMIC_RELEASE);
	sleep_ms(blockage->ms);
	__atomic_store_n(&blockage->over, true, __ATOMIC_RELEASE);
}

static void stop_daemon(struct fixture *w, struct blockage *blockage, unsigned ms)
{
	*blockage = (struct blockage){.work.fn = block_loop, .ms = ms};
	loop_post(w->device.loop, &blockage->work);
	wait_flag(&blockage->begun);
}

/*
 * The age of these commands is not known. The kernel drops the answers to the expired ones, and initiators
 * repeat the others.
 */
static void test_stopped_for_too_long(void **state)
{
	struct fixture *w = *state;
	struct blockage blockage;
	int ids[5];

	tcmu_device_start(&w->device);
	start(w, WRITE, 1, 1);
	wait_completions(w, 1);
	stop_daemon(w, &blockage, 1600);
	for (uint8_t i = 0; i < 5; i++)
		ids[i] = start(w, i ? WRITE : READ, 1, i + 2);
	wait_completions(w, 5);
	assert_true(blockage.over);
	for (unsigned i = 0; i < 5; i++)
		assert_int_equal(w->ring.status[ids[i]], SCSI_BUSY);
	assert_int_equal(writes_begun(), 1);
	await_log("the daemon did not look at the ring for too long");
	/* The next command is known to be new. */
	int id = start(w, WRITE, 1, 9);
	wait_completions(w, 1);
	assert_int_equal(w->ring.status[id], SCSI_GOOD);
	assert_int_equal(script.media[BLOCK], 9);
}

static void test_stopped_for_a_moment(void **state)
{
	struct fixture *w = *state;
	struct blockage blockage;

	tcmu_device_start(&w->device);
	stop_daemon(w, &blockage, 200);
	int id = start(w, WRITE, 1, 1);
	wait_completions(w, 1);
	assert_int_equal(w->ring.status[id], SCSI_GOOD);
}

/*
 * The commands that a daemon leaves in the ring wait for the next daemon. The mark of the clean stop tells
 * how long ago the ring was last looked at.
 */
static void test_continued_too_late(void **state)
{
	struct fixture *w = *state;
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
	struct fixture *w = *state;
	int id = start(w, WRITE, 1, 1);

	tcmu_device_start(&w->device);
	wait_completions(w, 1);
	assert_int_equal(w->ring.status[id], SCSI_GOOD);
}

/* The ring was empty, so the commands that come now are new, however long no daemon ran. */
static void test_empty_ring_is_continued_at_any_time(void **state)
{
	struct fixture *w = *state;

	tcmu_expiry_init(&w->device, clock_now_ns() - TIME_OUT * SECOND);
	tcmu_device_start(&w->device);
	sleep_ms(50);
	int id = start(w, WRITE, 1, 1);
	wait_completions(w, 1);
	assert_int_equal(w->ring.status[id], SCSI_GOOD);
}

static void reap(struct fixture *w)
{
	uint32_t bells[64];

	sched_yield();
	if (read(w->uio, bells, sizeof(bells)) > 0)
		fake_ring_reap(&w->ring);
}

/* The ring is never empty, but all commands in it are new. */
static void test_busy_ring(void **state)
{
	struct fixture *w = *state;
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
	struct fixture *w = *state;
	struct blockage blockage;

	w->device.time_out = 0;
	tcmu_device_start(&w->device);
	stop_daemon(w, &blockage, 1600);
	int id = start(w, WRITE, 1, 1);
	wait_completions(w, 1);
	assert_int_equal(w->ring.status[id], SCSI_GOOD);
	assert_int_equal(count_expired(w), 0);
}

static void on_first(struct tcmu_device *device)
{
	set_flag(&((struct fixture *)device->owner)->first);
}

/* The time-out was set after the device had started, and before a LUN led to it. */
static void test_time_out_of_the_first_command(void **state)
{
	struct fixture *w = *state;

	w->device.time_out = 0;
	w->device.on_first = on_first;
	tcmu_device_start(&w->device);
	sleep_ms(100);
	stick_below(1);
	start(w, WRITE, 0, 1);
	wait_flag(&w->first);
	w->device.time_out = TIME_OUT;
	tcmu_device_resume(&w->device);
	await_writes(1);
	await_expired(w, 1);
	stick_below(0);
	wait_completions(w, 1);
}

/* --- waiting ----------------------------------------------------------------------------------- */

static void occupy_threads(struct fixture *w)
{
	stick_below(THREADS);
	for (uint8_t i = 0; i < THREADS; i++)
		start(w, WRITE, i, i + 1);
	await_writes(THREADS);
}

/*
 * A command that waits for a thread is answered before the kernel would end it, and never reaches the
 * handler.
 */
static void test_queued_command_expires(void **state)
{
	struct fixture *w = *state;
	uint64_t begun = clock_now_ns();

	tcmu_device_start(&w->device);
	occupy_threads(w);
	int id = start(w, WRITE, 9, 9);
	wait_completions(w, 1);
	assert_true(clock_now_ns() - begun > TIME_OUT * SECOND / 2);
	assert_true(clock_now_ns() - begun < 5 * TIME_OUT * SECOND); /* the machine may be busy */
	assert_int_equal(w->ring.status[id], SCSI_CHECK_CONDITION);
	assert_int_equal(w->ring.sense_key[id], 0xb);
	stick_below(0);
	wait_completions(w, THREADS);
	assert_int_equal(writes_begun(), THREADS);
	assert_int_equal(script.media[9 * BLOCK], 0);
	assert_int_equal(count_expired(w), THREADS + 1);
}

/* An abort by the kernel does not wait for a command that has not started. */
static void test_abort_of_queued_command(void **state)
{
	struct fixture *w = *state;

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
 * The kernel has told the initiator that the write has failed. A newer write of the initiator to the same
 * blocks is executed after the old one, however long that takes. Commands for other blocks continue.
 */
static void test_expired_write_is_executed_first(void **state)
{
	struct fixture *w = *state;

	tcmu_device_start(&w->device);
	stick_below(1);
	int stale = start_blocks(w, WRITE, 0, 3, 1);
	await_expired(w, 1);
	int newer = start_blocks(w, WRITE, 1, 1, 2), reader = start(w, READ, 2, 3),
	    elsewhere = start(w, WRITE, 5, 4);
	wait_completions(w, 1);
	assert_int_equal(w->ring.status[elsewhere], SCSI_GOOD);
	assert_false(w->ring.in_flight[elsewhere]);
	stick_below(0);
	wait_completions(w, 3);
	assert_int_equal(w->ring.status[stale], SCSI_GOOD); /* nobody sees this status */
	assert_int_equal(w->ring.status[newer], SCSI_GOOD);
	assert_int_equal(w->ring.status[reader], SCSI_GOOD);
	assert_int_equal(data(w, 3)[0], 1);
	assert_int_equal(script.media[BLOCK], 2);
}

/* A command that waits for an expired write has a time limit of its own, and can expire as well. */
static void test_command_that_waits_for_an_expired_write_expires(void **state)
{
	struct fixture *w = *state;

	tcmu_device_start(&w->device);
	stick_below(1);
	start(w, WRITE, 0, 1);
	await_expired(w, 1);
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

/*
 * The daemon is stopped while a write hangs. When it continues, the daemon has looked at the ring in time,
 * but the write has expired.
 */
static void test_stopped_while_a_write_hangs(void **state)
{
	struct fixture *w = *state;
	struct blockage blockage;

	tcmu_device_start(&w->device);
	stick_below(1);
	start(w, WRITE, 0, 1);
	await_writes(1);
	sleep_ms(700);
	stop_daemon(w, &blockage, 700);
	int newer = start(w, WRITE, 0, 2);
	wait_flag(&blockage.over);
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
	    cmocka_unit_test_setup_teardown(test_empty_ring_is_continued_at_any_time, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_busy_ring, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_no_time_out, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_time_out_of_the_first_command, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_queued_command_expires, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_queued_command_expires, set_up_parallel, tear_down),
	    cmocka_unit_test_setup_teardown(test_abort_of_queued_command, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_abort_of_queued_command, set_up_parallel, tear_down),
	    cmocka_unit_test_setup_teardown(test_expired_write_is_executed_first, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_expired_write_is_executed_first, set_up_parallel, tear_down),
	    cmocka_unit_test_setup_teardown(test_command_that_waits_for_an_expired_write_expires, set_up,
					    tear_down),
	    cmocka_unit_test_setup_teardown(test_stopped_while_a_write_hangs, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
