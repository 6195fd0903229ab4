/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A device with the memory handler executes commands as the kernel may send them, from the ring to the
 * completion.
 */
#include "device_fixture.h"

#include <string.h>
#include <time.h>

static void on_first(struct tcmu_device *device)
{
	set_flag(&((struct fixture *)device->owner)->first);
}

static int set_up(void **state)
{
	static struct fixture fixture;

	fixture_set_up(&fixture, HANDLERS, "alloc/t", 2);
	*state = &fixture;
	return 0;
}

static int tear_down(void **state)
{
	fixture_tear_down(*state);
	return 0;
}

static void test_write_and_read(void **state)
{
	struct fixture *w = *state;
	uint8_t cdb[10];

	tcmu_device_start(&w->device);
	memset(data(w, 0), 0x5a, PAGE);
	rw10(cdb, 0x2a, 16, 8);
	assert_int_equal(w->ring.status[run(w, cdb, 10, 0, PAGE)], SCSI_GOOD);
	rw10(cdb, 0x28, 16, 8);
	assert_int_equal(w->ring.status[run(w, cdb, 10, 1, PAGE)], SCSI_GOOD);
	assert_memory_equal(data(w, 0), data(w, 1), PAGE);
}

/* The daemon reports no unit attention for power on, because the kernel reports its own. */
static void test_first_command_is_good(void **state)
{
	struct fixture *w = *state;
	const uint8_t tur[6] = {0};

	tcmu_device_start(&w->device);
	assert_int_equal(w->ring.status[run(w, tur, 6, 0, 0)], SCSI_GOOD);
}

static void test_short_data_in(void **state)
{
	struct fixture *w = *state;
	uint8_t inquiry[6] = {0x12, 0, 0, 0, 36};

	tcmu_device_start(&w->device);
	memset(data(w, 0), 0xee, PAGE);
	int id = run(w, inquiry, 6, 0, 255);
	assert_int_equal(w->ring.status[id], SCSI_GOOD);
	assert_int_equal(w->ring.read_len[id], 36);
	assert_memory_equal(data(w, 0) + 8, "LIO-ORG ", 8);
}

/*
 * The ring does not say which initiator a command comes from. A reservation for all of them together would
 * protect nothing, so the device server leaves reservations to the kernel.
 */
static void test_reservations_are_refused(void **state)
{
	static const uint8_t opcodes[] = {0x16, 0x17, 0x56, 0x57};
	struct fixture *w = *state;

	tcmu_device_start(&w->device);
	for (unsigned i = 0; i < sizeof(opcodes); i++) {
		uint8_t cdb[10] = {opcodes[i]};
		int id = run(w, cdb, opcodes[i] < 0x20 ? 6 : 10, 0, 0);

		assert_int_equal(w->ring.status[id], SCSI_CHECK_CONDITION);
		assert_int_equal(w->ring.sense_key[id], 0x05);
	}
}

/*
 * A kernel without READ_LEN takes the whole length. Bytes that the daemon does not fill would belong to other
 * commands.
 */
static void test_short_data_in_is_zeroed(void **state)
{
	struct fixture *w = *state;
	uint8_t inquiry[6] = {0x12, 0, 0, 0, 36}, zeroes[200] = {0};

	w->device.ring.flags &= (uint16_t)~TCMU_FLAG_READ_LEN;
	tcmu_device_start(&w->device);
	memset(data(w, 0), 0xee, PAGE);
	run(w, inquiry, 6, 0, 236);
	assert_memory_equal(data(w, 0) + 36, zeroes, 200);
}

/* The fabric expects less data than the CDB reads, so the rest is not delivered. */
static void test_data_in_longer_than_expected(void **state)
{
	struct fixture *w = *state;
	uint8_t cdb[10];

	tcmu_device_start(&w->device);
	memset(data(w, 0), 0x77, PAGE);
	rw10(cdb, 0x2a, 0, 8);
	run(w, cdb, 10, 0, PAGE);
	memset(data(w, 1), 0xee, PAGE);
	rw10(cdb, 0x28, 0, 8);
	assert_int_equal(w->ring.status[run(w, cdb, 10, 1, 1000)], SCSI_GOOD);
	assert_memory_equal(data(w, 1), data(w, 0), 1000);
	assert_int_equal(data(w, 1)[1000], 0xee);
}

static void test_many_iovecs(void **state)
{
	struct fixture *w = *state;
	struct tcmu_uiov iov[40];
	uint8_t cdb[10];

	tcmu_device_start(&w->device);
	for (unsigned i = 0; i < ARRAY_SIZE(iov); i++) {
		iov[i] = (struct tcmu_uiov){(39 - i) * PAGE, PAGE};
		memset(data(w, 39 - i), (int)i, PAGE);
	}
	rw10(cdb, 0x2a, 0, 40 * 8);
	assert_true(fake_ring_put(&w->ring, cdb, 10, iov, ARRAY_SIZE(iov)) > 0);
	wake(w);
	wait_completions(w, 1);
	rw10(cdb, 0x28, 39 * 8, 8);
	run(w, cdb, 10, 50, PAGE);
	assert_int_equal(data(w, 50)[0], 39);
	assert_int_equal(data(w, 50)[PAGE - 1], 39);
}

