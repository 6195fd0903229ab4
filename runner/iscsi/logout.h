/* SPDX-License-Identifier: Apache-2.0 */
/* Logout Requests, and how the target asks for one (RFC 7143 11.14, 11.15). */
#ifndef ISCSI_LOGOUT_H
#define ISCSI_LOGOUT_H

#include <stdbool.h>

struct iscsi_conn;

/* A Logout Request has been received; dispatch.c calls this (rx.h). */
bool iscsi_logout_pdu(struct iscsi_conn *conn);
/* All tasks are over: the Logout that waits for them is answered. */
void iscsi_logout_answer(struct iscsi_conn *conn);
/* Asks the initiator to log out within this time (RFC 7143 11.9, event 1). */
void iscsi_async_logout(struct iscsi_conn *conn, unsigned seconds);
#endif
