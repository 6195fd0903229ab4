/* SPDX-License-Identifier: Apache-2.0 */
/*
 * R2Ts and Data-Out PDUs (RFC 7143 4.2.5.2, 11.7, 11.8). The data begin with an unsolicited sequence. The
 * other sequences are requested by R2Ts, and several of them may be open at the same time. DataPDUInOrder and
 * DataSequenceInOrder are always Yes, so it is known which byte must come next, and any other byte is an
 * error. gather.c decides what happens to a command when its data are complete or wrong.
 */
#include "iscsi/data_out.h"

#include "iscsi/gather.h"
#include "iscsi/task.h"
#include "scsi/sense.h"

/* RFC 7143 11.4.7.2 */
#define SENSE_UNEXPECTED_DATA  SENSE_CODE(SENSE_ABORTED_COMMAND, 0x0c, 0x0c)
#define SENSE_INCORRECT_AMOUNT SENSE_CODE(SENSE_ABORTED_COMMAND, 0x0c, 0x0d)

bool iscsi_r2t_is_open(const struct iscsi_task *task)
{
	/* An R2T that is partly sent will be answered, too. */
	return task->out.cursor.sn + iscsi_tx_begun(task->conn, &task->out) != task->r2t_done;
}

static void next_sequence(struct iscsi_task *task)
{
	uint32_t left = task->pos < task->want ? task->want - task->pos : 0;

	task->seq_sn = 0;
	task->seq_end = task->pos + MIN(left, task->conn->params.max_burst);
}

/* Plans the R2Ts for the remaining data after all unsolicited data have arrived. */
static void solicit(struct iscsi_task *task)
{
	struct iscsi_session *session = task->conn->session;
	uint32_t count = (task->want - task->pos - 1) / task->conn->params.max_burst + 1;

	task->soliciting = true;
	task->out.cursor = (struct iscsi_cursor){.offset = task->pos};
	if (session->next_ttt > ISCSI_TAG_NONE - count)
		session->next_ttt = 0;
	task->ttt = session->next_ttt;
	session->next_ttt += count;
	next_sequence(task);
}

void iscsi_r2t_request(struct iscsi_task *task)
{
	if (!task->soliciting)
		solicit(task);
	if (iscsi_r2t_pending(task, &task->out.cursor))
		iscsi_tx_push(task->conn, &task->out);
}

bool iscsi_r2t_pending(const struct iscsi_task *task, const struct iscsi_cursor *cursor)
{
	return task->state == ISCSI_TASK_GATHER && task->soliciting && !task->verdict &&
	       cursor->offset < task->want &&
	       cursor->sn - task->r2t_done < task->conn->params.max_outstanding_r2t;
}

bool iscsi_r2t_build(const struct iscsi_task *task, struct iscsi_tx_pdu *pdu)
{
	struct iscsi_r2t *r2t = (struct iscsi_r2t *)pdu->head;
	uint32_t len;

	if (!iscsi_r2t_pending(task, &pdu->after))
		return false;
	len = MIN(task->conn->params.max_burst, task->want - pdu->after.offset);
	memset(r2t, 0, sizeof(*r2t));
	r2t->opcode = ISCSI_OP_R2T;
	r2t->flags = ISCSI_FINAL;
	memcpy(r2t->lun, task->lun_bytes, sizeof(r2t->lun));
	put_be32(r2t->itt, task->itt);
	put_be32(r2t->ttt, task->ttt + pdu->after.sn);
	put_be32(r2t->r2tsn, pdu->after.sn);
	put_be32(r2t->offset, pdu->after.offset);
	put_be32(r2t->desired, len);
	pdu->after.offset += len;
	pdu->after.sn++;
	pdu->data_len = 0;
	pdu->last = !iscsi_r2t_pending(task, &pdu->after);
	return true;
}

/* --- Data-Out PDUs ---------------------------------------------------------------------------- */

/* Returns whether the PDU belongs to the sequence that must come next. */
static bool in_sequence(const struct iscsi_task *task, const struct iscsi_data_out *pdu)
{
	uint32_t ttt = get_be32(pdu->ttt);

	if (task->unsolicited)
		return ttt == ISCSI_TAG_NONE;
	return task->soliciting && ttt == task->ttt + task->r2t_done && task->out.cursor.sn != task->r2t_done;
}

/* Returns the sense code for the error in the PDU, or SENSE_NONE if the PDU is correct. */
static uint32_t fault(const struct iscsi_task *task, const struct iscsi_data_out *pdu, uint32_t len)
{
	bool final = pdu->flags & ISCSI_FINAL;

	if (!in_sequence(task, pdu))
		return SENSE_UNEXPECTED_DATA;
	if (get_be32(pdu->datasn) != task->seq_sn || get_be32(pdu->offset) != task->pos ||
	    task->pos > task->seq_end || len > task->seq_end - task->pos)
		return SENSE_INCORRECT_AMOUNT;
	if (final && !task->unsolicited && task->pos + len != task->seq_end)
		return SENSE_INCORRECT_AMOUNT; /* The sequence has less data than the R2T has requested. */
	return SENSE_NONE;
}

/*
 * Returns whether this PDU ends the sequence of the R2T that must be answered next, although its Target
 * Transfer Tag is wrong. The initiator then sends nothing more for the R2T, so the command fails and must not
 * wait.
 */
static bool ends_a_sequence(const struct iscsi_task *task, const struct iscsi_data_out *pdu)
{
	return task->verdict && get_be32(pdu->ttt) != ISCSI_TAG_NONE && !task->unsolicited &&
	       iscsi_r2t_is_open(task);
}

bool iscsi_data_out_begin(struct iscsi_conn *conn)
{
	const struct iscsi_data_out *pdu = (const void *)conn->rx.head;
	struct iscsi_task *task = iscsi_session_task(conn->session, get_be32(pdu->itt));
	uint32_t len = conn->rx.data_len, keep;
	uint32_t sense;

	/* Data of a task that was aborted or answered may still arrive. It is dropped (RFC 7143 4.2.5.2). */
	if (!task || task->state != ISCSI_TASK_GATHER)
		return true;
	conn->rx.task = task;
	if (task->verdict == 0) {
		sense = fault(task, pdu, len);
		if (sense != SENSE_NONE) {
			task->verdict = SCSI_CHECK_CONDITION;
			task->verdict_sense = sense;
			return true;
		}
		keep = task->pos < task->want ? MIN(len, task->want - task->pos) : 0;
		if (keep)
			iscsi_rx_store(conn, (uint8_t *)task->buffer + task->pos, keep);
	}
	return true;
}

bool iscsi_data_out_end(struct iscsi_conn *conn)
{
	const struct iscsi_data_out *pdu = (const void *)conn->rx.head;
	struct iscsi_task *task = conn->rx.task;

	if (!task)
		return true;
	task->pos += conn->rx.data_len;
	conn->gather.bytes += conn->rx.data_len;
	task->seq_sn++;
	if ((pdu->flags & ISCSI_FINAL) && (in_sequence(task, pdu) || ends_a_sequence(task, pdu))) {
		if (task->unsolicited) {
			task->unsolicited = false;
		} else {
			task->r2t_done++;
			next_sequence(task);
		}
	}
	iscsi_gather_next(task);
	return conn->state != ISCSI_CONN_CLOSING;
}
