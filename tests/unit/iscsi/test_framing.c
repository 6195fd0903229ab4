/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The target must answer a stream of PDUs in the same way, however TCP divides the stream into segments, and
 * must survive streams that end early or contain damaged bytes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "wire_fixture.h"

static struct stream out, answers, expected;
static uint8_t pattern[DISK_SIZE];

static void set_params(bool digests)
{
	wire.params = (struct iscsi_params){
	    .header_digest = digests,
	    .data_digest = digests,
	    .immediate_data = true,
	    .max_recv_data_segment = 8192,
	    .max_xmit_data_segment = 600,
	    .max_burst = 2048,
	    .first_burst = 1024,
	    .max_outstanding_r2t = 1,
	};
}

/*
 * Builds a stream with each kind of data segment that the receiver handles differently: no data, data that it
 * keeps in a buffer, data that it copies to the command, data that it drops, and odd lengths.
 */
static void build(void)
{
	struct iscsi_scsi_command cmd;
	struct iscsi_data_out data;
	struct iscsi_nop nop;

	wire_cmdsn = 1;
	out.len = 0;
	stream_login(&out);
	nop = wire_ping(1);
	stream_add(&out, &nop, "12345", 5);
	cmd = wire_command(2, ISCSI_FINAL | ISCSI_CMD_WRITE, 512, 0x2a, 3, 1);
	stream_add(&out, &cmd, pattern, 512);
	cmd = wire_command(3, ISCSI_CMD_WRITE, 1024, 0x2a, 7, 2);
	stream_add(&out, &cmd, pattern + 512, 512);
	data = wire_data(3, ISCSI_TAG_NONE, 0, 512, false);
	stream_add(&out, &data, pattern + 1024, 255);
	data = wire_data(3, ISCSI_TAG_NONE, 1, 767, true);
	stream_add(&out, &data, pattern + 1279, 257);
	/* more data than the CDB asks for */
	cmd = wire_command(4, ISCSI_FINAL | ISCSI_CMD_WRITE, 700, 0x2a, 20, 1);
	stream_add(&out, &cmd, pattern, 700);
	data = wire_data(99, ISCSI_TAG_NONE, 0, 0, true); /* there is no such task */
	stream_add(&out, &data, pattern, 33);
	cmd = wire_command(5, ISCSI_FINAL | ISCSI_CMD_READ, 1024, 0x28, 7, 2);
	stream_add(&out, &cmd, NULL, 0);
	cmd = wire_command(6, ISCSI_FINAL, 0, 0xc0, 0, 0);
	stream_add(&out, &cmd, NULL, 0);
	cmd = wire_command(7, ISCSI_FINAL, 0, 0, 0, 0);
	cmd.opcode = 0x1e; /* an unknown opcode is answered with Reject */
	stream_add(&out, &cmd, "abc", 3);
}

static void check_disk(void)
{
	assert_memory_equal(wire.disk + 3 * 512, pattern, 512);
	assert_memory_equal(wire.disk + 7 * 512, pattern + 512, 1024);
	assert_memory_equal(wire.disk + 20 * 512, pattern, 512);
	for (unsigned i = 21 * 512; i < 22 * 512; i++)
		assert_int_equal(wire.disk[i], 0);
}

static void collect(struct stream *to)
{
	to->len = 0;
	wire_receive(to);
	check_disk();
	assert_int_equal(wire_conn()->exp_cmdsn, wire_cmdsn);
	wire_stop();
}

static void expect_whole(bool digests)
{
	static const uint8_t kinds[] = {
	    ISCSI_OP_NOP_IN,  ISCSI_OP_SCSI_RESPONSE, ISCSI_OP_SCSI_RESPONSE, ISCSI_OP_SCSI_RESPONSE,
	    ISCSI_OP_DATA_IN, ISCSI_OP_DATA_IN,       ISCSI_OP_SCSI_RESPONSE, ISCSI_OP_REJECT};
	struct reply reply;
	size_t at;

	fill_pattern(pattern, sizeof(pattern), 1);
	set_params(digests);
	wire_start();
	build();
	wire_send_stream(&out);
	collect(&expected);
	stream_after_login(&expected, &at);
	for (unsigned i = 0; i < ARRAY_SIZE(kinds); i++) {
		assert_true(stream_next(&expected, &at, &reply));
		assert_int_equal(reply.bhs[0], kinds[i]);
	}
	assert_false(stream_next(&expected, &at, &reply));
}

/*
 * The PDUs and their data must be the same. ExpCmdSN and MaxCmdSN may differ, because they depend on how much
 * the target had received when it sent the PDU.
 */
