/* SPDX-License-Identifier: Apache-2.0 */
/* Handles Task Management Function Requests (RFC 7143 11.5). */
#ifndef ISCSI_TMF_H
#define ISCSI_TMF_H

#include <stdbool.h>

struct iscsi_conn;

/* Handles a Task Management Function Request. The table in dispatch.c refers to this function (rx.h). */
bool iscsi_tmf_pdu(struct iscsi_conn *conn);
#endif
