/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Task management (RFC 7143 11.5, 11.6; SAM-5 7). Tasks of this session that wait for data end
 * here. The device server ends all other tasks. The function is answered when none of these tasks
 * is in flight.
 */
#include "iscsi/tmf.h"

#include <stdlib.h>

#include "iscsi/session_table.h"
#include "iscsi/task.h"

/* Functions that a session may have in progress; they are immediate, so the CmdSN window does
 * not bound them. */
#define TMF_MAX 32

static void tmf_done(struct scsi_tmf *scsi)
{
	iscsi_tmf_run(container_of(scsi, struct iscsi_tmf, scsi));
}

static void submit(struct iscsi_tmf *tmf, struct iscsi_lun *lun)
{
	tmf->scsi.function = tmf->function;
	tmf->scsi.lu = lun->nexus.lu;
	tmf->scsi.nexus = &lun->nexus;
	tmf->scsi.task = tmf->task ? &tmf->task->cmd : NULL;
	tmf->scsi.loop = tmf->conn->il->loop;
	tmf->scsi.done = tmf_done;
	tmf->conn->session->ntmfs++;
	scsi_tmf_submit(&tmf->scsi);
}

void iscsi_tmf_run(struct iscsi_tmf *tmf)
{
	struct iscsi_session *session = tmf->conn->session;

	if (tmf->started)
		session->ntmfs--;
	tmf->started = false;
	while (tmf->lun < tmf->end) {
		struct iscsi_lun *lun = &session->luns[tmf->lun++];

		if (!lun->nexus.lu || (tmf->busy_only && !lun->running))
			continue;
		tmf->started = true;
		submit(tmf, lun);
		return;
	}
	tmf->over(tmf);
}

static void answer(struct iscsi_conn *conn, const uint8_t itt[4], enum iscsi_tmf_answer response)
{
	struct iscsi_message *message = iscsi_message_new(conn, ISCSI_OP_TASK_MGMT_RSP, 0);
	struct iscsi_tmf_response *rsp;

	if (!message)
		return;
	rsp = (struct iscsi_tmf_response *)message->bhs;
	rsp->response = (uint8_t)response;
	memcpy(rsp->itt, itt, sizeof(rsp->itt));
	iscsi_message_send(conn, message);
}

static void request_over(struct iscsi_tmf *tmf)
{
	struct iscsi_conn *conn = tmf->conn;

	if (conn->state != ISCSI_CONN_CLOSING) {
		answer(conn, tmf->itt, ISCSI_TMF_COMPLETE);
		if (tmf->cold) { /* 11.5.1: all connections to all initiators end */
			iscsi_session_end_others(conn->session);
			iscsi_conn_finish(conn);
		}
	}
	iscsi_conn_wake(conn);
	free(tmf);
}

/* Runs function on the LUNs from first to end - 1 for the request that is being received. */
static void start(struct iscsi_conn *conn, enum scsi_tmf_function function, unsigned first, unsigned end,
		  struct iscsi_task *task)
{
	const struct iscsi_tmf_request *pdu = (const void *)conn->rx.head;
	struct iscsi_tmf *tmf = conn->session->ntmfs < TMF_MAX ? calloc(1, sizeof(*tmf)) : NULL;

	if (!tmf) {
		answer(conn, pdu->itt, ISCSI_TMF_REJECTED);
		return;
	}
	tmf->conn = conn;
	tmf->function = function;
	tmf->task = task;
	tmf->lun = first;
	tmf->end = end;
	tmf->cold = (pdu->function & ~ISCSI_FINAL) == ISCSI_TMF_COLD_RESET;
	memcpy(tmf->itt, pdu->itt, sizeof(tmf->itt));
	tmf->over = request_over;
	iscsi_tmf_run(tmf);
}

/* Ends tasks of lun, or of all LUNs if it is NULL, that wait for data or for an earlier CmdSN,
 * without a response. Data-Out that the initiator still sends for them (4.2.3.3) finds no task
 * and is dropped. */
