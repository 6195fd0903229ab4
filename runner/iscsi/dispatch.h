/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The functions that the framing (rx.c) calls for each PDU of the full feature phase. All functions return
 * false if the connection was closed.
 */
#ifndef ISCSI_DISPATCH_H
#define ISCSI_DISPATCH_H

#include <stdbool.h>

struct iscsi_conn;

/* Is called when the header is complete. Decides how the PDU is handled, and where its data go. */
bool iscsi_dispatch_begin(struct iscsi_conn *conn);
/* Is called when the data are complete, too. */
bool iscsi_dispatch_end(struct iscsi_conn *conn);
/* Handles the requests that were waiting for the one that has just been handled. */
bool iscsi_dispatch_held(struct iscsi_conn *conn);
#endif
