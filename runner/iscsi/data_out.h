/* SPDX-License-Identifier: Apache-2.0 */
/* Sends R2T PDUs, and receives Data-Out PDUs. */
#ifndef ISCSI_DATA_OUT_H
#define ISCSI_DATA_OUT_H

#include "iscsi/tx.h"

/* Requests the data that are missing, as far as MaxOutstandingR2T allows. */
void iscsi_r2t_request(struct iscsi_task *task);
/* Returns whether an R2T was sent, completely or in part, and its sequence is not complete. */
bool iscsi_r2t_is_open(const struct iscsi_task *task);
/* Returns whether another R2T can be sent now, after the R2Ts up to cursor have been sent. */
bool iscsi_r2t_pending(const struct iscsi_task *task, const struct iscsi_cursor *cursor);
/*
 * Builds the header of the next R2T in pdu and advances the cursor of pdu. Returns false if no R2T can be
 * sent now.
 */
bool iscsi_r2t_build(const struct iscsi_task *task, struct iscsi_tx_pdu *pdu);

/* The functions for Data-Out PDUs to which the table in dispatch.c refers (rx.h). */
bool iscsi_data_out_begin(struct iscsi_conn *conn);
bool iscsi_data_out_end(struct iscsi_conn *conn);
#endif
