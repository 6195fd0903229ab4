/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Logout by the initiator (RFC 7143 11.14, 11.15), and the Asynchronous Message by which the target
 * asks for a logout (11.9).
 */
#include "iscsi/logout.h"

#include "iscsi/reject.h"
#include "iscsi/task.h"

static void answer(struct iscsi_conn *conn, enum iscsi_logout_answer response)
{
	struct iscsi_message *message = iscsi_message_new(conn, ISCSI_OP_LOGOUT_RSP, 0);
	struct iscsi_logout_response *pdu;

	if (!message)
		return;
	pdu = (struct iscsi_logout_response *)message->bhs;
	pdu->response = (uint8_t)response;
	memcpy(pdu->itt, conn->session->logout_itt, sizeof(pdu->itt));
	put_be16(pdu->time2wait, (uint16_t)conn->params.default_time2wait);
	iscsi_message_send(conn, message);
}

void iscsi_logout_answer(struct iscsi_conn *conn)
{
	conn->session->logout = false;
	log_info(conn->name, "logged out of %s", iscsi_session_name(conn->session));
	answer(conn, ISCSI_LOGOUT_OK);
	iscsi_conn_finish(conn);
}

/*
 * Ends the session. Tasks that are being executed are answered first, and tasks that wait for data are
 * dropped.
 */
static void begin_logout(struct iscsi_conn *conn)
{
	struct list *node, *tmp;

	conn->session->logout = true;
	list_for_each (&conn->session->tasks, node, tmp) {
		struct iscsi_task *task = list_entry(node, struct iscsi_task, node);

		if (task->state == ISCSI_TASK_GATHER)
			iscsi_task_drop(task);
	}
	iscsi_conn_wake(conn);
}

bool iscsi_logout_pdu(struct iscsi_conn *conn)
{
	const struct iscsi_logout_request *pdu = (const void *)conn->rx.head;
	enum iscsi_logout_reason reason = pdu->reason & ~ISCSI_FINAL;
	if (conn->session->logout || reason > ISCSI_LOGOUT_RECOVERY) {
		iscsi_reject(
		    conn, reason > ISCSI_LOGOUT_RECOVERY ? ISCSI_REJECT_INVALID_FIELD : ISCSI_REJECT_PROTOCOL,
		    "bad Logout");
		return conn->state != ISCSI_CONN_CLOSING;
	}
	memcpy(conn->session->logout_itt, pdu->itt, sizeof(pdu->itt));
	if (reason == ISCSI_LOGOUT_RECOVERY)
		answer(conn, ISCSI_LOGOUT_NO_RECOVERY);
	else if (reason == ISCSI_LOGOUT_CONNECTION && get_be16(pdu->cid) != conn->session->cid)
		answer(conn, ISCSI_LOGOUT_NO_CID);
	else
		begin_logout(conn);
	return conn->state != ISCSI_CONN_CLOSING;
}

void iscsi_async_logout(struct iscsi_conn *conn, unsigned seconds)
{
	struct iscsi_message *message = iscsi_message_new(conn, ISCSI_OP_ASYNC, 0);
	struct iscsi_async_message *pdu;

	if (!message)
		return;
	pdu = (struct iscsi_async_message *)message->bhs;
	put_be32(pdu->tag, ISCSI_TAG_NONE);
	pdu->event = ISCSI_ASYNC_LOGOUT;
	put_be16(pdu->parameter[2], (uint16_t)seconds);
	iscsi_message_send(conn, message);
}