static void same_answers(void)
{
	struct reply a, b;
	size_t at_a = 0, at_b = 0;

	while (stream_next(&expected, &at_a, &a)) {
		assert_true(stream_next(&answers, &at_b, &b));
		memset(a.bhs + 28, 0, 8);
		memset(b.bhs + 28, 0, 8);
		assert_memory_equal(a.bhs, b.bhs, sizeof(a.bhs));
		assert_int_equal(a.len, b.len);
		assert_memory_equal(a.data, b.data, a.len);
	}
	assert_false(stream_next(&answers, &at_b, &b));
}

static void every_split(bool digests)
{
	expect_whole(digests);
	for (size_t cut = 1; cut < out.len; cut++) {
		wire_start();
		build();
		wire_send(out.bytes, cut);
		wire_send(out.bytes + cut, out.len - cut);
		collect(&answers);
		same_answers();
	}
}

static void test_every_split(void **state)
{
	(void)state;
	every_split(false);
}

static void test_every_split_with_digests(void **state)
{
	(void)state;
	every_split(true);
}

static void test_byte_by_byte(void **state)
{
	(void)state;
	expect_whole(true);
	wire_start();
	build();
	for (size_t i = 0; i < out.len; i++)
		wire_send(out.bytes + i, 1);
	collect(&answers);
	same_answers();
}

/*
 * The initiator ends the connection after each byte of the stream in turn. The target frees everything, with
 * and without commands in flight at the storage.
 */
static void test_connection_that_ends_after_any_byte(void **state)
{
	(void)state;
	expect_whole(false);
	for (size_t cut = 0; cut < 2 * out.len; cut++) {
		wire_start();
		build();
		wire.hold = cut & 1;
		wire_send(out.bytes, cut / 2);
		wire_stop();
	}
}

/*
 * Flips one bit. A damaged header ends the connection without an answer. Damaged data is answered with a
 * Reject for the reason "data digest error".
 */
static void flip(size_t at, bool in_data)
{
	struct reply reply;
	size_t pos;

	size_t login = 48 + 4;

	wire_start();
	build();
	wire_send(out.bytes, login);
	out.bytes[at] ^= 0x10;
	wire_send(out.bytes + login, out.len - login);
	answers.len = 0;
	wire_receive(&answers);
	stream_after_login(&answers, &pos);
	if (in_data) {
		assert_true(stream_next(&answers, &pos, &reply));
		assert_int_equal(reply.bhs[0], ISCSI_OP_REJECT);
		assert_int_equal(reply.bhs[2], ISCSI_REJECT_DATA_DIGEST);
	}
	assert_false(stream_next(&answers, &pos, &reply));
	wire_stop();
}

static void test_digest_errors(void **state)
{
	size_t ping = 48 + 4; /* after the Login Request */

	(void)state;
	expect_whole(true);
	for (size_t i = 0; i < 48 + 4; i++)
		flip(ping + i, false);
	for (size_t i = 48 + 4; i < 48 + 4 + 8 + 4; i++) /* data, padding, digest */
		flip(ping + i, true);
}

/*
 * Damaged streams arrive in two pieces, and the storage answers at once or later. The target must not crash,
 * and must free everything.
 */
static void test_random_damage(void **state)
{
	unsigned seed = 7143;

	(void)state;
	fill_pattern(pattern, sizeof(pattern), 1);
	for (unsigned i = 0; i < 20000; i++) {
		size_t cut, login;

		set_params(i & 1);
		wire_start();
		build();
		wire.hold = i & 2;
		login = 48 + 4;
		for (int damage = rand_r(&seed) % 6; damage >= 0; damage--) {
			size_t where = login + (size_t)rand_r(&seed) % (out.len - login);

			out.bytes[where] = (uint8_t)(rand_r(&seed) % 3 ? rand_r(&seed) : rand_r(&seed) % 8);
		}
		cut = login + (size_t)rand_r(&seed) % (out.len - login);
		wire_send(out.bytes, cut);
		if (i & 4)
			wire_complete();
		wire_send(out.bytes + cut, out.len - cut);
		wire_stop();
	}
}

static void test_segment_too_long(void **state)
{
	struct iscsi_nop nop = wire_ping(1);

	(void)state;
	set_params(false);
	wire_start();
	out.len = 0;
	stream_login(&out);
	put_be24(nop.data_len, 8193);
	memcpy(out.bytes + out.len, &nop, sizeof(nop));
	out.len += sizeof(nop);
	put_be24(out.bytes + out.len - 48 + 5, 8193);
	wire_send_stream(&out);
	assert_null(wire_conn());
	wire_stop();
}

int main(void)
{
	log_set_level(LOG_LEVEL_CRIT);
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_every_split),
	    cmocka_unit_test(test_every_split_with_digests),
	    cmocka_unit_test(test_byte_by_byte),
	    cmocka_unit_test(test_connection_that_ends_after_any_byte),
	    cmocka_unit_test(test_digest_errors),
	    cmocka_unit_test(test_random_damage),
	    cmocka_unit_test(test_segment_too_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
