/* SPDX-License-Identifier: Apache-2.0 */
/* Data of commands: R2T, unsolicited data, Data-In sequences, residuals, and wrong data PDUs. */
#include "transfer.h"

/* --- Data-Out ------------------------------------------------------------------------------------- */

static void test_two_r2ts(void **state)
{
	uint32_t ttt[4];

	(void)state;
	begin(1);
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
	begin(1);
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
	begin(1);
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

	begin(1);
	send_command(wire_command(1, FINAL_WRITE, 2048, 0x2a, 0, 4), 0);
	ttt = r2t(1, 0, 0, 1024);
	r2t(1, 1, 1024, 1024);
	send_data(1, ttt, datasn, offset, len, true);
	/*
	 * there is no Reject in addition to the response, and the second sequence is still expected (RFC 7143
	 * 11.17.1)
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
	begin(1);
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
	begin(1);
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

/* A peer that sends no data for its WRITEs can use half of the buffers. Other sessions use the other half. */
static void test_peer_without_data_holds_half_of_the_buffers(void **state)
{
	(void)state;
	begin(1);
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
	begin(1);
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
	begin(1);
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
	begin(1);
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
	};

	log_set_level(LOG_LEVEL_CRIT);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
