/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One initiator that sends a PDU, lets the connection of wire_fixture.h run, and looks at the answers one
 * after the other.
 */
#ifndef DIALOGUE_H
#define DIALOGUE_H

#include "wire_fixture.h"

#define FINAL_WRITE (ISCSI_FINAL | ISCSI_CMD_WRITE)
#define FINAL_READ  (ISCSI_FINAL | ISCSI_CMD_READ)

/*
 * What the initiator sends, and what it has received. `at` is the position in `in` of the answer that
 * next() returns.
 */
extern struct stream out, in;
extern size_t at;

/* Sends the Login Request, and receives the answer. */
void log_in(void);
/*
 * Logs in to a server with nluns LUNs and the values that the test has set in wire.params, and skips the
 * answer.
 */
void begin(unsigned nluns);
void send_pdu(const void *bhs, const void *data, uint32_t len);
/* Returns the next answer, which must have this opcode. */
struct reply next(uint8_t opcode);
void nothing_more(void);
#endif
