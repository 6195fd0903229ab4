/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text Requests and Responses (RFC 7143 11.10, 11.11). Either side's text may come in pieces: a request with
 * the C bit is acknowledged with an empty response and a Target Transfer Tag, and a response with the C bit
 * is followed by an empty request with its tag. What the text says is text.c's business.
 */
#include "iscsi/text_exchange.h"

#include <stdlib.h>
#include <sys/socket.h>

#include "iscsi/reject.h"
#include "iscsi/session.h"

static void free_text(struct iscsi_session *session)
{
	free(session->text_in);
	free(session->text_out);
	session->text_in = session->text_out = NULL;
	session->text_in_len = session->text_out_len = session->text_out_sent = 0;
}

static void reset(struct iscsi_session *session)
{
	free_text(session);
	session->text_open = false;
}

static void refuse(struct iscsi_conn *conn, enum iscsi_reject_reason reason, const char *why)
{
	reset(conn->session);
	iscsi_reject(conn, reason, why);
}

static void respond(struct iscsi_conn *conn, const uint8_t *data, uint32_t len, uint8_t flags)
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
	uint32_t len =
	    MIN(session->text_out_len - session->text_out_sent, conn->params.max_xmit_data_segment);
	const uint8_t *piece = session->text_out + session->text_out_sent;

	session->text_out_sent += len;
	if (session->text_out_sent < session->text_out_len) {
		respond(conn, piece, len, ISCSI_TEXT_CONTINUE);
		return;
	}
	respond(conn, piece, len, final ? ISCSI_FINAL : 0);
	free_text(session);
}

static void process(struct iscsi_conn *conn, bool final)
{
	struct iscsi_session *session = conn->session;
	struct sockaddr_storage local = {0};
	socklen_t local_len = sizeof(local);
	struct iscsi_text_context context = {
	    .model = conn->il->server->model,
	    .target = session->target,
	    .initiator_name = session->initiator_name,
	    .portal = conn->portal,
	    .local = &local,
	    .params = &conn->params,
	};
	long n = -1;

	getsockname(conn->watch.fd, (struct sockaddr *)&local, &local_len);
	session->text_out = malloc(ISCSI_ANSWER_MAX);
	if (session->text_out)
		n = iscsi_text_request(&context, session->text_in, session->text_in_len, session->text_out,
				       ISCSI_ANSWER_MAX);
	if (n < 0) {
		refuse(conn, ISCSI_REJECT_PROTOCOL, "bad text");
		return;
	}
	session->text_out_len = (uint32_t)n;
	session->text_in_len = 0;
	send_piece(conn, final);
}

static bool append(struct iscsi_conn *conn)
{
	struct iscsi_session *session = conn->session;

	if (!session->text_in)
		session->text_in = malloc(ISCSI_TEXT_MAX);
	if (!session->text_in || conn->rx.data_len > ISCSI_TEXT_MAX - session->text_in_len)
		return false;
	if (conn->rx.data_len)
		memcpy(session->text_in + session->text_in_len, conn->rx.data, conn->rx.data_len);
	session->text_in_len += conn->rx.data_len;
	return true;
}

static void execute(struct iscsi_conn *conn)
{
	const struct iscsi_text *pdu = (const void *)conn->rx.head;
	struct iscsi_session *session = conn->session;
	uint32_t ttt = get_be32(pdu->ttt);

	if (ttt == ISCSI_TAG_NONE)
		reset(session); /* a new exchange ends an older one */
	else if (!session->text_open || ttt != session->text_ttt) {
		refuse(conn, ISCSI_REJECT_INVALID_FIELD, "unknown Target Transfer Tag");
		return;
	}
	if (session->text_out) {
		if (conn->rx.data_len)
			refuse(conn, ISCSI_REJECT_PROTOCOL, "text while the answer is not complete");
		else
			send_piece(conn, pdu->flags & ISCSI_FINAL);
		return;
	}
	if (!append(conn)) {
		refuse(conn, ISCSI_REJECT_LONG_OPERATION, "text too long");
		return;
	}
	if (!(pdu->flags & ISCSI_TEXT_CONTINUE))
		process(conn, pdu->flags & ISCSI_FINAL);
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
