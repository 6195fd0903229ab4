/* SPDX-License-Identifier: Apache-2.0 */
/* Responses: Data-In and SCSI Response PDUs. */
#ifndef ISCSI_DATA_IN_H
#define ISCSI_DATA_IN_H

#include "iscsi/tx.h"

/* The command has ended (status, sense, data are in task->cmd): queues its response. */
void iscsi_respond(struct iscsi_task *task);
/*
 * Answers a task that the device server still executes, because it has taken too long. May close the
 * connection.
 */
void iscsi_respond_expired(const struct iscsi_task *task);
/* Builds the header of the next Data-In or of the SCSI Response in pdu and moves its cursor. */
void iscsi_response_build(struct iscsi_task *task, struct iscsi_tx_pdu *pdu, uint32_t statsn);
#endif
