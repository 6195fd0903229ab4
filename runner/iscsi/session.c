/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Creates and ends sessions. A session leaves the table (session_table.c) when all its tasks have ended. Only
 * then may another session of the same I_T nexus begin (session reinstatement, RFC 7143 6.3.5), so that no
 * command of the old session can take effect after a command of the new one. A task that hangs in its storage
 * expires: the device server then delays newer commands that overlap the data which it may still change, and
 * the session leaves the table without this task.
 */
#include "iscsi/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "iscsi/expiry.h"
#include "iscsi/session_table.h"
#include "iscsi/task.h"
#include "iscsi/text_exchange.h"

static struct storage_inventories *inventories_of(const struct iscsi_session *session)
{
	return session->conn->il->server->options.inventories;
}

static uint32_t report_luns(struct scsi_it_nexus *it_nexus, uint8_t (*luns)[8], uint32_t max)
{
	struct iscsi_session *session = container_of(it_nexus, struct iscsi_session, it_nexus);

	if (session->luns.changed && session->luns.map)
		storage_inventories_report(inventories_of(session), session->known_luns,
					   model_map_digest(session->luns.map));
	return iscsi_luns_report(&session->luns, luns, max);
}

void iscsi_session_begin(struct iscsi_session *session)
{
	if (session->discovery)
		return;
	session->known_luns =
	    storage_inventories_begin(inventories_of(session), session->target_port, session->initiator_port,
				      model_map_digest(session->luns.map), &session->luns.changed);
	if (session->luns.changed)
		log_info(
		    session->conn->name,
		    "the LUNs of %s have changed since the initiator last asked for them; each LUN reports "
		    "the change",
		    session->target_name);
}

static void end_work(struct loop_work *work)
{
	struct iscsi_session *session = container_of(work, struct iscsi_session, end);

	session->end_ran = true;
	iscsi_conn_close(session->conn, session->end_reason);
	iscsi_conn_wake(session->conn);
}

static void kick_work(struct loop_work *work)
{
	struct iscsi_session *session = container_of(work, struct iscsi_session, kick);

	session->kick_ran = true;
	iscsi_conn_ask_to_leave(session->conn, "an administrator has ended the session");
	iscsi_conn_wake(session->conn);
}

void iscsi_session_kick(struct iscsi_session *session)
{
	if (session->kicked)
		return;
	session->kicked = true;
	loop_post(session->conn->il->loop, &session->kick);
}

/* Sets the names of the SCSI ports (RFC 7143 4.4.1). */
static void name_ports(struct iscsi_session *session, const struct model_login *login)
{
	const uint8_t *isid = session->isid;

	snprintf(session->target_name, sizeof(session->target_name), "%s", login->target);
	snprintf(session->initiator_port, sizeof(session->initiator_port), "%s,i,0x%02x%02x%02x%02x%02x%02x",
		 session->initiator_name, isid[0], isid[1], isid[2], isid[3], isid[4], isid[5]);
	snprintf(session->target_port, sizeof(session->target_port), "%s,t,0x%04x", login->target,
		 login->tag);
	session->tag = login->tag;
	session->cold_reset = login->cold_reset;
	session->it_nexus.initiator_port = session->initiator_port;
	session->it_nexus.target_port = session->target_port;
	session->it_nexus.relative_port = login->relative_port;
	session->it_nexus.port_group = login->tag;
	session->it_nexus.report_luns = report_luns;
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
	session->kick.fn = kick_work;
	session->conn = conn;
	session->cid = result->cid;
	session->params = result->params;
	session->discovery = result->discovery;
	session->began_ns = loop_now_ns(conn->il->loop);
	memcpy(session->initiator_name, result->initiator_name, sizeof(session->initiator_name));
	memcpy(session->isid, result->isid, sizeof(session->isid));
	if (result->initiator_alias[0])
		session->initiator_alias = strdup(result->initiator_alias);
	if (!session->discovery)
		name_ports(session, result->target);
	iscsi_luns_init(&session->luns, session->discovery ? NULL : result->target->view);
	return session;
}

void iscsi_session_free(struct iscsi_session *session)
{
	iscsi_hold_free(session);
	iscsi_text_free(session);
	model_dynamic_end(session->dynamic);
	iscsi_luns_free(&session->luns);
	free(session->initiator_alias);
	free(session);
}

/* --- a new ACL -------------------------------------------------------------------------------- */

static bool take_acl(struct iscsi_session *session)
{
	struct model_view *view = model_dynamic_acl_view(session->dynamic);

	model_dynamic_end(session->dynamic);
	session->dynamic = NULL;
	session->acl_is_new = true;
	if (view)
		iscsi_luns_set_view(&session->luns, view);
	return view != NULL;
}

bool iscsi_session_follow_acl(struct iscsi_session *session)
{
	if (model_dynamic_is_replaced(session->dynamic) && !take_acl(session))
		return false;
	return !session->acl_is_new || !model_view_demands_login(session->luns.view);
}

/* --- the end ---------------------------------------------------------------------------------- */

/* The time limit of a command that has none, if its session has ended. */
#define ENDED_LIMIT_NS (60 * NS_PER_S)

/*
 * Lets the tasks of an ended session expire. The storage may never answer, and a session must not exist for
 * ever.
 */
static void let_tasks_expire(struct iscsi_session *session)
{
	uint64_t deadline = loop_now_ns(session->conn->il->loop) + ENDED_LIMIT_NS;
	struct list *node, *tmp;

	if (!session->ntasks || session->expires)
		return;
	list_for_each (&session->tasks, node, tmp) {
		struct iscsi_task *task = list_entry(node, struct iscsi_task, node);

		if (!task->deadline_ns)
			task->deadline_ns = deadline;
	}
	session->expires = true;
	iscsi_expiry_begin(session->conn->il);
}

void iscsi_session_end(struct iscsi_session *session)
{
	struct list *node, *tmp;

	/* The output queue has been dropped, so only tasks that the device server executes must be kept. */
	list_for_each (&session->tasks, node, tmp) {
		struct iscsi_task *task = list_entry(node, struct iscsi_task, node);

		if (task->state != ISCSI_TASK_RUN)
			iscsi_task_free(task);
	}
	let_tasks_expire(session);
	iscsi_luns_end(session);
}

/* Ends everything that initiators and administrators see of the session, although its storage hangs. */
static void leave_table(struct iscsi_session *session)
{
	if (session->ntasks)
		log_warn(session->conn->name,
			 "the session has ended, but its storage has not answered %u of its commands; until "
			 "it answers, commands that overlap them wait",
			 session->ntasks);
	model_dynamic_end(session->dynamic);
	session->dynamic = NULL;
	storage_inventories_end(inventories_of(session), session->known_luns);
	session->known_luns = NULL;
	iscsi_luns_detach(&session->luns);
	iscsi_session_unregister(session);
}

bool iscsi_session_reap(struct iscsi_session *session)
{
	iscsi_luns_reap(&session->luns);
	if (iscsi_session_is_busy(session) || session->ntmfs)
		return false;
	if (session->registered)
		leave_table(session);
	if (session->ntasks)
		return false;
	/*
	 * The session is not in the table any more, so end_reason and kicked cannot change. But end_work()
	 * and kick_work() may have been posted, and still have to run.
	 */
	if ((session->end_reason && !session->end_ran) || (session->kicked && !session->kick_ran))
		return false;
	if (session->expires)
		iscsi_expiry_end(session->conn->il);
	if (session->conn->dataout_timeout_s)
		iscsi_expiry_end(session->conn->il);
	iscsi_session_release_initiator(session);
	iscsi_session_free(session);
	return true;
}
