/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Gathers the data that a command needs before it runs. A READ passes through here as well, and needs no
 * data. data_out.c requests and receives the data. If a command cannot run, because a PDU was wrong or there
 * is no buffer, it is answered with its verdict as soon as the initiator has sent the last PDU of all its
 * sequences (RFC 7143 11.17.1).
 */
#include "iscsi/gather.h"

#include "iscsi/data_in.h"
#include "iscsi/data_out.h"
#include "iscsi/task.h"
#include "scsi/sense.h"

/*
 * An initiator that sends this much Data-Out within the time limit makes progress, however slow its network
 * is.
 */
#define PROGRESS_BYTES (1u << 20)

void iscsi_gather_begin(struct iscsi_task *task, uint32_t immediate_len, bool final)
{
	task->want = (uint32_t)task->cmd.gather_len;
	if (task->want && !iscsi_task_buffer(task, task->want)) {
		task->verdict = SCSI_TASK_SET_FULL;
		task->want = 0;
	}
	task->pos = immediate_len;
	task->unsolicited = task->expects_out && !final;
	task->seq_end = MIN(task->conn->params.first_burst, task->edtl);
}

/* Answers a command that does not run with its verdict. */
static void answer_verdict(struct iscsi_task *task)
{
	task->cmd.status = task->verdict;
	if (task->verdict == SCSI_CHECK_CONDITION)
		scsi_check(&task->cmd, task->verdict_sense);
	list_del(&task->out.node);
	scsi_drop(&task->cmd);
	iscsi_task_leave_lun(task);
	iscsi_respond(task);
}

void iscsi_gather_next(struct iscsi_task *task)
{
	if (task->unsolicited)
		return;
	if (task->verdict) {
		if (!iscsi_r2t_is_open(task))
			answer_verdict(task);
		return;
	}
	if (task->pos < task->want) {
		iscsi_r2t_request(task);
		return;
	}
	task->conn->gather.nfinished++;
	iscsi_task_submit(task);
}

void iscsi_gather_refuse(struct iscsi_task *task, uint32_t sense)
{
	scsi_drop(&task->cmd);
	task->cmd.lu = NULL;
	task->cmd.nexus = NULL;
	iscsi_task_leave_lun(task);
	if (!task->verdict) {
		task->verdict = SCSI_CHECK_CONDITION;
		task->verdict_sense = sense;
	}
	/* Otherwise the end of the PDU that is being received continues with the task. */
	if (task->conn->rx.task != task)
		iscsi_gather_next(task);
}

static bool is_gathering(const struct iscsi_session *session)
{
	struct list *node, *tmp;

	list_for_each (&session->tasks, node, tmp)
		if (list_entry(node, struct iscsi_task, node)->state == ISCSI_TASK_GATHER)
			return true;
	return false;
}

bool iscsi_gather_is_stalled(struct iscsi_conn *conn)
{
	struct iscsi_gather *gather = &conn->gather;
	uint64_t now = loop_now_ns(conn->il->loop);
	uint64_t limit = conn->nopin_timeout_s * NS_PER_S;

	if (!is_gathering(conn->session) || gather->nfinished != gather->seen_finished ||
	    gather->bytes - gather->seen_bytes >= PROGRESS_BYTES || !gather->seen_ns) {
		gather->seen_finished = gather->nfinished;
		gather->seen_bytes = gather->bytes;
		gather->seen_ns = is_gathering(conn->session) ? now : 0;
		return false;
	}
	return now - gather->seen_ns >= limit;
}

/*
 * The time is counted while the initiator has to send data, either unsolicited or for an R2T that was sent.
 * It is not counted while the daemon does not read because its own output waits, because the daemon cannot
 * know then what has arrived. Periods are counted, and not the time itself: if the daemon was stopped or its
 * machine was paused, the data may have arrived meanwhile and not be read yet.
 */
bool iscsi_gather_is_overdue(struct iscsi_task *task, uint64_t period_ns)
{
	const struct iscsi_conn *conn = task->conn;
	bool waits = task->state == ISCSI_TASK_GATHER && (task->unsolicited || iscsi_r2t_is_open(task)) &&
		     !conn->rx.paused;

	if (!waits || task->pos != task->seen_pos) {
		task->seen_pos = task->pos;
		task->waited_ns = 0;
		return false;
	}
	/* The command may have begun to wait in the middle of its first period. */
	task->waited_ns += period_ns;
	return task->waited_ns > conn->dataout_timeout_s * NS_PER_S;
}
