/* SPDX-License-Identifier: Apache-2.0 */
/* Reject PDUs (RFC 7143 11.17). The callers decide which PDUs are refused, and why. */
#include "iscsi/reject.h"

#include "iscsi/conn.h"
#include "iscsi/work.h"

#define REJECT_WORK 4

/*
 * Builds a Reject. Its data segment is the header of the refused PDU with its AHS, as far as the initiator
 * accepts it (RFC 7143 11.17).
 */
void iscsi_reject(struct iscsi_conn *conn, enum iscsi_reject_reason reason, const char *why)
{
	uint32_t len = MIN(ISCSI_BHS_LEN + conn->rx.ahs_len, conn->params.max_xmit_data_segment);
	struct iscsi_message *message = iscsi_message_new(conn, ISCSI_OP_REJECT, len);
	struct iscsi_reject *pdu;

	iscsi_work_add(conn, REJECT_WORK);
	log_info(conn->name, "%s rejected (reason %02xh): %s", iscsi_opcode_name(conn->rx.head[0]), reason,
		 why);
	if (!message)
		return;
	pdu = (struct iscsi_reject *)message->bhs;
	pdu->reason = (uint8_t)reason;
	put_be32(pdu->itt, ISCSI_TAG_NONE);
	memcpy(message->data, conn->rx.head, len);
	iscsi_message_send(conn, message);
}
