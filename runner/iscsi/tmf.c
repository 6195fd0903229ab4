/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Task management (RFC 7143 11.5, 11.6; SAM-5 7). Tasks of this session that wait for data are ended here,
 * and the device server ends all other tasks. The function is answered when none of these tasks is in flight
 * any more.
 */
#include "iscsi/tmf.h"

#include <stdlib.h>

#include "iscsi/session_table.h"
#include "iscsi/task.h"
#include "iscsi/work.h"
#include "model/lun.h"

/*
 * The number of functions that a session may have in progress. They are immediate, so the CmdSN window does
 * not limit them.
 */
#define TMF_MAX 32

struct iscsi_tmf;

/* The part of a task management function that concerns one nexus. */
struct part {
	struct scsi_tmf scsi;
	struct iscsi_tmf *tmf;
	/* The LUN stays in memory, because it counts the functions that use it. */
	struct iscsi_lun *lun;
};

/* A task management function in progress, on one LUN or on all LUNs of the session at the same time. */
struct iscsi_tmf {
	struct iscsi_conn *conn;
	/* The number of parts that have not ended. */
	unsigned pending;
	/* Whether the function is for all LUNs, and whether it is TARGET COLD RESET. */
	bool all, cold;
	uint8_t itt[4];
	unsigned nparts;
	struct part parts[];
};

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

static void over(struct iscsi_tmf *tmf)
{
	struct iscsi_conn *conn = tmf->conn;

	conn->session->ntmfs--;
	if (tmf->all)
		conn->session->resets_all = false;
	if (conn->state != ISCSI_CONN_CLOSING) {
		answer(conn, tmf->itt, ISCSI_TMF_COMPLETE);
		if (tmf->cold) { /* RFC 7143 11.5.1: all connections to all initiators must end. */
			iscsi_session_end_others(conn->session);
			iscsi_conn_finish(conn);
		}
	}
	iscsi_conn_wake(conn);
	free(tmf);
}

static void part_over(struct iscsi_tmf *tmf)
{
	if (!--tmf->pending)
		over(tmf);
}

static void part_done(struct scsi_tmf *scsi)
{
	struct part *part = container_of(scsi, struct part, scsi);

	part->lun->ntmfs--;
	part_over(part->tmf);
}

/*
 * Makes a function with up to max parts for the request that is being received. Returns NULL if the request
 * was answered.
 */
static struct iscsi_tmf *new_tmf(struct iscsi_conn *conn, unsigned max)
{
	const struct iscsi_tmf_request *pdu = (const void *)conn->rx.head;
	size_t size = sizeof(struct iscsi_tmf) + max * sizeof(struct part);
	struct iscsi_tmf *tmf = conn->session->ntmfs < TMF_MAX ? calloc(1, size) : NULL;

	if (!tmf) {
		answer(conn, pdu->itt, ISCSI_TMF_REJECTED);
		return NULL;
	}
	tmf->conn = conn;
	tmf->cold = (pdu->function & ~ISCSI_FINAL) == ISCSI_TMF_COLD_RESET;
	memcpy(tmf->itt, pdu->itt, sizeof(tmf->itt));
	return tmf;
}

static void add_part(struct iscsi_tmf *tmf, enum scsi_tmf_function function, struct iscsi_lun *lun,
		     struct iscsi_task *task)
{
	struct part *part = &tmf->parts[tmf->nparts++];

	part->tmf = tmf;
	part->lun = lun;
	part->scsi = (struct scsi_tmf){
	    .function = function,
	    .lu = lun->nexus.lu,
	    .nexus = &lun->nexus,
	    .task = task ? &task->cmd : NULL,
	    .loop = tmf->conn->il->loop,
	    .done = part_done,
	};
}

static bool has_number(const struct iscsi_lun *lun, int number)
{
	return number < 0 || lun->number == (unsigned)number;
}

static unsigned count_leaving(const struct iscsi_luns *luns, int number)
{
	struct list *node, *tmp;
	unsigned n = 0;

	list_for_each (&luns->leaving, node, tmp)
		n += has_number(list_entry(node, struct iscsi_lun, node), number);
	return n;
}

