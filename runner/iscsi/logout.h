/* SPDX-License-Identifier: Apache-2.0 */
/* Logout Requests of the initiator, and the target's request for a logout (RFC 7143 11.14, 11.15). */
#ifndef ISCSI_LOGOUT_H
#define ISCSI_LOGOUT_H

#include <stdbool.h>

struct iscsi_conn;

/* Handles a Logout Request. The table in dispatch.c refers to this function (rx.h). */
bool iscsi_logout_pdu(struct iscsi_conn *conn);
/* Answers the Logout Request that has waited for the end of all tasks. */
void iscsi_logout_answer(struct iscsi_conn *conn);
/* Asks the initiator to log out within this time (RFC 7143 11.9, event 1). */
void iscsi_async_logout(struct iscsi_conn *conn, unsigned seconds);
#endif
