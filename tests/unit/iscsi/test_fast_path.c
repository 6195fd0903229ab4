/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The cost of READs and WRITEs in the front end: no lock, no memory except the data buffer, and one sendmsg
 * in each turn.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "dialogue.h"
#include "util/lock.h"

#define COMMANDS 16 /* As many commands as the window allows. */

static unsigned allocations, sends, receives;
static uint8_t pattern[COMMANDS * 512];

/*
 * The linker replaces the C library's functions by these. The buffers of the fake loop do not come from them.
 */
void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
ssize_t __real_sendmsg(int fd, const struct msghdr *msg, int flags);
ssize_t __real_recvmsg(int fd, struct msghdr *msg, int flags);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
ssize_t __wrap_sendmsg(int fd, const struct msghdr *msg, int flags);
ssize_t __wrap_recvmsg(int fd, struct msghdr *msg, int flags);

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

ssize_t __wrap_sendmsg(int fd, const struct msghdr *msg, int flags)
{
	sends++;
	return __real_sendmsg(fd, msg, flags);
}

ssize_t __wrap_recvmsg(int fd, struct msghdr *msg, int flags)
{
	receives++;
	return __real_recvmsg(fd, msg, flags);
}

static void login(bool digests)
{
	wire.params = (struct iscsi_params){
	    .header_digest = digests,
	    .data_digest = digests,
	    .immediate_data = true,
	    .max_recv_data_segment = 8192,
	    .max_xmit_data_segment = 8192,
	    .max_burst = 8192,
	    .first_burst = 8192,
	    .max_outstanding_r2t = 1,
	};
	wire_start();
	out.len = in.len = 0;
	log_in();
}

/* Runs one turn with COMMANDS commands. */
static void run(uint8_t flags, uint8_t opcode, uint32_t immediate)
{
	out.len = in.len = 0;
	for (uint32_t i = 0; i < COMMANDS; i++) {
		struct iscsi_scsi_command cmd = wire_command(i, ISCSI_FINAL | flags, 512, opcode, i, 1);

		stream_add(&out, &cmd, pattern + i * 512, immediate);
	}
	allocations = sends = receives = 0;
	wire_send_stream(&out);
}

static void measure(uint8_t flags, uint8_t opcode, uint32_t immediate, uint8_t answer)
{
	struct reply reply;
	unsigned long locks;

	run(flags, opcode, immediate); /* the slab grows once */
	wire_receive(&in);
	locks = lock_taken();
	run(flags, opcode, immediate);
	assert_int_equal(lock_taken() - locks, 0);
	assert_int_equal(allocations, 0);
	assert_int_equal(sends, 1);
	assert_int_equal(receives, 1);
	wire_receive(&in);
	at = 0;
	for (uint32_t i = 0; i < COMMANDS; i++) {
		assert_true(stream_next(&in, &at, &reply));
		assert_int_equal(reply.bhs[0], answer);
	}
}

static void test_read(void **state)
{
	(void)state;
	for (int digests = 0; digests < 2; digests++) {
		login(digests);
		measure(ISCSI_CMD_READ, 0x28, 0, ISCSI_OP_DATA_IN);
		wire_stop();
	}
}

static void test_write(void **state)
{
	(void)state;
	fill_pattern(pattern, sizeof(pattern), 2);
	for (int digests = 0; digests < 2; digests++) {
		login(digests);
		measure(ISCSI_CMD_WRITE, 0x2a, 512, ISCSI_OP_SCSI_RESPONSE);
		assert_memory_equal(wire.disk, pattern, sizeof(pattern));
		wire_stop();
	}
}

/* Shows that the counters count. */
static void test_counted(void **state)
{
	struct iscsi_nop ping = wire_ping(1);

	(void)state;
	login(false);
	out.len = 0;
	stream_add(&out, &ping, "ping", 4);
	allocations = sends = receives = 0;
	wire_send_stream(&out);
	assert_true(allocations > 0 && sends == 1 && receives > 0);
	wire_stop();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_read),
	    cmocka_unit_test(test_write),
	    cmocka_unit_test(test_counted),
	};

	log_set_level(LOG_LEVEL_CRIT);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