/*
 * Adds nexuses that have left the map. They may still execute commands, which the initiator knows under the
 * number of the LUN.
 */
static void add_leaving(struct iscsi_tmf *tmf, int number)
{
	struct list *node, *tmp;

	list_for_each (&tmf->conn->session->luns.leaving, node, tmp) {
		struct iscsi_lun *lun = list_entry(node, struct iscsi_lun, node);

		if (has_number(lun, number))
			add_part(tmf, SCSI_ABORT_TASK_SET, lun, NULL);
	}
}

/*
 * Starts all parts at the same time, so that no part affects commands that arrive after the request. A part
 * may end at once.
 */
static void run(struct iscsi_tmf *tmf)
{
	tmf->conn->session->ntmfs++;
	tmf->pending = tmf->nparts + 1;
	for (unsigned i = 0; i < tmf->nparts; i++)
		tmf->parts[i].lun->ntmfs++;
	for (unsigned i = 0; i < tmf->nparts; i++)
		scsi_tmf_submit(&tmf->parts[i].scsi);
	part_over(tmf);
}

/*
 * Ends tasks that wait for data or for an earlier CmdSN, without a response: those of the LUN with this
 * number, or those of all LUNs if it is negative. If the initiator still sends Data-Out for them (RFC 7143
 * 4.2.3.3), no task is found, and the data are dropped.
 */
static void drop_waiting(struct iscsi_session *session, int number)
{
	const struct iscsi_tmf_request *pdu = (const void *)session->conn->rx.head;
	struct list *node, *tmp;

	list_for_each (&session->tasks, node, tmp) {
		struct iscsi_task *task = list_entry(node, struct iscsi_task, node);

		if (task->state == ISCSI_TASK_GATHER &&
		    (number < 0 || model_lun_decode(task->lun_bytes) == number))
			iscsi_task_drop(task);
	}
	iscsi_hold_abort_all(session, number, get_be32(pdu->cmdsn));
}

/* Aborts a task of this LUN. Its nexus may have left the session's map already. */
static void abort_this(struct iscsi_conn *conn, struct iscsi_task *task)
{
	const struct iscsi_tmf_request *pdu = (const void *)conn->rx.head;

	if (task->state == ISCSI_TASK_RUN) {
		struct iscsi_tmf *tmf = new_tmf(conn, 1);

		if (tmf) {
			add_part(tmf, SCSI_ABORT_TASK, task->lun, task);
			run(tmf);
		}
		return;
	}
	if (task->state != ISCSI_TASK_GATHER) {
		answer(conn, pdu->itt,
		       /* The task has ended, and its response is sent before this answer. */
		       ISCSI_TMF_NO_TASK);
		return;
	}
	iscsi_task_drop(task);
	answer(conn, pdu->itt, ISCSI_TMF_COMPLETE);
}

/*
 * Handles ABORT TASK for a task that does not exist. A command that was lost, or that is held, counts as
 * received and aborted (RFC 7143 11.6.1).
 */
static void abort_missing(struct iscsi_conn *conn)
{
	const struct iscsi_tmf_request *pdu = (const void *)conn->rx.head;
	bool lost = iscsi_hold_abort(conn->session, get_be32(pdu->ref_task_tag)) ||
		    iscsi_hold_number(conn, get_be32(pdu->ref_cmdsn));

	answer(conn, pdu->itt, lost ? ISCSI_TMF_COMPLETE : ISCSI_TMF_NO_TASK);
}

static void abort_task(struct iscsi_conn *conn, int number)
{
	const struct iscsi_tmf_request *pdu = (const void *)conn->rx.head;
	struct iscsi_task *task = iscsi_session_task(conn->session, get_be32(pdu->ref_task_tag));

	if (task && model_lun_decode(task->lun_bytes) == number)
		abort_this(conn, task);
	else if (number < 0 || !model_map_entry(conn->session->luns.map, (unsigned)number))
		answer(conn, pdu->itt, ISCSI_TMF_NO_LUN);
	else if (task)
		answer(conn, pdu->itt, ISCSI_TMF_NO_TASK);
	else
		abort_missing(conn);
}

