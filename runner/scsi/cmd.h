/* SPDX-License-Identifier: Apache-2.0 */
/* The functions for code that executes commands. All of them are called on the command's loop. */
#ifndef SCSI_CMD_H
#define SCSI_CMD_H

#include "scsi/lu.h"
#include "scsi/opcodes.h"
#include "scsi/scsi.h"
#include "scsi/sense.h"

/*
 * Ends the command. status, sense and data_in_len must be set. If they were not changed, they mean GOOD
 * without data.
 */
void scsi_complete(struct scsi_cmd *cmd);
/*
 * Makes a submitted command end early with an error, if its I/O can be cancelled. The command ends later, and
 * not inside this call.
 */
void scsi_cancel(struct scsi_cmd *cmd);

/* Returns the sense code if the state of the LU forbids a command that needs the medium, or SENSE_NONE. */
uint32_t scsi_cmd_condition(const struct scsi_cmd *cmd);

/* Calls scsi_check(cmd, sense) and scsi_complete(cmd). */
void scsi_fail(struct scsi_cmd *cmd, uint32_t sense);
/* Calls scsi_check_field() with INVALID FIELD IN CDB, and scsi_complete(). */
void scsi_fail_cdb(struct scsi_cmd *cmd, unsigned byte, int bit);
/* Calls scsi_check_field() with INVALID FIELD IN PARAMETER LIST, and scsi_complete(). */
void scsi_fail_list(struct scsi_cmd *cmd, unsigned byte, int bit);
/* Ends the command with TASK SET FULL, because there is no memory for it. */
void scsi_fail_memory(struct scsi_cmd *cmd);

/*
 * Provides len bytes of room for Data-In in cmd->iov. Returns false if the command was completed with TASK
 * SET FULL.
 */
bool scsi_data_in_room(struct scsi_cmd *cmd, uint64_t len);

/*
 * Completes the command with len bytes of parameter data, or as many as the allocation length of
 * the CDB (cmd->transfer_len) permits.
 */
void scsi_data_in_bytes(struct scsi_cmd *cmd, const void *bytes, size_t len);

/* Copies up to max bytes of the Data-Out to buf and returns how many bytes it copied. */
size_t scsi_data_out_bytes(const struct scsi_cmd *cmd, void *buf, size_t max);
#endif
