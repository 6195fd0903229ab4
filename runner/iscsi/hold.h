/* SPDX-License-Identifier: Apache-2.0 */
/* Keeps requests that wait for a request with an earlier CmdSN. */
#ifndef ISCSI_HOLD_H
#define ISCSI_HOLD_H

#include <stdbool.h>
#include <stdint.h>

#include "util/list.h"

struct iscsi_conn;
struct iscsi_session;

/* A request that arrived before a request with an earlier CmdSN (RFC 7143 4.2.2.1), as it was received. */
struct iscsi_held {
	/* Links the request into session->held, in the order of CmdSN. */
	struct list node;
	uint32_t cmdsn;
	uint32_t itt;
	/* The data segment, in the memory into which it was received, or NULL if there is none. */
	uint8_t *data;
	uint32_t data_len;
	/* The CmdSN is used up, but the request is not executed. */
	bool dropped;
	/* BHS and AHS */
	uint32_t head_len;
	uint8_t head[];
};
/*
 * Keeps the PDU that has just been received. If too much waits already, closes the connection and returns
 * false.
 */
bool iscsi_hold(struct iscsi_conn *conn);
void iscsi_held_free(struct iscsi_conn *conn, struct iscsi_held *held);
/* Removes and returns the request whose CmdSN is due; the caller frees it. Returns NULL if there is none. */
struct iscsi_held *iscsi_hold_next(struct iscsi_conn *conn);
void iscsi_hold_free(struct iscsi_session *session);

/* Aborts the waiting SCSI command with this ITT. Returns false if there is none. */
bool iscsi_hold_abort(struct iscsi_session *session, uint32_t itt);
/*
 * Aborts the waiting SCSI commands whose CmdSN precedes cmdsn: those of the LUN with this number, or those of
 * all LUNs if lun is negative.
 */
void iscsi_hold_abort_all(struct iscsi_session *session, int lun, uint32_t cmdsn);
/*
 * Treats the command with this CmdSN as received and aborted (RFC 7143 11.6.1). Returns false if the number
 * is outside of the window.
 */
bool iscsi_hold_number(struct iscsi_conn *conn, uint32_t cmdsn);
#endif
