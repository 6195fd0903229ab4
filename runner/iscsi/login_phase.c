/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The login phase of a connection (RFC 7143 6.3): passes PDUs to iscsi_login/login.c, which interprets them,
 * and begins the session.
 */
#include "iscsi/login_phase.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "iscsi/session.h"

/* The number of requests that a discovery session may have outstanding. */
#define DISCOVERY_DEPTH 16

static bool send_response(struct iscsi_conn *conn, const struct iscsi_login_response *response)
{
	struct iscsi_message *message = iscsi_message_new(conn, 0, (uint32_t)response->data_len);

	if (!message)
		return false;
	memcpy(message->bhs, response->bhs, sizeof(message->bhs));
	memcpy(message->data, response->data, response->data_len);
	message->plain = true;
	iscsi_message_send(conn, message);
	return true;
}

static void fail(struct iscsi_conn *conn, const struct iscsi_login_response *response)
{
	if (send_response(conn, response))
		iscsi_conn_finish(conn);
}

static void refuse(struct iscsi_conn *conn, struct iscsi_login_response *response,
		   enum iscsi_login_status status)
{
	log_warn(conn->name, "login refused with status %04xh: the session cannot begin", status);
	iscsi_login_refuse(response, status);
	fail(conn, response);
}

static void set_name(struct iscsi_conn *conn, const char *initiator)
{
	char *name;

	if (asprintf(&name, "%s,%s", initiator, conn->peer) < 0)
		return; /* The name stays the address alone. */
	free(conn->name_memory);
	conn->name = conn->name_memory = name;
}

/* Sets the number of commands that the initiator may have outstanding (RFC 7143 4.2.2.1). */
static void open_window(struct iscsi_conn *conn, unsigned depth)
{
	conn->max_cmdsn = conn->exp_cmdsn + MAX(depth, 1u) - 1;
}

/* Begins the full feature phase with the response. The session is in the table. */
static bool begin_full_feature_phase(struct iscsi_conn *conn, struct iscsi_login_response *response)
{
	const struct iscsi_login_result *result = iscsi_login_result(conn->login);
	struct iscsi_session *session = conn->session;

	put_be16(response->bhs + offsetof(struct iscsi_login_rsp, tsih), session->tsih);
	set_name(conn, result->initiator_name);
	conn->params = result->params;
	open_window(conn, result->discovery ? DISCOVERY_DEPTH : result->target->queue_depth);
	iscsi_conn_full(conn, result->target);
	log_info(conn->name, "logged in to %s", iscsi_session_name(session));
	iscsi_session_begin(session);
	iscsi_login_free(conn->login);
	conn->login = NULL;
	return send_response(conn, response);
}

/* Enters the session into the table, or waits until an older session has ended. */
static bool join(struct iscsi_conn *conn, struct iscsi_login_response *response)
{
	const struct iscsi_login_result *result = iscsi_login_result(conn->login);
	bool holds = result->discovery || model_login_holds(result->target, result->initiator_name);
	int ret = holds ? iscsi_session_register(conn->session, result->tsih) : -ESTALE;

	if (!ret)
		return begin_full_feature_phase(conn, response);
	if (ret == -EBUSY) {
		conn->state = ISCSI_CONN_JOINING;
		if (!conn->login_last) {
			conn->login_last = malloc(sizeof(*response));
			if (conn->login_last)
				*conn->login_last = *response;
			else
				iscsi_conn_close(conn, "out of memory");
		}
		return conn->state != ISCSI_CONN_CLOSING;
	}
	iscsi_session_free(conn->session);
	conn->session = NULL;
	refuse(conn, response,
	       ret == -ENOENT   ? ISCSI_LOGIN_NO_SESSION
	       : ret == -EMLINK ? ISCSI_LOGIN_TOO_MANY
	       : ret == -ESTALE ? ISCSI_LOGIN_UNAVAILABLE
				: ISCSI_LOGIN_NO_RESOURCES);
	return false;
}

/* Returns 0, -ESTALE if the initiator must log in again because the model has changed, or -ENOMEM. */
static int enter_model(struct iscsi_session *session, const struct model_login *target)
{
	if (model_view_is_closed(session->luns.view))
		return -ESTALE;
	return model_dynamic_begin(session->luns.view, session->initiator_name, target->queue_depth,
				   &session->dynamic);
}

static bool complete(struct iscsi_conn *conn, struct iscsi_login_response *response)
{
	struct iscsi_session *session = iscsi_session_new(conn, iscsi_login_result(conn->login));

	if (!session) {
		refuse(conn, response, ISCSI_LOGIN_NO_RESOURCES);
		return false;
	}
	int err = session->discovery ? 0 : enter_model(session, iscsi_login_result(conn->login)->target);
	if (err) {
		iscsi_session_free(session);
		refuse(conn, response, err == -ENOMEM ? ISCSI_LOGIN_NO_RESOURCES : ISCSI_LOGIN_UNAVAILABLE);
		return false;
	}
	/* From now on, iscsi_conn_update() ends the session when its view is closed. */
	conn->session = session;
	return join(conn, response);
}

void iscsi_login_join(struct iscsi_conn *conn)
{
	conn->waited = true;
	if (join(conn, conn->login_last) && conn->state == ISCSI_CONN_FULL) {
		free(conn->login_last);
		conn->login_last = NULL;
	}
}

/*
 * Starts the command numbering with the CmdSN of the first request. The login does not use this number up
 * (RFC 7143 11.12.7).
 */
static void start_numbers(struct iscsi_conn *conn)
{
	const struct iscsi_login_req *pdu = (const void *)conn->rx.head;

	conn->exp_cmdsn = get_be32(pdu->cmdsn);
	open_window(conn, 1);
	conn->statsn = get_be32(pdu->expstatsn);
	conn->numbered = true;
}

static void limit_time(struct iscsi_conn *conn)
{
	const struct model_login *target = iscsi_login_result(conn->login)->target;

	if (target && target->login_timeout_s != MODEL_UNSET)
		iscsi_conn_limit_login(conn, (unsigned)target->login_timeout_s);
}

bool iscsi_login_pdu(struct iscsi_conn *conn)
{
	struct iscsi_login_response response;

	if (!conn->numbered)
		start_numbers(conn);
	switch (
	    iscsi_login_request(conn->login, conn->rx.head, conn->rx.data, conn->rx.data_len, &response)) {
	case ISCSI_LOGIN_MORE:
		limit_time(conn);
		return send_response(conn, &response);
	case ISCSI_LOGIN_COMPLETE:
		limit_time(conn);
		return complete(conn, &response);
	case ISCSI_LOGIN_FAIL:
		fail(conn, &response);
		return false;
	case ISCSI_LOGIN_DROP:
		break;
	}
	iscsi_conn_close(conn, "malformed Login Request");
	return false;
}
