/* SPDX-License-Identifier: Apache-2.0 */
/* Sends the Data-In and SCSI Response PDUs of commands. */
#ifndef ISCSI_DATA_IN_H
#define ISCSI_DATA_IN_H

#include "iscsi/tx.h"

/* Queues the response of a command that has ended. Its status, sense data and data are in task->cmd. */
void iscsi_respond(struct iscsi_task *task);
/*
 * Answers a task that has taken too long while the device server still executes it. May close the connection.
 */
void iscsi_respond_expired(const struct iscsi_task *task);
/*
 * Builds the header of the next Data-In PDU, or of the SCSI Response, in pdu, and advances the cursor of pdu.
 */
void iscsi_response_build(struct iscsi_task *task, struct iscsi_tx_pdu *pdu, uint32_t statsn);
#endif
