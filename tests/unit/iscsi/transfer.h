/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sends and checks the PDUs of a command with data. Each function that checks a PDU compares every field that
 * is one of its arguments.
 */
#ifndef TRANSFER_H
#define TRANSFER_H

#include "dialogue.h"

extern uint8_t pattern[DISK_SIZE];

/* Sets wire.params to small limits, so that few bytes reach them. */
int setup(void **state);
/* Sends a Data-Out PDU with the bytes of the pattern at this offset. */
void send_data(uint32_t itt, uint32_t ttt, uint32_t datasn, uint32_t offset, uint32_t len, bool final);
/* Sends a command with the first bytes of the pattern as immediate data. */
void send_command(struct iscsi_scsi_command cmd, uint32_t immediate);
/* Checks that no further answer was sent, and ends the fixture. */
void end(void);
/* Checks an R2T and returns its tag. */
uint32_t r2t(uint32_t itt, uint32_t sn, uint32_t offset, uint32_t len);
struct reply response(uint32_t itt, uint8_t status, uint8_t residual_flags, uint32_t residual);
/* Checks that the command has ended with ABORTED COMMAND and this additional sense code. */
void aborted_command(uint32_t itt, uint16_t asc, uint32_t underflow);
#endif