static void on_lun(struct iscsi_conn *conn, enum scsi_tmf_function function, int number)
{
	const struct iscsi_tmf_request *pdu = (const void *)conn->rx.head;
	unsigned nleaving = count_leaving(&conn->session->luns, number);
	struct iscsi_tmf *tmf;
	struct iscsi_lun *lun;

	if (!iscsi_lun_get(conn->session, number, &lun)) {
		answer(conn, pdu->itt, ISCSI_TMF_REJECTED);
		return;
	}
	if (number < 0 || (!lun && !nleaving)) {
		answer(conn, pdu->itt, ISCSI_TMF_NO_LUN);
		return;
	}
	tmf = new_tmf(conn, nleaving + 1);
	if (!tmf)
		return;
	drop_waiting(conn->session, number);
	add_leaving(tmf, number);
	if (lun)
		add_part(tmf, function, lun, NULL);
	run(tmf);
}

/*
 * Attaches a nexus to each LUN that the session has not used yet, because a reset concerns these LUNs, too.
 */
static bool add_all(struct iscsi_tmf *tmf, enum scsi_tmf_function function)
{
	struct iscsi_session *session = tmf->conn->session;
	struct iscsi_lun *lun;
	int number = -1;

	while ((number = model_map_next(session->luns.map, (unsigned)(number + 1))) >= 0) {
		if (!iscsi_lun_get(session, number, &lun))
			return false;
		add_part(tmf, function, lun, NULL);
	}
	return true;
}

static void on_all_luns(struct iscsi_conn *conn, enum scsi_tmf_function function)
{
	const struct iscsi_tmf_request *pdu = (const void *)conn->rx.head;
	struct iscsi_session *session = conn->session;
	struct iscsi_tmf *tmf;

	/* A function for all LUNs may be as much work as thousands of other requests. */
	if (session->resets_all) {
		answer(conn, pdu->itt, ISCSI_TMF_REJECTED);
		return;
	}
	tmf = new_tmf(conn, count_leaving(&session->luns, -1) + model_map_count(session->luns.map));
	if (!tmf)
		return;
	tmf->all = session->resets_all = true;
	add_leaving(tmf, -1);
	if (!add_all(tmf, function)) {
		answer(conn, tmf->itt, ISCSI_TMF_REJECTED);
		session->resets_all = false;
		free(tmf);
		return;
	}
	iscsi_work_add(conn, tmf->nparts);
	drop_waiting(session, -1);
	run(tmf);
}

static void execute(struct iscsi_conn *conn)
{
	const struct iscsi_tmf_request *pdu = (const void *)conn->rx.head;
	int number = model_lun_decode(pdu->lun);

	switch (pdu->function & ~ISCSI_FINAL) {
	case ISCSI_TMF_ABORT_TASK:
		abort_task(conn, number);
		return;
	case ISCSI_TMF_ABORT_TASK_SET:
		on_lun(conn, SCSI_ABORT_TASK_SET, number);
		return;
	case ISCSI_TMF_CLEAR_TASK_SET:
		on_lun(conn, SCSI_CLEAR_TASK_SET, number);
		return;
	case ISCSI_TMF_LU_RESET:
		on_lun(conn, SCSI_LU_RESET, number);
		return;
	case ISCSI_TMF_COLD_RESET:
		/* With TARGET COLD RESET, every initiator could end the sessions of all others. */
		if (!conn->session->cold_reset) {
			answer(conn, pdu->itt, ISCSI_TMF_NOT_SUPPORTED);
			return;
		}
		/* fall through */
	case ISCSI_TMF_WARM_RESET:
		on_all_luns(conn, SCSI_LU_RESET);
		return;
	case ISCSI_TMF_REASSIGN: /* TASK REASSIGN needs ErrorRecoveryLevel 2. */
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
