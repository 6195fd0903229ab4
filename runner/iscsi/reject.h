/* SPDX-License-Identifier: Apache-2.0 */
/* Reject. */
#ifndef ISCSI_REJECT_H
#define ISCSI_REJECT_H

#include "iscsi_login/pdu.h"

struct iscsi_conn;

/* Queues a Reject with the header that is being received. The log shows why. */
void iscsi_reject(struct iscsi_conn *conn, enum iscsi_reject_reason reason, const char *why);
#endif
