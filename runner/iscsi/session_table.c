/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The session table: sessions by I_T nexus, TSIHs, initiators, and session reinstatement (RFC 7143 6.3.5).
 * session.c handles a session between the moments when it enters and leaves the table.
 */
#include "iscsi/session_table.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "iscsi/session.h"
#include "util/cleanup.h"
#include "util/hash.h"

void iscsi_session_table_init(struct iscsi_session_table *table)
{
	for (unsigned i = 0; i < ISCSI_SESSION_BUCKETS; i++) {
		list_init(&table->sessions[i]);
		list_init(&table->initiators[i]);
	}
}

static struct list *session_bucket(struct iscsi_session_table *table, const struct iscsi_session *session)
{
	uint64_t hash = hash_bytes(HASH_INIT, session->initiator_name, strlen(session->initiator_name));

	hash = hash_bytes(hash, session->isid, sizeof(session->isid));
	return &table->sessions[hash % ISCSI_SESSION_BUCKETS];
}

static struct iscsi_session *find_same(struct list *bucket, const struct iscsi_session *like)
{
	struct list *node, *tmp;

	list_for_each (bucket, node, tmp) {
		struct iscsi_session *session = list_entry(node, struct iscsi_session, node);

		if (!strcmp(session->target_port, like->target_port) &&
		    !memcmp(session->isid, like->isid, sizeof(like->isid)) &&
		    !strcmp(session->initiator_name, like->initiator_name))
			return session;
	}
	return NULL;
}

static bool claim_tsih(struct iscsi_session_table *table, uint16_t tsih)
{
	uint64_t bit = 1ull << (tsih % 64), *word = &table->tsih_used[tsih / 64];

	if (!tsih || *word & bit)
		return false;
	*word |= bit;
	return true;
}

/* Returns a free TSIH, or 0 if all are in use. */
static uint16_t choose_tsih(struct iscsi_session_table *table)
{
	for (unsigned i = 0; i < 65536; i++) {
		if (claim_tsih(table, ++table->tsih_last))
			return table->tsih_last;
	}
	return 0;
}

static void release_tsih(struct iscsi_session_table *table, uint16_t tsih)
{
	table->tsih_used[tsih / 64] &= ~(1ull << (tsih % 64));
}

/* --- initiators ------------------------------------------------------------------------------- */

static struct list *initiator_bucket(struct iscsi_session_table *table, const char *name)
{
	return &table->initiators[hash_bytes(HASH_INIT, name, strlen(name)) % ISCSI_SESSION_BUCKETS];
}

static struct iscsi_initiator *find_initiator(struct list *bucket, const char *name)
{
	struct list *node, *tmp;

	list_for_each (bucket, node, tmp) {
		struct iscsi_initiator *initiator = list_entry(node, struct iscsi_initiator, node);

		if (!strcmp(initiator->name, name))
			return initiator;
	}
	return NULL;
}

static struct iscsi_initiator *new_initiator(struct list *bucket, const char *name, unsigned nloops)
{
	size_t size = sizeof(struct iscsi_initiator) + nloops * sizeof(struct iscsi_initiator_part);
	struct iscsi_initiator *initiator = aligned_alloc(alignof(struct iscsi_initiator), size);

	if (!initiator)
		return NULL;
	memset(initiator, 0, size);
	snprintf(initiator->name, sizeof(initiator->name), "%s", name);
	list_add_tail(bucket, &initiator->node);
	return initiator;
}

/*
 * Counts one more session of the initiator. Returns NULL if the initiator already has its share of sessions,
 * or there is no memory.
 */
static struct iscsi_initiator *get_initiator(struct iscsi_server *server, const char *name)
{
	struct list *bucket = initiator_bucket(&server->sessions, name);
	struct iscsi_initiator *initiator = find_initiator(bucket, name);

	if (!initiator)
		initiator = new_initiator(bucket, name, server->set->nloops);
	if (!initiator || initiator->nsessions >= iscsi_server_share(server))
		return NULL;
	initiator->nsessions++;
	initiator->nholders++;
	return initiator;
}

/* --- entering and leaving --------------------------------------------------------------------- */

/* server->lock must be held. */
static void post_end(struct iscsi_session *session, const char *reason)
{
	if (session->end_reason)
		return;
	session->end_reason = reason;
	loop_post(session->conn->il->loop, &session->end);
}

/*
 * Handles a login with the same I_T nexus (RFC 7143 6.3.5). If the login has the TSIH of the session, it
 * replaces the connection of this session (6.3.4): at ErrorRecoveryLevel 0, only the TSIH and the
 * session-wide parameters survive.
 */
