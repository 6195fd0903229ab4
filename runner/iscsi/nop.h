/* SPDX-License-Identifier: Apache-2.0 */
/* Handles NOP-Out PDUs, and sends NOP-In PDUs to find initiators that do not answer. */
#ifndef ISCSI_NOP_H
#define ISCSI_NOP_H

#include <stdbool.h>

struct iscsi_conn;

/* Handles a NOP-Out. The table in dispatch.c refers to this function (rx.h). */
bool iscsi_nop_out(struct iscsi_conn *conn);
/* Starts the connection's timer at the beginning of the full feature phase. */
void iscsi_nop_start(struct iscsi_conn *conn);
/*
 * Is called when the connection's timer expires. Checks whether the initiator has been silent for too long.
 */
void iscsi_nop_timer(struct iscsi_conn *conn);
#endif
