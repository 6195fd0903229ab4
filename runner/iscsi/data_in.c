/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sends the responses to commands: Data-In PDUs, of which the last one contains the status, or a SCSI
 * Response (RFC 7143 11.4, 11.7). tx.c decides when they are sent.
 */
#include "iscsi/data_in.h"

#include "iscsi/task.h"
#include "scsi/sense.h"
#include "util/counter.h"

/*
 * Sets the residual count: the difference between the transfer and the length that the initiator expects (RFC
 * 7143 11.4.5).
 */
static void set_residual(struct iscsi_task *task)
{
	const struct scsi_cmd *cmd = &task->cmd;
	bool in = cmd->direction == SCSI_DATA_IN;
	bool same_way = in ? task->expects_in : task->expects_out;
	uint64_t moves = in ? cmd->data_in_len : cmd->direction == SCSI_DATA_OUT ? cmd->transfer_len : 0;

	if (task->edtl && !same_way)
		moves = 0; /* No data is transferred in the direction that the initiator expects. */
	if (moves > task->edtl) {
		task->residual_flags = ISCSI_RSP_OVERFLOW;
		task->residual = (uint32_t)MIN(moves - task->edtl, UINT32_MAX);
	} else if (moves < task->edtl) {
		task->residual_flags = ISCSI_RSP_UNDERFLOW;
		task->residual = (uint32_t)(task->edtl - moves);
	}
}

void iscsi_respond(struct iscsi_task *task)
{
	const struct scsi_cmd *cmd = &task->cmd;

	task->state = ISCSI_TASK_SEND;
	task->r2t_count = task->out.cursor.sn;
	task->out.cursor = (struct iscsi_cursor){0};
	if (cmd->direction == SCSI_DATA_IN && task->expects_in)
		task->send_len = (uint32_t)MIN(cmd->data_in_len, task->edtl);
	put_be16(task->sense_len, cmd->sense_len);
	set_residual(task);
	task->conn->tx.fresh_bytes += task->send_len;
	if (task->send_len)
		counter_add(&task->conn->session->read_bytes, task->send_len);
	iscsi_tx_push(task->conn, &task->out);
}

void iscsi_respond_expired(const struct iscsi_task *task)
{
	struct scsi_cmd cmd = {.gate_seen = task->cmd.gate_seen};
	struct iscsi_message *message;
	struct iscsi_scsi_response *rsp;

	if (task->cmd.aborted)
		cmd.status = SCSI_TASK_ABORTED;
	else
		scsi_check(&cmd, SENSE_COMMAND_TIMEOUT);
	message = iscsi_message_new(task->conn, ISCSI_OP_SCSI_RESPONSE,
				    cmd.sense_len ? (uint32_t)sizeof(task->sense_len) + cmd.sense_len : 0);
	if (!message)
		return;
	rsp = (struct iscsi_scsi_response *)message->bhs;
	rsp->status = cmd.status;
	rsp->flags |= task->edtl ? ISCSI_RSP_UNDERFLOW : 0;
	put_be32(rsp->itt, task->itt);
	put_be32(rsp->exp_datasn, task->out.cursor.sn);
	put_be32(rsp->residual, task->edtl);
	if (cmd.sense_len) {
		put_be16(message->data, cmd.sense_len);
		memcpy(message->data + sizeof(task->sense_len), cmd.sense, cmd.sense_len);
	}
	iscsi_message_send(task->conn, message);
}

static void build_response(struct iscsi_task *task, struct iscsi_tx_pdu *pdu)
{
	struct iscsi_scsi_response *rsp = (struct iscsi_scsi_response *)pdu->head;

	memset(rsp, 0, sizeof(*rsp));
	rsp->opcode = ISCSI_OP_SCSI_RESPONSE;
	rsp->flags = ISCSI_FINAL | task->residual_flags;
	rsp->status = task->cmd.status;
	put_be32(rsp->itt, task->itt);
	put_be32(rsp->exp_datasn, pdu->after.sn + task->r2t_count);
	put_be32(rsp->residual, task->residual);
	pdu->data_len = task->cmd.sense_len ? (uint32_t)sizeof(task->sense_len) + task->cmd.sense_len : 0;
	pdu->last = true;
}

static void build_data_in(struct iscsi_task *task, struct iscsi_tx_pdu *pdu)
{
	const struct iscsi_params *params = &task->conn->params;
	struct iscsi_data_in *din = (struct iscsi_data_in *)pdu->head;
	uint32_t offset = pdu->after.offset;
	uint32_t burst_left = params->max_burst - offset % params->max_burst;
	uint32_t left = task->send_len - offset;
	uint32_t len = MIN(MIN(left, burst_left), params->max_xmit_data_segment);

	memset(din, 0, sizeof(*din));
	din->opcode = ISCSI_OP_DATA_IN;
	put_be32(din->itt, task->itt);
	put_be32(din->ttt, ISCSI_TAG_NONE);
	put_be32(din->datasn, pdu->after.sn);
	put_be32(din->offset, offset);
	if (len == left || len == burst_left)
		din->flags = ISCSI_FINAL;
	if (len == left && task->cmd.status == SCSI_GOOD) {
		din->flags |= ISCSI_DATA_IN_STATUS | task->residual_flags;
		put_be32(din->residual, task->residual);
		pdu->last = true;
	}
	pdu->data_len = len;
	pdu->after.offset += len;
	pdu->after.sn++;
}

void iscsi_response_build(struct iscsi_task *task, struct iscsi_tx_pdu *pdu, uint32_t statsn)
{
	pdu->last = false;
	if (pdu->after.offset < task->send_len)
		build_data_in(task, pdu);
	else
		build_response(task, pdu);
	pdu->statsn_after = statsn;
	if (pdu->last) {
		put_be32(pdu->head + offsetof(struct iscsi_bhs, sn), statsn);
		pdu->statsn_after = statsn + 1;
		iscsi_task_credit(task);
	}
}
