/* SPDX-License-Identifier: Apache-2.0 */
/* NOP-Out and NOP-In. */
#ifndef ISCSI_NOP_H
#define ISCSI_NOP_H

#include <stdbool.h>

struct iscsi_conn;

/* A NOP-Out has been received; dispatch.c calls this (rx.h). */
bool iscsi_nop_out(struct iscsi_conn *conn);
/* The full feature phase begins: arms the connection's timer. */
void iscsi_nop_start(struct iscsi_conn *conn);
/* Runs when the connection's timer expires: the peer may have been silent for too long. */
void iscsi_nop_timer(struct iscsi_conn *conn);
#endif
