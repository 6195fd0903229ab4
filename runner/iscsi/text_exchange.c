/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text Requests and Responses (RFC 7143 11.10, 11.11). The text of each side may consist of several PDUs: the
 * target answers a request with the C bit with an empty response and a Target Transfer Tag, and the initiator
 * answers a response with the C bit with an empty request that has this tag. answer.c makes the answer.
 */
#include "iscsi/text_exchange.h"

#include <stdlib.h>
#include <string.h>

#include "iscsi/answer.h"
#include "iscsi/memory.h"
#include "iscsi/reject.h"
#include "iscsi/session.h"
#include "iscsi_login/text.h"

void iscsi_text_free(struct iscsi_session *session)
{
	if (session->text_in)
		iscsi_memory_give(session->conn->il, ISCSI_TEXT_MAX);
	free(session->text_in);
	session->text_in = NULL;
	session->text_in_len = 0;
	iscsi_answer_put(session->conn->il, session->answer);
	session->answer = NULL;
	session->answer_sent = 0;
}

static void reset(struct iscsi_session *session)
{
	iscsi_text_free(session);
	session->text_open = false;
}

static void refuse(struct iscsi_conn *conn, enum iscsi_reject_reason reason, const char *why)
{
	reset(conn->session);
	iscsi_reject(conn, reason, why);
}

static void respond(struct iscsi_conn *conn, const void *data, uint32_t len, uint8_t flags)
{
	const struct iscsi_text *request = (const void *)conn->rx.head;
	struct iscsi_message *message = iscsi_message_new(conn, ISCSI_OP_TEXT_RSP, len);
	struct iscsi_text *pdu;

	if (!message)
		return;
	pdu = (struct iscsi_text *)message->bhs;
	pdu->flags = flags;
	memcpy(pdu->lun, request->lun, sizeof(pdu->lun));
	memcpy(pdu->itt, request->itt, sizeof(pdu->itt));
	conn->session->text_open = !(flags & ISCSI_FINAL);
	if (conn->session->text_open && ++conn->session->text_ttt == ISCSI_TAG_NONE)
		conn->session->text_ttt = 1;
	put_be32(pdu->ttt, flags & ISCSI_FINAL ? ISCSI_TAG_NONE : conn->session->text_ttt);
	if (len)
		memcpy(message->data, data, len);
	iscsi_message_send(conn, message);
}

static void send_piece(struct iscsi_conn *conn, bool final)
{
	struct iscsi_session *session = conn->session;
	struct iscsi_answer *answer = session->answer;
	uint32_t len = MIN(answer->len - session->answer_sent, conn->params.max_xmit_data_segment);
	const char *piece = len ? answer->text + session->answer_sent : NULL;

	session->answer_sent += len;
	if (session->answer_sent < answer->len) {
		respond(conn, piece, len, ISCSI_TEXT_CONTINUE);
		return;
	}
	respond(conn, piece, len, final ? ISCSI_FINAL : 0);
	iscsi_text_free(session);
}

static void process(struct iscsi_conn *conn, const uint8_t *text, uint32_t len, bool final)
{
	struct iscsi_session *session = conn->session;

	session->answer = iscsi_answer_get(conn, text, len);
	if (!session->answer) {
		refuse(conn, ISCSI_REJECT_PROTOCOL, "bad text");
		return;
	}
	session->text_in_len = 0;
	send_piece(conn, final);
}

static bool append(struct iscsi_conn *conn)
{
	struct iscsi_session *session = conn->session;

	if (!session->text_in) {
		if (!iscsi_memory_take(conn->il, ISCSI_TEXT_MAX))
			return false;
		session->text_in = malloc(ISCSI_TEXT_MAX);
		if (!session->text_in) {
			iscsi_memory_give(conn->il, ISCSI_TEXT_MAX);
			return false;
		}
	}
	if (conn->rx.data_len > ISCSI_TEXT_MAX - session->text_in_len)
		return false;
	if (conn->rx.data_len)
		memcpy(session->text_in + session->text_in_len, conn->rx.data, conn->rx.data_len);
	session->text_in_len += conn->rx.data_len;
	return true;
}

static void execute(struct iscsi_conn *conn)
{
	static const uint8_t empty[1];
	const struct iscsi_text *pdu = (const void *)conn->rx.head;
	struct iscsi_session *session = conn->session;
	uint32_t ttt = get_be32(pdu->ttt);

	if (ttt == ISCSI_TAG_NONE)
		reset(session); /* A new exchange ends the previous one. */
	else if (!session->text_open || ttt != session->text_ttt) {
		refuse(conn, ISCSI_REJECT_INVALID_FIELD, "unknown Target Transfer Tag");
		return;
	}
	if (session->answer) {
		if (conn->rx.data_len)
			refuse(conn, ISCSI_REJECT_PROTOCOL, "text while the answer is not complete");
		else
			send_piece(conn, pdu->flags & ISCSI_FINAL);
		return;
	}
	bool whole = !session->text_in && !(pdu->flags & ISCSI_TEXT_CONTINUE);
	if (whole ? conn->rx.data_len > ISCSI_TEXT_MAX : !append(conn)) {
		refuse(conn, ISCSI_REJECT_LONG_OPERATION, "text too long");
		return;
	}
	if (whole) /* As almost always: the text needs no memory of its own. */
		process(conn, conn->rx.data_len ? conn->rx.data : empty, conn->rx.data_len,
			pdu->flags & ISCSI_FINAL);
	else if (!(pdu->flags & ISCSI_TEXT_CONTINUE))
		process(conn, session->text_in, session->text_in_len, pdu->flags & ISCSI_FINAL);
	else if (pdu->flags & ISCSI_FINAL)
		refuse(conn, ISCSI_REJECT_PROTOCOL, "final text that continues");
	else
		respond(conn, NULL, 0, 0);
}

bool iscsi_text_pdu(struct iscsi_conn *conn)
{
	execute(conn);
	return conn->state != ISCSI_CONN_CLOSING;
}
