/* SPDX-License-Identifier: Apache-2.0 */
/* What the framing calls for each PDU of the full feature phase. All functions return false if
 * the connection was closed. */
#ifndef ISCSI_DISPATCH_H
#define ISCSI_DISPATCH_H

#include <stdbool.h>

struct iscsi_conn;

/* The header is complete: decides what becomes of the PDU, and where its data go. */
bool iscsi_dispatch_begin(struct iscsi_conn *conn);
/* The data are complete, too. */
bool iscsi_dispatch_end(struct iscsi_conn *conn);
/* Handles the requests that were waiting for the last one. */
bool iscsi_dispatch_held(struct iscsi_conn *conn);
#endif
