/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The exchange of keys with Text Requests. The table in dispatch.c refers to iscsi_text_pdu() (rx.h).
 */
#ifndef ISCSI_TEXT_EXCHANGE_H
#define ISCSI_TEXT_EXCHANGE_H

#include <stdbool.h>

struct iscsi_conn;
struct iscsi_session;

/* Handles a Text Request. */
bool iscsi_text_pdu(struct iscsi_conn *conn);
/* Frees the memory of an exchange that is in progress. */
void iscsi_text_free(struct iscsi_session *session);
#endif
