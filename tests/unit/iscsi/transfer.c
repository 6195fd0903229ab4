/* SPDX-License-Identifier: Apache-2.0 */
/* Sends and checks the PDUs of a command with data. */
#include "transfer.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

uint8_t pattern[DISK_SIZE];

int setup(void **state)
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

void send_data(uint32_t itt, uint32_t ttt, uint32_t datasn, uint32_t offset, uint32_t len, bool final)
{
	struct iscsi_data_out pdu = wire_data(itt, ttt, datasn, offset, final);

	send_pdu(&pdu, pattern + offset % DISK_SIZE, len);
}

void send_command(struct iscsi_scsi_command cmd, uint32_t immediate)
{
	send_pdu(&cmd, pattern, immediate);
}

void end(void)
{
	nothing_more();
	wire_stop();
}

/* Checks an R2T and returns its tag. */
uint32_t r2t(uint32_t itt, uint32_t sn, uint32_t offset, uint32_t len)
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

struct reply response(uint32_t itt, uint8_t status, uint8_t residual_flags, uint32_t residual)
{
	struct reply reply = next(ISCSI_OP_SCSI_RESPONSE);
	const struct iscsi_scsi_response *pdu = (const void *)reply.bhs;

	assert_int_equal(get_be32(pdu->itt), itt);
	assert_int_equal(pdu->status, status);
	assert_int_equal(pdu->flags, ISCSI_FINAL | residual_flags);
	assert_int_equal(get_be32(pdu->residual), residual);
	return reply;
}

void aborted_command(uint32_t itt, uint16_t asc, uint32_t underflow)
{
	struct reply reply =
	    response(itt, SCSI_CHECK_CONDITION, underflow ? ISCSI_RSP_UNDERFLOW : 0, underflow);

	assert_int_equal(get_be16(reply.data), reply.len - 2);
	assert_int_equal(reply.data[2 + 2], 0x0b);
	assert_int_equal(get_be16(reply.data + 2 + 12), asc);
}