static int replace(struct iscsi_session *session, struct iscsi_session *old, uint16_t wanted_tsih)
{
	if (wanted_tsih && wanted_tsih != old->tsih)
		return -ENOENT;
	if (wanted_tsih && session->cid != old->cid)
		return -EMLINK;
	if (wanted_tsih) {
		iscsi_login_inherit(session->conn->login, &old->params);
		session->params = iscsi_login_result(session->conn->login)->params;
	}
	session->conn->moving = true;
	list_add_tail(&old->waiters, &session->conn->wait);
	log_info(session->conn->peer,
		 "%s logs in again and ends its session from %s (the same name and ISID)",
		 session->initiator_name, old->conn->peer);
	post_end(old, "the same initiator has logged in again");
	return -EBUSY;
}

/* server->lock must be held. */
static int enter(struct iscsi_session *session, uint16_t wanted_tsih)
{
	struct iscsi_server *server = session->conn->il->server;

	session->tsih = wanted_tsih ? wanted_tsih : choose_tsih(&server->sessions);
	if (!session->tsih)
		return -ENOSPC;
	if (!session->discovery) {
		session->initiator = get_initiator(server, session->initiator_name);
		if (!session->initiator) {
			release_tsih(&server->sessions, session->tsih);
			return -ENOSPC;
		}
		session->share_here = &session->initiator->parts[loop_index(session->conn->il->loop)];
		/* A single initiator may use half of the loop's memory (see task.c). */
		session->share_here->buffers.limit = loop_buffer_limit(session->conn->il->loop) / 2;
		session->conn->address->nsessions++;
	}
	list_add_tail(session_bucket(&server->sessions, session), &session->node);
	session->registered = true;
	return 0;
}

int iscsi_session_register(struct iscsi_session *session, uint16_t wanted_tsih)
{
	struct iscsi_server *server = session->conn->il->server;
	struct iscsi_session_table *table = &server->sessions;
	SCOPE_LOCK(&server->lock);
	/* Discovery sessions of one I_T nexus do not replace each other, because they share nothing. */
	struct iscsi_session *old =
	    session->discovery ? NULL : find_same(session_bucket(table, session), session);

	if (old)
		return replace(session, old, wanted_tsih);
	if (wanted_tsih && !(session->conn->waited && claim_tsih(table, wanted_tsih)))
		return -ENOENT;
	return enter(session, wanted_tsih);
}

void iscsi_session_unwait(struct iscsi_conn *conn)
{
	SCOPE_LOCK(&conn->il->server->lock);

	if (list_empty(&conn->wait))
		return; /* The old session has ended, and the work move was posted. */
	list_del(&conn->wait);
	conn->moving = false;
}

void iscsi_sessions_visit(struct iscsi_server *server,
			  bool (*visit)(struct iscsi_session *session, void *arg), void *arg)
{
	struct list *node, *tmp;
	SCOPE_LOCK(&server->lock);

	for (unsigned i = 0; i < ISCSI_SESSION_BUCKETS; i++) {
		list_for_each (&server->sessions.sessions[i], node, tmp)
			if (!visit(list_entry(node, struct iscsi_session, node), arg))
				return;
	}
}

static bool end_other(struct iscsi_session *other, void *arg)
{
	const struct iscsi_session *session = arg;

	if (other != session && !strcmp(other->target_name, session->target_name))
		post_end(other, "the target is reset");
	return true;
}

void iscsi_session_end_others(struct iscsi_session *session)
{
	iscsi_sessions_visit(session->conn->il->server, end_other, session);
}

void iscsi_session_unregister(struct iscsi_session *session)
{
	struct iscsi_server *server = session->conn->il->server;
	SCOPE_LOCK(&server->lock);
	struct list *node;

	list_del(&session->node);
	session->registered = false;
	release_tsih(&server->sessions, session->tsih);
	if (session->initiator) {
		session->initiator->nsessions--;
		session->conn->address->nsessions--;
	}
	while ((node = list_pop(&session->waiters))) {
		struct iscsi_conn *conn = list_entry(node, struct iscsi_conn, wait);

		loop_post(conn->il->loop, &conn->move);
	}
}

void iscsi_session_release_initiator(struct iscsi_session *session)
{
	struct iscsi_initiator *initiator = session->initiator;
	SCOPE_LOCK(&session->conn->il->server->lock);

	if (!initiator || --initiator->nholders)
		return;
	list_del(&initiator->node);
	free(initiator);
}
