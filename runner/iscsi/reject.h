/* SPDX-License-Identifier: Apache-2.0 */
/* Sends Reject PDUs (RFC 7143 11.17). */
#ifndef ISCSI_REJECT_H
#define ISCSI_REJECT_H

#include "iscsi_login/pdu.h"

struct iscsi_conn;

/* Queues a Reject with the header of the PDU that is being received, and logs the reason. */
void iscsi_reject(struct iscsi_conn *conn, enum iscsi_reject_reason reason, const char *why);
#endif
