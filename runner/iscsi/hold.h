/* SPDX-License-Identifier: Apache-2.0 */
/* Requests that wait for an earlier CmdSN. */
#ifndef ISCSI_HOLD_H
#define ISCSI_HOLD_H

#include <stdbool.h>
#include <stdint.h>

#include "util/list.h"

struct iscsi_conn;
struct iscsi_session;

/* A request that came before an earlier CmdSN (RFC 7143 4.2.2.1), as it was received. */
struct iscsi_held {
	/* In session->held, in the order of CmdSN. */
	struct list node;
	uint32_t cmdsn;
	uint32_t itt;
	/* The data segment, in the memory into which it was received; NULL: there is none. */
	uint8_t *data;
	uint32_t data_len;
	/* The number is used up, and nothing is to be done. */
	bool dropped;
	/* BHS and AHS */
	uint32_t head_len;
	uint8_t head[];
};
/* Keeps the PDU that has been received. Returns false if too much waits, and the connection was closed. */
bool iscsi_hold(struct iscsi_conn *conn);
void iscsi_held_free(struct iscsi_conn *conn, struct iscsi_held *held);
/* Removes and returns the request that is due now; the caller frees it. Returns NULL if there is none. */
struct iscsi_held *iscsi_hold_next(struct iscsi_conn *conn);
void iscsi_hold_free(struct iscsi_session *session);

/* Aborts the SCSI command with this ITT, if it waits. Returns false if there is none. */
bool iscsi_hold_abort(struct iscsi_session *session, uint32_t itt);
/* Aborts the SCSI commands of the LUN with this number, or of all LUNs if it is negative, that have a
 * number before cmdsn. */
void iscsi_hold_abort_all(struct iscsi_session *session, int lun, uint32_t cmdsn);
/*
 * The command with this number counts as received and aborted (RFC 7143 11.6.1). Returns false if the number
 * is outside of the window.
 */
bool iscsi_hold_number(struct iscsi_conn *conn, uint32_t cmdsn);
#endif
