/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The session table and the life of a session. A session is entered at login and leaves when all its tasks
 * are over; only then may another one with the same I_T nexus start (session reinstatement, RFC 7143 6.3.5),
 * so that no command of the old one can take effect after one of the new.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "iscsi/task.h"
#include "util/cleanup.h"
#include "util/hash.h"

static uint32_t report_luns(struct scsi_it_nexus *it, uint8_t (*luns)[8], uint32_t max)
{
	const struct iscsi_session *session = container_of(it, struct iscsi_session, it);
	uint32_t count = 0;
	unsigned i;

	for (i = 0; i < session->nluns; i++) {
		if (!session->luns[i].nexus.lu)
			continue;
		if (count < max)
			target_lun_encode(i, luns[count]);
		count++;
	}
	return count;
}

static void end_work(struct loop_work *work)
{
	struct iscsi_session *session = container_of(work, struct iscsi_session, end);

	session->end_ran = true;
	iscsi_conn_close(session->conn, session->end_reason);
	iscsi_conn_wake(session->conn);
}

static bool copy_luns(struct iscsi_session *session)
{
	unsigned i, n = TARGET_MAX_LUNS;

	while (n && !session->target->luns[n - 1])
		n--;
	session->luns = calloc(n ? n : 1, sizeof(*session->luns));
	if (!session->luns)
		return false;
	session->nluns = n;
	for (i = 0; i < n; i++)
		session->luns[i].nexus.lu = session->target->luns[i];
	return true;
}

/* RFC 7143 4.4.1: names of the SCSI ports. */
static void name_ports(struct iscsi_session *session)
{
	const uint8_t *isid = session->isid;

	snprintf(session->initiator_port, sizeof(session->initiator_port), "%s,i,0x%02x%02x%02x%02x%02x%02x",
		 session->initiator_name, isid[0], isid[1], isid[2], isid[3], isid[4], isid[5]);
	snprintf(session->target_port, sizeof(session->target_port), "%s,t,0x%04x", session->target->name,
		 session->target->tpg_tag);
	session->it.initiator_port = session->initiator_port;
	session->it.target_port = session->target_port;
	session->it.relative_port = session->target->relative_port;
	session->it.port_group = session->target->tpg_tag;
	session->it.report_luns = report_luns;
}

struct iscsi_session *iscsi_session_new(struct iscsi_conn *conn, const struct iscsi_login_result *result)
{
	struct iscsi_session *session = calloc(1, sizeof(*session));

	if (!session)
		return NULL;
	list_init(&session->node);
	list_init(&session->waiters);
	list_init(&session->held);
	list_init(&session->tasks);
	session->end.fn = end_work;
	session->conn = conn;
	session->cid = result->cid;
	session->params = result->params;
	session->target = result->discovery ? NULL : result->target;
	memcpy(session->initiator_name, result->initiator_name, sizeof(session->initiator_name));
	memcpy(session->isid, result->isid, sizeof(session->isid));
	if (session->target) {
		name_ports(session);
		if (!copy_luns(session)) {
			free(session);
			return NULL;
		}
	}
	return session;
}

void iscsi_session_free(struct iscsi_session *session)
{
	iscsi_hold_free(session);
	free(session->text_in);
	free(session->text_out);
	free(session->luns);
	free(session);
}

/* --- table ------------------------------------------------------------------------------------ */

static struct list *table_bucket(struct iscsi_server *server, const struct iscsi_session *session)
{
	uint64_t hash = hash_bytes(HASH_INIT, session->initiator_name, strlen(session->initiator_name));

	hash = hash_bytes(hash, session->isid, sizeof(session->isid));
	return &server->table[hash % ISCSI_SESSION_BUCKETS];
}

static struct iscsi_session *find_same(struct list *bucket, const struct iscsi_session *like)
{
	struct list *node, *tmp;

	list_for_each (bucket, node, tmp) {
		struct iscsi_session *session = list_entry(node, struct iscsi_session, node);

		if (session->target == like->target &&
		    !memcmp(session->isid, like->isid, sizeof(like->isid)) &&
		    !strcmp(session->initiator_name, like->initiator_name))
			return session;
	}
	return NULL;
}

static bool claim_tsih(struct iscsi_server *server, uint16_t tsih)
{
	uint64_t bit = 1ull << (tsih % 64), *word = &server->tsih_used[tsih / 64];

	if (!tsih || *word & bit)
		return false;
	*word |= bit;
	return true;
}

/* 0: all are in use. */
static uint16_t take_tsih(struct iscsi_server *server)
{
	unsigned i;

	for (i = 0; i < 65536; i++) {
		if (claim_tsih(server, ++server->tsih_last))
			return server->tsih_last;
	}
	return 0;
}

