/* SPDX-License-Identifier: Apache-2.0 */
/* The login phase of a connection. */
#ifndef ISCSI_LOGIN_PHASE_H
#define ISCSI_LOGIN_PHASE_H

#include <stdbool.h>

struct iscsi_conn;

/* Handles a Login Request. Returns false if the connection was closed. */
bool iscsi_login_pdu(struct iscsi_conn *conn);
/* Is called when the session that the new session replaces has ended. Continues the login. */
void iscsi_login_join(struct iscsi_conn *conn);
#endif
