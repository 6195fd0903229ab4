/* SPDX-License-Identifier: Apache-2.0 */
/* An initiator in front of wire_fixture.c. What it sends and expects is left to the tests. */
#include "dialogue.h"

struct stream out, in;
size_t at;

void log_in(void)
{
	stream_login(&out);
	wire_send_stream(&out);
	wire_receive(&in);
}

void begin(unsigned nluns)
{
	wire_start_luns(nluns);
	out.len = in.len = 0;
	log_in();
	stream_after_login(&in, &at);
}

void send_pdu(const void *bhs, const void *data, uint32_t len)
{
	out.len = 0;
	stream_add(&out, bhs, data, len);
	wire_send_stream(&out);
	wire_receive(&in);
}

struct reply next(uint8_t opcode)
{
	struct reply reply;

	assert_true(stream_next(&in, &at, &reply));
	assert_int_equal(reply.bhs[0], opcode);
	return reply;
}

void nothing_more(void)
{
	struct reply reply;

	assert_false(stream_next(&in, &at, &reply));
}