/* With the lock held. */
static void post_end(struct iscsi_session *session, const char *reason)
{
	if (session->end_reason)
		return;
	session->end_reason = reason;
	loop_post(session->conn->il->loop, &session->end);
}

/*
 * The same I_T nexus again (6.3.5). With the TSIH the initiator means the same session, of which the
 * connection is replaced (6.3.4): at ErrorRecoveryLevel 0 nothing of it survives but its TSIH and what was
 * negotiated once for all its connections.
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

int iscsi_session_register(struct iscsi_session *session, uint16_t wanted_tsih)
{
	struct iscsi_server *server = session->conn->il->server;
	struct list *bucket = table_bucket(server, session);
	SCOPE_LOCK(&server->lock);
	/* Discovery sessions are many and short, and hold nothing that two of them could quarrel about. */
	struct iscsi_session *old = session->target ? find_same(bucket, session) : NULL;

	if (old)
		return replace(session, old, wanted_tsih);
	if (wanted_tsih && !(session->conn->waited && claim_tsih(server, wanted_tsih)))
		return -ENOENT;
	session->tsih = wanted_tsih ? wanted_tsih : take_tsih(server);
	if (!session->tsih)
		return -ENOSPC;
	list_add_tail(bucket, &session->node);
	session->registered = true;
	return 0;
}

void iscsi_session_unwait(struct iscsi_conn *conn)
{
	SCOPE_LOCK(&conn->il->server->lock);

	if (list_empty(&conn->wait))
		return; /* move is posted */
	list_del(&conn->wait);
	conn->moving = false;
}

void iscsi_session_end_others(struct iscsi_session *session)
{
	struct iscsi_server *server = session->conn->il->server;
	struct list *node, *tmp;
	unsigned i;
	SCOPE_LOCK(&server->lock);

	for (i = 0; i < ISCSI_SESSION_BUCKETS; i++) {
		list_for_each (&server->table[i], node, tmp) {
			struct iscsi_session *other = list_entry(node, struct iscsi_session, node);

			if (other != session && other->target == session->target)
				post_end(other, "the target is reset");
		}
	}
}

/* The old session is out of the table, and its I_T nexus may start again. */
static void unregister(struct iscsi_session *session)
{
	struct iscsi_server *server = session->conn->il->server;
	SCOPE_LOCK(&server->lock);
	struct list *node;

	list_del(&session->node);
	session->registered = false;
	server->tsih_used[session->tsih / 64] &= ~(1ull << (session->tsih % 64));
	while ((node = list_pop(&session->waiters))) {
		struct iscsi_conn *conn = list_entry(node, struct iscsi_conn, wait);

		loop_post(conn->il->loop, &conn->move);
	}
}

/* --- LUNs and end ----------------------------------------------------------------------------- */

void iscsi_session_attach(struct iscsi_session *session)
{
	unsigned i;

	for (i = 0; i < session->nluns; i++) {
		if (session->luns[i].nexus.lu)
			scsi_nexus_attach(&session->luns[i].nexus, &session->it, session->luns[i].nexus.lu);
	}
	session->attached = true;
}

static void detach(struct iscsi_session *session)
{
	unsigned i;

	for (i = 0; session->attached && i < session->nluns; i++) {
		if (session->luns[i].nexus.lu)
			scsi_nexus_detach(&session->luns[i].nexus);
	}
	session->attached = false;
}

struct iscsi_lun *iscsi_session_lun(struct iscsi_session *session, const uint8_t lun[8])
{
	int number = target_lun_decode(lun);

	if (number < 0 || (unsigned)number >= session->nluns || !session->luns[number].nexus.lu)
		return NULL;
	return &session->luns[number];
}

static void loss_over(struct iscsi_tmf *tmf)
{
	iscsi_conn_wake(tmf->conn);
}

void iscsi_session_end(struct iscsi_session *session)
{
	struct list *node, *tmp;

	/* The output queue has been dropped, so only what the device server has stays. */
	list_for_each (&session->tasks, node, tmp) {
		struct iscsi_task *task = list_entry(node, struct iscsi_task, node);

		if (task->state != ISCSI_TASK_RUN)
			iscsi_task_free(task);
	}
	session->loss.conn = session->conn;
	session->loss.function = SCSI_NEXUS_LOSS;
	session->loss.end = session->nluns;
	session->loss.busy_only = true;
	session->loss.over = loss_over;
	iscsi_tmf_run(&session->loss);
}

bool iscsi_session_reap(struct iscsi_session *session)
{
	if (session->ntasks || session->ntmfs)
		return false;
	detach(session);
	if (session->registered)
		unregister(session);
	/* Out of the table, so end_reason does not change any more; end may still be on its way. */
	if (session->end_reason && !session->end_ran)
		return false;
	iscsi_session_free(session);
	return true;
}