static void drop_waiting(struct iscsi_session *session, const struct iscsi_lun *lun)
{
	const struct iscsi_tmf_request *pdu = (const void *)session->conn->rx.head;
	struct list *node, *tmp;

	list_for_each (&session->tasks, node, tmp) {
		struct iscsi_task *task = list_entry(node, struct iscsi_task, node);

		if (task->state == ISCSI_TASK_GATHER && (!lun || task->lun == lun))
			iscsi_task_drop(task);
	}
	iscsi_hold_abort_all(session, lun, get_be32(pdu->cmdsn));
}

static void abort_task(struct iscsi_conn *conn, const struct iscsi_lun *lun)
{
	const struct iscsi_tmf_request *pdu = (const void *)conn->rx.head;
	struct iscsi_task *task = iscsi_session_task(conn->session, get_be32(pdu->ref_task_tag));
	unsigned number;

	if (!task || task->lun != lun) {
		/* A command that was lost or is held counts as received and aborted (11.6.1). */
		bool lost = !task && (iscsi_hold_abort(conn->session, get_be32(pdu->ref_task_tag)) ||
				      iscsi_hold_number(conn, get_be32(pdu->ref_cmdsn)));

		answer(conn, pdu->itt, lost ? ISCSI_TMF_COMPLETE : ISCSI_TMF_NO_TASK);
		return;
	}
	if (task->state == ISCSI_TASK_RUN) {
		number = (unsigned)(lun - conn->session->luns);
		start(conn, SCSI_ABORT_TASK, number, number + 1, task);
		return;
	}
	if (task->state != ISCSI_TASK_GATHER) {
		answer(conn, pdu->itt,
		       ISCSI_TMF_NO_TASK); /* the task has ended, and its response is sent first */
		return;
	}
	iscsi_task_drop(task);
	answer(conn, pdu->itt, ISCSI_TMF_COMPLETE);
}

static void on_lun(struct iscsi_conn *conn, enum scsi_tmf_function function, const struct iscsi_lun *lun)
{
	unsigned number = (unsigned)(lun - conn->session->luns);

	drop_waiting(conn->session, lun);
	start(conn, function, number, number + 1, NULL);
}

static void execute(struct iscsi_conn *conn)
{
	const struct iscsi_tmf_request *pdu = (const void *)conn->rx.head;
	struct iscsi_session *session = conn->session;
	const struct iscsi_lun *lun = iscsi_session_lun(session, pdu->lun);
	uint8_t function = pdu->function & ~ISCSI_FINAL;
	bool has_lun = function <= ISCSI_TMF_LU_RESET && function != ISCSI_TMF_CLEAR_ACA;

	if (has_lun && !lun) {
		answer(conn, pdu->itt, ISCSI_TMF_NO_LUN);
		return;
	}
	switch (function) {
	case ISCSI_TMF_ABORT_TASK:
		abort_task(conn, lun);
		return;
	case ISCSI_TMF_ABORT_TASK_SET:
		on_lun(conn, SCSI_ABORT_TASK_SET, lun);
		return;
	case ISCSI_TMF_CLEAR_TASK_SET:
		on_lun(conn, SCSI_CLEAR_TASK_SET, lun);
		return;
	case ISCSI_TMF_LU_RESET:
		on_lun(conn, SCSI_LU_RESET, lun);
		return;
	case ISCSI_TMF_COLD_RESET:
		/* It would let each initiator end the sessions of all others. */
		if (!session->target->cold_reset) {
			answer(conn, pdu->itt, ISCSI_TMF_NOT_SUPPORTED);
			return;
		}
		/* fall through */
	case ISCSI_TMF_WARM_RESET:
		drop_waiting(session, NULL);
		start(conn, SCSI_LU_RESET, 0, session->nluns, NULL);
		return;
	case ISCSI_TMF_REASSIGN: /* ErrorRecoveryLevel 2 */
		answer(conn, pdu->itt, ISCSI_TMF_NO_REASSIGN);
		return;
	default:
		answer(conn, pdu->itt, ISCSI_TMF_NOT_SUPPORTED);
	}
}

bool iscsi_tmf_pdu(struct iscsi_conn *conn)
{
	execute(conn);
	return conn->state != ISCSI_CONN_CLOSING;
}
