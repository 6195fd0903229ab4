/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Peers that read slowly or not at all, send nothing, send too much, or reset the target. The memory that a
 * connection keeps for them is limited, and the commands of other peers continue.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "transfer.h"

/* A peer that reads slowly gets every byte once and in order. */
static void test_slow_reader(void **state)
{
	int size = 4096;
	uint32_t want = 0;
	struct reply reply;

	(void)state;
	wire.params.header_digest = wire.params.data_digest = true;
	begin(1);
	setsockopt(wire_conn()->watch.fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	fill_pattern(wire.disk, DISK_SIZE, 5);
	out.len = 0;
	for (uint32_t i = 0; i < 4; i++) {
		struct iscsi_scsi_command cmd =
		    wire_command(i, FINAL_READ, DISK_SIZE, 0x28, 0, DISK_SIZE / 512);

		stream_add(&out, &cmd, NULL, 0);
	}
	wire_send_stream(&out);
	wire_receive(&in);
	while (stream_next(&in, &at, &reply)) {
		const struct iscsi_data_in *pdu = (const void *)reply.bhs;

		assert_int_equal(get_be32(pdu->itt), want / DISK_SIZE);
		assert_int_equal(get_be32(pdu->offset), want % DISK_SIZE);
		assert_memory_equal(reply.data, wire.disk + want % DISK_SIZE, reply.len);
		want += reply.len;
	}
	assert_int_equal(want, 4 * DISK_SIZE);
	wire_stop();
}

/* A peer that only writes cannot make the queue grow without a limit. */
static void test_never_reads(void **state)
{
	static uint8_t ping[8192];
	struct iscsi_nop nop = wire_ping(7);
	size_t sent = 0;

	(void)state;
	wire.params.max_xmit_data_segment = 8192;
	begin(1);
	out.len = 0;
	for (unsigned i = 0; i < 60; i++)
		stream_add(&out, &nop, ping, sizeof(ping));
	for (unsigned i = 0; i < 1000; i++) { /* as often as the socket accepts it */
		ssize_t n = send(wire.fd, out.bytes + sent, out.len - sent, MSG_DONTWAIT | MSG_NOSIGNAL);

		sent = n < 0 ? sent : (sent + (size_t)n) % out.len;
		wire_turn();
		assert_true(wire_conn()->tx.message_bytes < 8 * LOOP_SCRATCH_SIZE + (64u << 10));
	}
	assert_true(wire_conn()->rx.paused);
	wire_stop();
}

/*
 * Each small request asks for a large answer; the initiator should have waited for the answer (RFC 7143
 * 11.10).
 */
static void test_text_flood(void **state)
{
	struct iscsi_text text = {.opcode = ISCSI_OP_TEXT | ISCSI_OP_IMMEDIATE, .flags = ISCSI_FINAL};

	(void)state;
	wire.params.max_xmit_data_segment = 65536;
	begin(1);
	wire.text_len = 65536;
	put_be32(text.ttt, ISCSI_TAG_NONE);
	out.len = 0;
	for (unsigned i = 0; i < 1000; i++)
		stream_add(&out, &text, NULL, 0);
	wire_send_stream(&out);
	assert_null(wire_conn());
	wire_stop();
}

/* Fills the socket with Data-In that the test does not read. */
static void fill_socket(void)
{
	int size = 4096;

	begin(1);
	setsockopt(wire_conn()->watch.fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	out.len = 0;
	for (uint32_t i = 0; i < 8; i++) {
		struct iscsi_scsi_command cmd =
		    wire_command(i, FINAL_READ, DISK_SIZE, 0x28, 0, DISK_SIZE / 512);

		stream_add(&out, &cmd, NULL, 0);
	}
	wire_send_stream(&out);
	assert_true(wire_conn()->tx.blocked);
}

/*
 * The peer sends all the time and reads nothing. Its connection is closed after the timeout, although no
 * NOP-In can be sent to it.
 */
static void test_sends_and_never_reads(void **state)
{
	struct iscsi_nop nop = wire_ping(99);

	(void)state;
	fill_socket();
	for (unsigned i = 0; i < 4 && wire_conn(); i++) {
		wire.now_ns += 600000000;
		wire_send(&nop, sizeof(nop));
		assert_true(wire_expire());
		wire_turn();
	}
	assert_null(wire_conn());
	wire_stop();
}

/* The peer sends nothing for a long time because it is reading. It stays connected. */
static void test_slow_reader_lives(void **state)
{
	(void)state;
	fill_socket();
	for (unsigned i = 0; i < 20; i++) {
		uint8_t bytes[4096];

		wire.now_ns += 600000000;
		while (recv(wire.fd, bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
			if (wire_conn()->tx.blocked)
				break;
		wire_turn();
		assert_true(wire_expire());
		wire_turn();
		assert_non_null(wire_conn());
	}
	wire_stop();
}

static void test_abort_while_gathering(void **state)
{
	struct iscsi_tmf_request tmf;
	uint32_t ttt;

	(void)state;
	begin(1);
	send_command(wire_command(1, FINAL_WRITE, 512, 0x2a, 0, 1), 0);
	ttt = r2t(1, 0, 0, 512);
	tmf = wire_tmf(2, ISCSI_TMF_ABORT_TASK, 1);
	send_pdu(&tmf, NULL, 0);
	assert_int_equal(next(ISCSI_OP_TASK_MGMT_RSP).bhs[2], ISCSI_TMF_COMPLETE);
	send_data(1, ttt, 0, 0, 512, true); /* this was sent before the abort arrived */
	assert_int_equal(wire.disk[0], 0);
	assert_int_equal(wire.buffers, 0);
	end();
}

/*
 * Commands that wait for an earlier command are aborted like those that have started, but commands after the
 * function are not.
 */
static void test_abort_set_of_held_commands(void **state)
{
	struct iscsi_scsi_command first, held, after;
	struct iscsi_tmf_request tmf;

	(void)state;
	begin(1);
	first = wire_command(1, ISCSI_FINAL, 0, 0x00, 0, 0);
	held = wire_command(2, ISCSI_FINAL, 0, 0x00, 0, 0);
	tmf = wire_tmf(4, ISCSI_TMF_ABORT_TASK_SET, ISCSI_TAG_NONE);
	after = wire_command(3, ISCSI_FINAL, 0, 0x00, 0, 0);
	send_pdu(&held, NULL, 0);
	send_pdu(&after, NULL, 0);
	send_pdu(&tmf, NULL, 0);
	next(ISCSI_OP_TASK_MGMT_RSP);
	send_pdu(&first, NULL, 0);
	response(1, SCSI_GOOD, 0, 0);
	response(3, SCSI_GOOD, 0, 0);
	end();
}

static void test_silent_peer(void **state)
{
	struct reply reply;

	(void)state;
	begin(1);
	wire.now_ns += 2000000000;
	assert_true(wire_expire());
	wire_turn();
	wire_receive(&in);
	reply = next(ISCSI_OP_NOP_IN);
	assert_int_equal(get_be32(reply.bhs + 16), ISCSI_TAG_NONE);
	wire.now_ns += 2000000000;
	assert_true(wire_expire());
	wire_turn();
	assert_null(wire_conn());
	wire_stop();
}

/*
 * A large number of small PDUs is handled in parts, so that other connections of the loop are served in
 * between.
 */
static void test_flood_in_parts(void **state)
{
	struct iscsi_nop nop = wire_ping(7);
	const unsigned sent = 4000;
	struct iscsi_conn *conn;
	int size = 1 << 20;

	(void)state;
	begin(1);
	put_be32(nop.itt, ISCSI_TAG_NONE); /* this one gets no answer */
	out.len = 0;
	for (unsigned i = 0; i < sent; i++)
		stream_add(&out, &nop, NULL, 0);
	setsockopt(wire.fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	assert_int_equal(send(wire.fd, out.bytes, out.len, MSG_DONTWAIT), (ssize_t)out.len);
	conn = wire_conn();
	conn->watch.fn(&conn->watch, EPOLLIN);
	assert_uint_in_range(conn->rx.npdus, 1, 2500);
	wire_turn();
	assert_non_null(wire_conn());
	wire_stop();
}

/*
 * TARGET COLD RESET must be allowed by an attribute of the target, because it ends the sessions of all
 * initiators (RFC 7143 11.5.1).
 */
static void test_cold_reset(void **state)
{
	struct iscsi_tmf_request tmf = wire_tmf(1, ISCSI_TMF_COLD_RESET, ISCSI_TAG_NONE);

	(void)state;
	begin(1);
	send_pdu(&tmf, NULL, 0);
	assert_int_equal(next(ISCSI_OP_TASK_MGMT_RSP).bhs[2], ISCSI_TMF_NOT_SUPPORTED);
	assert_false(wire_conn()->close_after_send);
	wire_conn()->session->cold_reset = true;
	send_pdu(&tmf, NULL, 0);
	assert_int_equal(next(ISCSI_OP_TASK_MGMT_RSP).bhs[2], ISCSI_TMF_COMPLETE);
	assert_int_equal(wire_conn()->state, ISCSI_CONN_CLOSING);
	wire_stop();
}

static void send_text(uint32_t ttt)
{
	struct iscsi_text text = {.opcode = ISCSI_OP_TEXT | ISCSI_OP_IMMEDIATE, .flags = ISCSI_FINAL};

	put_be32(text.ttt, ttt);
	send_pdu(&text, NULL, 0);
}

/*
 * An exchange continues with its own Target Transfer Tag, and no tag is valid after its end (RFC 7143
 * 11.10.4).
 */
static void test_text_tags(void **state)
{
	uint32_t tag;
	struct reply reply;

	(void)state;
	begin(1);
	send_text(0);
	assert_int_equal(next(ISCSI_OP_REJECT).bhs[2], ISCSI_REJECT_INVALID_FIELD);
	wire.text_len = 1200; /* three pieces of 512 bytes */
	send_text(ISCSI_TAG_NONE);
	for (unsigned piece = 0; piece < 2; piece++) {
		reply = next(ISCSI_OP_TEXT_RSP);
		assert_int_equal(reply.len, 512);
		assert_int_equal(reply.bhs[1], ISCSI_TEXT_CONTINUE);
		tag = get_be32(((const struct iscsi_text *)reply.bhs)->ttt);
		assert_int_not_equal(tag, ISCSI_TAG_NONE);
		send_text(tag);
	}
	reply = next(ISCSI_OP_TEXT_RSP);
	assert_int_equal(reply.len, 1200 - 2 * 512);
	assert_int_equal(reply.bhs[1], ISCSI_FINAL);
	send_text(tag);
	assert_int_equal(next(ISCSI_OP_REJECT).bhs[2], ISCSI_REJECT_INVALID_FIELD);
	end();
}

static void test_same_tag_twice(void **state)
{
	(void)state;
	begin(1);
	wire.hold = true;
	send_command(wire_command(1, FINAL_READ, 512, 0x28, 0, 1), 0);
	send_command(wire_command(1, FINAL_READ, 512, 0x28, 0, 1), 0);
	assert_int_equal(next(ISCSI_OP_REJECT).bhs[2], ISCSI_REJECT_INVALID_FIELD);
	wire_complete();
	wire_turn();
	wire_receive(&in);
	next(ISCSI_OP_DATA_IN);
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(test_slow_reader, setup),
	    cmocka_unit_test_setup(test_never_reads, setup),
	    cmocka_unit_test_setup(test_text_flood, setup),
	    cmocka_unit_test_setup(test_sends_and_never_reads, setup),
	    cmocka_unit_test_setup(test_slow_reader_lives, setup),
	    cmocka_unit_test_setup(test_abort_while_gathering, setup),
	    cmocka_unit_test_setup(test_abort_set_of_held_commands, setup),
	    cmocka_unit_test_setup(test_silent_peer, setup),
	    cmocka_unit_test_setup(test_flood_in_parts, setup),
	    cmocka_unit_test_setup(test_same_tag_twice, setup),
	    cmocka_unit_test_setup(test_cold_reset, setup),
	    cmocka_unit_test_setup(test_text_tags, setup),
	};

	log_set_level(LOG_LEVEL_CRIT);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
