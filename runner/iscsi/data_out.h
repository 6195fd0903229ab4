/* SPDX-License-Identifier: Apache-2.0 */
/* R2Ts and Data-Out PDUs. */
#ifndef ISCSI_DATA_OUT_H
#define ISCSI_DATA_OUT_H

#include "iscsi/tx.h"

/* Asks for the data that are missing, as far as MaxOutstandingR2T allows. */
void iscsi_r2t_request(struct iscsi_task *task);
/* Returns whether an R2T has been sent, or is partly on the wire, whose sequence is not complete. */
bool iscsi_r2t_is_open(const struct iscsi_task *task);
/* Returns whether an R2T can be sent now, when the R2Ts up to cursor have been sent. */
bool iscsi_r2t_pending(const struct iscsi_task *task, const struct iscsi_cursor *cursor);
/*
 * Builds the header of the next R2T in pdu and moves its cursor. Returns false if there is none to send now.
 */
bool iscsi_r2t_build(const struct iscsi_task *task, struct iscsi_tx_pdu *pdu);

/* Data-Out PDUs: the functions that dispatch.c calls (rx.h). */
bool iscsi_data_out_begin(struct iscsi_conn *conn);
bool iscsi_data_out_end(struct iscsi_conn *conn);
#endif
