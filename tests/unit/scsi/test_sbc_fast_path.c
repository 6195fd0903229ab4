/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The cost of a READ and of a WRITE in the device server: no lock, no memory, and one I/O of the backstore.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

#include "sbc_fixture.h"
#include "scsi/nexus.h"
#include "util/lock.h"

#define COMMANDS 100

static unsigned allocations;

/* The linker replaces the C library's functions by these. */
void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_aligned_alloc(size_t alignment, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);
int __real_posix_memalign(void **memory, size_t alignment, size_t size);
int __wrap_posix_memalign(void **memory, size_t alignment, size_t size);

void *__wrap_malloc(size_t size)
{
	allocations++;
	return __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size)
{
	allocations++;
	return __real_calloc(n, size);
}

void *__wrap_aligned_alloc(size_t alignment, size_t size)
{
	allocations++;
	return __real_aligned_alloc(alignment, size);
}

int __wrap_posix_memalign(void **memory, size_t alignment, size_t size)
{
	allocations++;
	return __real_posix_memalign(memory, alignment, size);
}

static struct sbc_fixture e;
static struct scsi_it_nexus it_nexus = {.initiator_port = "iqn.2026-11.test:i,i,0x1",
					.target_port = "iqn.2026-11.test:t,t,0x1"};
static struct scsi_nexus nexus;

static void lends(struct backstore *bs)
{
	bs->can_lend = true;
}

static int set_up(void **state)
{
	(void)state;
	sbc_fixture_open(&e, 1024, 512, lends);
	scsi_nexus_attach(&nexus, &it_nexus, e.lu, fake_loop(0));
	scsi_ua_pop(&nexus);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	scsi_nexus_detach(&nexus);
	sbc_fixture_close(&e);
	return 0;
}

/*
 * Runs commands one after the other: WRITE with Data-Out that has been received, and READ with memory of the
 * backstore.
 */
static void run(uint8_t opcode)
{
	static uint8_t block[64 << 10]; /* large enough to be lent */
	struct iovec iov = {block, sizeof(block)};
	uint8_t cdb[16];
	size_t cdb_len = sbc_fixture_cdb(cdb, opcode, 0, 16, sizeof(block) / 512);
	unsigned long locks;
	unsigned memory;

	fake_cmd_init(&e.c, e.lu, &nexus, cdb, cdb_len);
	e.c.cmd.may_lend = true;
	e.bs->ncalls = 0;
	locks = lock_taken();
	memory = allocations;
	for (unsigned i = 0; i < COMMANDS; i++) {
		scsi_parse(&e.c.cmd);
		if (e.c.cmd.direction == SCSI_DATA_OUT) {
			e.c.cmd.iov = &iov;
			e.c.cmd.iovcnt = 1;
			e.c.cmd.data_out_len = sizeof(block);
		}
		scsi_submit(&e.c.cmd);
	}
	assert_int_equal(lock_taken() - locks, 0);
	assert_int_equal(allocations - memory, 0);
	assert_int_equal(e.c.done, COMMANDS);
	assert_int_equal(e.c.cmd.status, SCSI_GOOD);
	assert_int_equal(e.bs->ncalls, COMMANDS);
}

static void test_read(void **state)
{
	(void)state;
	run(0x28);
	run(0x88);
}

static void test_write(void **state)
{
	(void)state;
	run(0x2a);
	run(0x8a);
}

/* Shows that the counters count, with a command that is not on the fast path. */
static void test_counted(void **state)
{
	unsigned memory = allocations;

	(void)state;
	assert_int_equal(sbc_fixture_run(&e, 0x9e, 0x12, 0, 24, NULL, 0), SCSI_GOOD);
	assert_true(allocations > memory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_read),
	    cmocka_unit_test(test_write),
	    cmocka_unit_test(test_counted),
	};

	return cmocka_run_group_tests_name("sbc_fast_path", tests, set_up, tear_down);
}