static void test_refusals_are_completed(void **state)
{
	struct fixture *w = *state;
	const uint8_t vendor[10] = {0xc5}, group3[12] = {0x61};
	uint8_t cdb[10];

	tcmu_device_start(&w->device);
	int id = run(w, vendor, 10, 0, 0);
	assert_int_equal(w->ring.status[id], SCSI_CHECK_CONDITION);
	assert_int_equal(w->ring.sense_key[id], 5);
	id = run(w, group3, 12, 0, 0);
	assert_int_equal(w->ring.status[id], SCSI_CHECK_CONDITION);
	rw10(cdb, 0x28, 0xfffffff0, 8);
	id = run(w, cdb, 10, 0, PAGE);
	assert_int_equal(w->ring.status[id], SCSI_CHECK_CONDITION);
	assert_int_equal(w->ring.sense_key[id], 5);
	id = fake_ring_put(&w->ring, cdb, 10, &(struct tcmu_uiov){0, UINT64_MAX}, 1);
	wake(w);
	wait_completions(w, 1);
	assert_int_equal(w->ring.status[id], SCSI_CHECK_CONDITION);
	assert_int_equal(w->ring.sense_key[id], 5);
}

/* Commands that waited in the ring while no daemon ran are served at the start, without a wake-up. */
static void test_commands_from_before_the_start_are_served(void **state)
{
	struct fixture *w = *state;
	const uint8_t tur[6] = {0};

	for (int i = 0; i < 20; i++)
		put(w, tur, 6, 0, 0);
	tcmu_device_start(&w->device);
	wait_completions(w, 20);
	assert_true(w->device.doorbells <= 2);
	assert_int_equal(w->device.commands, 20);
}

static void test_stop_leaves_commands_in_the_ring(void **state)
{
	struct fixture *w = *state;
	const uint8_t tur[6] = {0};

	tcmu_device_start(&w->device);
	run(w, tur, 6, 0, 0);
	fixture_stop(w);
	put(w, tur, 6, 0, 0);
	wake(w);
	assert_int_equal(fake_ring_reap(&w->ring), 0);
	assert_int_equal(tcmu_ring_attach(&w->device.ring, w->ring.map, w->ring.map_len, NULL), 0);
	assert_true(tcmu_ring_pending(&w->device.ring));
}

/* The first command waits until the owner of the device allows it. A stop does not wait for that. */
static void test_first_command_waits(void **state)
{
	const struct timespec a_while = {.tv_nsec = 20000000};
	struct fixture *w = *state;
	const uint8_t tur[6] = {0};

	w->device.on_first = on_first;
	tcmu_device_start(&w->device);
	put(w, tur, 6, 0, 0);
	wake(w);
	wait_flag(&w->first);
	put(w, tur, 6, 0, 0);
	wake(w);
	nanosleep(&a_while, NULL);
	assert_int_equal(fake_ring_reap(&w->ring), 0);
	fixture_stop(w);
	assert_int_equal(fake_ring_reap(&w->ring), 0);
	w->stopped = w->device.used = w->first = false;
	tcmu_device_start(&w->device);
	wait_flag(&w->first);
	tcmu_device_resume(&w->device);
	wait_completions(w, 2);
	w->first = false;
	run(w, tur, 6, 0, 0);
	assert_false(w->first);
}

static void test_abort_notice(void **state)
{
	struct fixture *w = *state;
	const uint8_t tur[6] = {0};
	const uint16_t ids[2] = {200, 1};

	put(w, tur, 6, 0, 0);
	assert_true(fake_ring_put_tmr(&w->ring, 1, ids, 2));
	put(w, tur, 6, 0, 0);
	tcmu_device_start(&w->device);
	wait_completions(w, 2);
	assert_true(fake_ring_idle(&w->ring));
}

static void test_broken_ring_is_reported(void **state)
{
	struct fixture *w = *state;

	tcmu_device_start(&w->device);
	fake_ring_put_raw(&w->ring, 0, 64);
	wake(w);
	wait_flag(&w->gone);
	assert_true(w->device.ring.broken);
}

/* --- how often the clock is read --- */

static unsigned clock_reads; /* Atomic: how often the loop has read the clock. */
int __real_clock_gettime(clockid_t clock, struct timespec *time);
int __wrap_clock_gettime(clockid_t clock, struct timespec *time);

int __wrap_clock_gettime(clockid_t clock, struct timespec *time)
{
	if (loop_current())
		__atomic_add_fetch(&clock_reads, 1, __ATOMIC_RELAXED);
	return __real_clock_gettime(clock, time);
}

/*
 * Commands have deadlines, but in some guests reading the clock is a system call. So a single command does
 * not read the clock.
 */
static void test_single_command_reads_no_clock(void **state)
{
	struct fixture *w = *state;
	uint8_t cdb[10];

	w->device.time_out = 30;
	tcmu_device_start(&w->device);
	if (!loop_uses_uring(w->device.loop))
		skip(); /* the device has been started: the end of a test stops it */
	rw10(cdb, 0x2a, 16, 8);
	for (int i = 0; i < 250; i++) {
		if (i == 50)
			__atomic_store_n(&clock_reads, 0, __ATOMIC_RELAXED);
		assert_int_equal(w->ring.status[run(w, cdb, 10, 0, PAGE)], SCSI_GOOD);
	}
	assert_uint_in_range(__atomic_load_n(&clock_reads, __ATOMIC_RELAXED), 0, 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_write_and_read, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_first_command_is_good, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_reservations_are_refused, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_short_data_in, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_short_data_in_is_zeroed, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_data_in_longer_than_expected, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_many_iovecs, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_refusals_are_completed, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_commands_from_before_the_start_are_served, set_up,
					    tear_down),
	    cmocka_unit_test_setup_teardown(test_stop_leaves_commands_in_the_ring, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_first_command_waits, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_abort_notice, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_broken_ring_is_reported, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_single_command_reads_no_clock, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
