/* SPDX-License-Identifier: Apache-2.0 */
/* Data of commands: R2T, unsolicited data, Data-In sequences, residuals, and errors in them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "wire_fixture.h"

#define FINAL_WRITE (ISCSI_FINAL | ISCSI_CMD_WRITE)
#define FINAL_READ  (ISCSI_FINAL | ISCSI_CMD_READ)

static struct stream out, in;
static size_t at; /* The position in `in`. */
static uint8_t pattern[DISK_SIZE];

static int setup(void **state)
{
	(void)state;
	fill_pattern(pattern, sizeof(pattern), 3);
	wire.params = (struct iscsi_params){
	    .initial_r2t = true,
	    .max_recv_data_segment = 8192,
	    .max_xmit_data_segment = 512,
	    .max_burst = 1024,
	    .first_burst = 1024,
	    .max_outstanding_r2t = 2,
	};
	return 0;
}

/* Logs in with the values that the test has set in wire.params. */
static void begin(void)
{
	wire_start();
	out.len = in.len = 0;
	stream_login(&out);
	wire_send_stream(&out);
	wire_receive(&in);
	stream_after_login(&in, &at);
}

static void send_pdu(const void *bhs, const void *data, uint32_t len)
{
	out.len = 0;
	stream_add(&out, bhs, data, len);
	wire_send_stream(&out);
	wire_receive(&in);
}

static void send_data(uint32_t itt, uint32_t ttt, uint32_t datasn, uint32_t offset, uint32_t len, bool final)
{
	struct iscsi_data_out pdu = wire_data(itt, ttt, datasn, offset, final);

	send_pdu(&pdu, pattern + offset % DISK_SIZE, len);
}

static void send_command(struct iscsi_scsi_command cmd, uint32_t immediate)
{
	send_pdu(&cmd, pattern, immediate);
}

static struct reply next(uint8_t opcode)
{
	struct reply reply;

	assert_true(stream_next(&in, &at, &reply));
	assert_int_equal(reply.bhs[0], opcode);
	return reply;
}

static void nothing_more(void)
{
	struct reply reply;

	assert_false(stream_next(&in, &at, &reply));
}

static void end(void)
{
	nothing_more();
	wire_stop();
}

/* Checks an R2T and returns its tag. */
static uint32_t r2t(uint32_t itt, uint32_t sn, uint32_t offset, uint32_t len)
{
	struct reply reply = next(ISCSI_OP_R2T);
	const struct iscsi_r2t *pdu = (const void *)reply.bhs;

	assert_int_equal(get_be32(pdu->itt), itt);
	assert_int_equal(get_be32(pdu->r2tsn), sn);
	assert_int_equal(get_be32(pdu->offset), offset);
	assert_int_equal(get_be32(pdu->desired), len);
	assert_int_not_equal(get_be32(pdu->ttt), ISCSI_TAG_NONE);
	return get_be32(pdu->ttt);
}

static struct reply response(uint32_t itt, uint8_t status, uint8_t residual_flags, uint32_t residual)
{
	struct reply reply = next(ISCSI_OP_SCSI_RESPONSE);
	const struct iscsi_scsi_response *pdu = (const void *)reply.bhs;

	assert_int_equal(get_be32(pdu->itt), itt);
	assert_int_equal(pdu->status, status);
	assert_int_equal(pdu->flags, ISCSI_FINAL | residual_flags);
	assert_int_equal(get_be32(pdu->residual), residual);
	return reply;
}

static void aborted_command(uint32_t itt, uint16_t asc, uint32_t underflow)
{
	struct reply reply =
	    response(itt, SCSI_CHECK_CONDITION, underflow ? ISCSI_RSP_UNDERFLOW : 0, underflow);

	assert_int_equal(get_be16(reply.data), reply.len - 2);
	assert_int_equal(reply.data[2 + 2], 0x0b);
	assert_int_equal(get_be16(reply.data + 2 + 12), asc);
}

/* --- Data-Out ------------------------------------------------------------------------------------- */

static void test_two_r2ts(void **state)
{
	uint32_t ttt[4];

	(void)state;
	begin();
	send_command(wire_command(1, FINAL_WRITE, 3584, 0x2a, 0, 7), 0);
	ttt[0] = r2t(1, 0, 0, 1024);
	ttt[1] = r2t(1, 1, 1024, 1024);
	nothing_more();
	send_data(1, ttt[0], 0, 0, 512, false);
	nothing_more();
	send_data(1, ttt[0], 1, 512, 512, true);
	ttt[2] = r2t(1, 2, 2048, 1024);
	send_data(1, ttt[1], 0, 1024, 1024, true);
	ttt[3] = r2t(1, 3, 3072, 512);
	send_data(1, ttt[2], 0, 2048, 1024, true);
	nothing_more();
	send_data(1, ttt[3], 0, 3072, 512, true);
	response(1, SCSI_GOOD, 0, 0);
	assert_memory_equal(wire.disk, pattern, 3584);
	end();
}

