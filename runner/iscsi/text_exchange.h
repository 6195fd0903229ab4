/* SPDX-License-Identifier: Apache-2.0 */
/* Text Requests: the function that dispatch.c calls (rx.h). */
#ifndef ISCSI_TEXT_EXCHANGE_H
#define ISCSI_TEXT_EXCHANGE_H

#include <stdbool.h>

struct iscsi_conn;
struct iscsi_session;

bool iscsi_text_pdu(struct iscsi_conn *conn);
/* Frees what an exchange under way holds. */
void iscsi_text_free(struct iscsi_session *session);
#endif
