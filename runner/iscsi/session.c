/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The life of a session, with its LUNs. A session leaves the table (session_table.c) when all its
 * tasks are over; only then may another session of the same I_T nexus begin (session reinstatement,
 * RFC 7143 6.3.5), so that no command of the old session can take effect after a command of the new
 * one.
 */
#include "iscsi/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "iscsi/session_table.h"
#include "iscsi/task.h"
#include "iscsi/text_exchange.h"

static uint32_t report_luns(struct scsi_it_nexus *it, uint8_t (*luns)[8], uint32_t max)
{
	const struct iscsi_session *session = container_of(it, struct iscsi_session, it);
	uint32_t count = 0;

	for (unsigned i = 0; i < session->nluns; i++) {
		if (!session->luns[i].nexus.lu)
			continue;
		if (count < max)
			model_lun_encode(i, luns[count]);
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
	unsigned n = TARGET_MAX_LUNS;

	while (n && !session->target->luns[n - 1])
		n--;
	session->luns = calloc(n ? n : 1, sizeof(*session->luns));
	if (!session->luns)
		return false;
	session->nluns = n;
	for (unsigned i = 0; i < n; i++)
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
	iscsi_text_free(session);
	free(session->luns);
	free(session);
}

/* --- LUNs and end ----------------------------------------------------------------------------- */

void iscsi_session_attach(struct iscsi_session *session)
{
	for (unsigned i = 0; i < session->nluns; i++) {
		if (session->luns[i].nexus.lu)
			scsi_nexus_attach(&session->luns[i].nexus, &session->it, session->luns[i].nexus.lu,
					  session->conn->il->loop);
	}
	session->attached = true;
}

static void detach(struct iscsi_session *session)
{
	for (unsigned i = 0; session->attached && i < session->nluns; i++) {
		if (session->luns[i].nexus.lu)
			scsi_nexus_detach(&session->luns[i].nexus);
	}
	session->attached = false;
}

struct iscsi_lun *iscsi_session_lun(struct iscsi_session *session, const uint8_t lun[8])
{
	int number = model_lun_decode(lun);

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

	/* The output queue has been dropped, so only tasks that the device server executes must
	 * stay. */
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
		iscsi_session_unregister(session);
	/* The session is not in the table any more, so end_reason cannot change. The work end
	 * may still have to run. */
	if (session->end_reason && !session->end_ran)
		return false;
	iscsi_session_free(session);
	return true;
}
