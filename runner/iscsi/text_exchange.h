/* SPDX-License-Identifier: Apache-2.0 */
/* Text Requests: the framing's function (rx.h). */
#ifndef ISCSI_TEXT_EXCHANGE_H
#define ISCSI_TEXT_EXCHANGE_H

#include <stdbool.h>

struct iscsi_conn;

bool iscsi_text_pdu(struct iscsi_conn *conn);
#endif
