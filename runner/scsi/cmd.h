/* SPDX-License-Identifier: Apache-2.0 */
/* What the functions that execute commands use. All on the command's loop. */
#ifndef SCSI_CMD_H
#define SCSI_CMD_H

#include "scsi/lu.h"
#include "scsi/opcodes.h"
#include "scsi/scsi.h"
#include "scsi/sense.h"

/* Ends the command; status (and sense, data_in_len) are set: GOOD and nothing when nobody changed them. */
void scsi_complete(struct scsi_cmd *cmd);
/* Has a submitted command end early, with an error, as far as its I/O can be called back. Later, not in here. */
void scsi_cancel(struct scsi_cmd *cmd);

/* Why a command that needs the medium is refused in the LU's state, or SENSE_NONE. */
uint32_t scsi_cmd_condition(const struct scsi_cmd *cmd);

/* scsi_check(cmd, sense), then scsi_complete(cmd). */
void scsi_fail(struct scsi_cmd *cmd, uint32_t sense);
/* scsi_check_field() and scsi_complete(): the two faults every command can have. */
void scsi_fail_cdb(struct scsi_cmd *cmd, unsigned byte, int bit);
void scsi_fail_list(struct scsi_cmd *cmd, unsigned byte, int bit);

/* Room for len bytes of Data-In in cmd->iov; false: the command was completed with TASK SET FULL. */
bool scsi_data_in_room(struct scsi_cmd *cmd, uint64_t len);

/* Completes the command with parameter data: len bytes, cut to the CDB's allocation length
 * (cmd->transfer_len). */
void scsi_data_in_bytes(struct scsi_cmd *cmd, const void *bytes, size_t len);

/* Copies up to max bytes of the Data-Out to buf; returns how many there were. */
size_t scsi_data_out_bytes(const struct scsi_cmd *cmd, void *buf, size_t max);
#endif