static void test_immediate_then_unsolicited_then_r2t(void **state)
{
	uint32_t ttt;

	(void)state;
	wire.params.initial_r2t = false;
	wire.params.immediate_data = true;
	begin();
	send_command(wire_command(1, ISCSI_CMD_WRITE, 1536, 0x2a, 0, 3), 300);
	nothing_more();
	send_data(1, ISCSI_TAG_NONE, 0, 300, 200, false);
	send_data(1, ISCSI_TAG_NONE, 1, 500, 524, true);
	ttt = r2t(1, 0, 1024, 512);
	send_data(1, ttt, 0, 1024, 512, true);
	response(1, SCSI_GOOD, 0, 0);
	assert_memory_equal(wire.disk, pattern, 1536);
	end();
}

/* The initiator may send less unsolicited data than is allowed. */
static void test_short_unsolicited(void **state)
{
	uint32_t ttt;

	(void)state;
	wire.params.initial_r2t = false;
	begin();
	send_command(wire_command(1, ISCSI_CMD_WRITE, 1024, 0x2a, 0, 2), 0);
	send_data(1, ISCSI_TAG_NONE, 0, 0, 100, true);
	ttt = r2t(1, 0, 100, 924);
	send_data(1, ttt, 0, 100, 924, true);
	response(1, SCSI_GOOD, 0, 0);
	assert_memory_equal(wire.disk, pattern, 1024);
	end();
}

static void fault_after_r2t(uint32_t datasn, uint32_t offset, uint32_t len, uint16_t asc)
{
	uint32_t ttt;

	begin();
	send_command(wire_command(1, FINAL_WRITE, 2048, 0x2a, 0, 4), 0);
	ttt = r2t(1, 0, 0, 1024);
	r2t(1, 1, 1024, 1024);
	send_data(1, ttt, datasn, offset, len, true);
	/*
	 * there is no Reject in addition to the response, and the second sequence is still expected (11.17.1)
	 */
	nothing_more();
	send_data(1, ttt + 1, 0, 1024, 1024, true);
	aborted_command(1, asc, 0);
	for (unsigned i = 0; i < 2048; i++)
		assert_int_equal(wire.disk[i], 0);
	end();
}

static void test_faults(void **state)
{
	(void)state;
	fault_after_r2t(1, 0, 1024, 0x0c0d); /* a DataSN is missing */
	fault_after_r2t(0, 4, 1020, 0x0c0d); /* there is a gap */
	fault_after_r2t(0, 0, 1028, 0x0c0d); /* more data than the R2T asked for */
	fault_after_r2t(0, 0, 1020, 0x0c0d); /* less data, in the final PDU */
	fault_after_r2t(0, 0xffffff00, 8, 0x0c0d);
}

static void test_data_that_nobody_asked_for(void **state)
{
	(void)state;
	begin();
	send_command(wire_command(1, FINAL_WRITE, 512, 0x2a, 0, 1), 0);
	r2t(1, 0, 0, 512);
	send_data(1, ISCSI_TAG_NONE, 0, 0, 512, true);
	nothing_more();
	send_data(1, 0, 0, 0, 512, true);
	aborted_command(1, 0x0c0c, 0);
	end();
}

static void test_no_memory(void **state)
{
	(void)state;
	wire.params.initial_r2t = false;
	wire.params.immediate_data = true;
	begin();
	wire.no_buffers = 1;
	send_command(wire_command(1, ISCSI_CMD_WRITE, 1024, 0x2a, 0, 2), 512);
	nothing_more();
	send_data(1, ISCSI_TAG_NONE, 0, 512, 512, true);
	response(1, SCSI_TASK_SET_FULL, 0, 0);
	wire.no_buffers = 1;
	send_command(wire_command(2, FINAL_READ, 512, 0x28, 0, 1), 0);
	response(2, SCSI_TASK_SET_FULL, ISCSI_RSP_UNDERFLOW, 512);
	end();
}

/* A peer that sends no data for its WRITEs holds half of the buffers, and the other half serves others. */
static void test_peer_without_data_holds_half_of_the_buffers(void **state)
{
	(void)state;
	begin();
	wire.buffer_limit = 4096;
	wire.buffer_bytes = 512; /* these belong to another session */
	for (uint32_t itt = 0; itt < 3; itt++) {
		send_command(wire_command(itt, FINAL_WRITE, 512, 0x2a, itt, 1), 0);
		r2t(itt, 0, 0, 512);
	}
	send_command(wire_command(3, FINAL_WRITE, 512, 0x2a, 3, 1), 0);
	response(3, SCSI_TASK_SET_FULL, 0, 0);
	send_command(wire_command(4, FINAL_READ, 512, 0x28, 0, 1), 0);
	response(4, SCSI_TASK_SET_FULL, ISCSI_RSP_UNDERFLOW, 512);
	assert_int_equal(wire.buffer_bytes, 2048);
	nothing_more();
	wire_stop();
	assert_int_equal(wire.buffer_bytes, 512);
}

/* --- residuals -------------------------------------------------------------------------------------- */

static void test_write_residuals(void **state)
{
	uint32_t ttt;

	(void)state;
	begin();
	send_command(wire_command(1, FINAL_WRITE, 512, 0x2a, 0, 2), 0); /* the CDB asks for more */
	response(1, SCSI_CHECK_CONDITION, ISCSI_RSP_OVERFLOW, 512);
	send_command(wire_command(2, FINAL_WRITE, 1024, 0x2a, 8, 1), 0); /* the CDB asks for less */
	ttt = r2t(2, 0, 0, 512);
	send_data(2, ttt, 0, 0, 512, true);
	response(2, SCSI_GOOD, ISCSI_RSP_UNDERFLOW, 512);
	send_command(wire_command(3, FINAL_WRITE, 512, 0x28, 0, 1), 0); /* the CDB reads */
	response(3, SCSI_GOOD, ISCSI_RSP_UNDERFLOW, 512);
	send_command(wire_command(4, ISCSI_FINAL, 0, 0x2a, 0, 1), 0); /* no data is announced */
	response(4, SCSI_CHECK_CONDITION, ISCSI_RSP_OVERFLOW, 512);
	end();
}

static void data_in(uint32_t sn, uint32_t offset, uint32_t len, uint8_t flags, uint32_t residual)
{
	struct reply reply = next(ISCSI_OP_DATA_IN);
	const struct iscsi_data_in *pdu = (const void *)reply.bhs;

	assert_int_equal(get_be32(pdu->datasn), sn);
	assert_int_equal(get_be32(pdu->offset), offset);
	assert_int_equal(reply.len, len);
	assert_int_equal(pdu->flags, flags);
	assert_int_equal(get_be32(pdu->residual), residual);
	assert_memory_equal(reply.data, wire.disk + offset, len);
}

static void test_read_sequences(void **state)
{
	(void)state;
	wire.params.max_xmit_data_segment = 700;
	begin();
	fill_pattern(wire.disk, DISK_SIZE, 9);
	send_command(wire_command(1, FINAL_READ, 2560, 0x28, 0, 5), 0);
	data_in(0, 0, 700, 0, 0);
	data_in(1, 700, 324, ISCSI_FINAL, 0);
	data_in(2, 1024, 700, 0, 0);
	data_in(3, 1724, 324, ISCSI_FINAL, 0);
	data_in(4, 2048, 512, ISCSI_FINAL | ISCSI_DATA_IN_STATUS, 0);
	end();
}

static void test_read_residuals(void **state)
{
	(void)state;
	begin();
	fill_pattern(wire.disk, DISK_SIZE, 9);
	send_command(wire_command(1, FINAL_READ, 300, 0x28, 0, 1), 0);
	data_in(0, 0, 300, ISCSI_FINAL | ISCSI_DATA_IN_STATUS | ISCSI_RSP_OVERFLOW, 212);
	send_command(wire_command(2, FINAL_READ, 1000, 0x28, 0, 1), 0);
	data_in(0, 0, 512, ISCSI_FINAL | ISCSI_DATA_IN_STATUS | ISCSI_RSP_UNDERFLOW, 488);
	send_command(wire_command(3, ISCSI_FINAL, 0, 0x28, 0, 1), 0);
	response(3, SCSI_GOOD, ISCSI_RSP_OVERFLOW, 512);
	send_command(wire_command(4, FINAL_READ, 512, 0xc0, 0, 1), 0);
	response(4, SCSI_CHECK_CONDITION, ISCSI_RSP_UNDERFLOW, 512);
	end();
}

/* --- the rest --------------------------------------------------------------------------------------- */

/* A peer that reads slowly gets every byte once and in order. */
static void test_slow_reader(void **state)
{
	int size = 4096;
	uint32_t want = 0;
	struct reply reply;

	(void)state;
	wire.params.header_digest = wire.params.data_digest = true;
	begin();
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
	begin();
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
	begin();
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

	begin();
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
	begin();
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
	begin();
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
	begin();
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
	begin();
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
 * initiators (11.5.1).
 */
static void test_cold_reset(void **state)
{
	struct iscsi_tmf_request tmf = wire_tmf(1, ISCSI_TMF_COLD_RESET, ISCSI_TAG_NONE);

	(void)state;
	begin();
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

/* An exchange continues with its own Target Transfer Tag, and no tag is valid after its end (11.10.4). */
static void test_text_tags(void **state)
{
	uint32_t tag;
	struct reply reply;

	(void)state;
	begin();
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
	begin();
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
	    cmocka_unit_test_setup(test_two_r2ts, setup),
	    cmocka_unit_test_setup(test_immediate_then_unsolicited_then_r2t, setup),
	    cmocka_unit_test_setup(test_short_unsolicited, setup),
	    cmocka_unit_test_setup(test_faults, setup),
	    cmocka_unit_test_setup(test_data_that_nobody_asked_for, setup),
	    cmocka_unit_test_setup(test_no_memory, setup),
	    cmocka_unit_test_setup(test_peer_without_data_holds_half_of_the_buffers, setup),
	    cmocka_unit_test_setup(test_write_residuals, setup),
	    cmocka_unit_test_setup(test_read_sequences, setup),
	    cmocka_unit_test_setup(test_read_residuals, setup),
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
