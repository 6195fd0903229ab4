/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tasks: SCSI commands with their tags and their data buffers. Passes commands to the device server. Their
 * data are left to gather.c and data_in.c.
 */
#include "iscsi/task.h"

#include <stdlib.h>
#include <string.h>

#include "iscsi/data_in.h"
#include "model/lun.h"
#include "util/contract.h"
#include "util/counter.h"

#define SMALL_BUFFER (64u << 10)
/*
 * The number of tasks of a session that may be answered although their storage hangs. Each of them keeps its
 * memory.
 */
#define EXPIRED_MAX  1024
#define RESERVE_PART 8 /* One eighth of the loop's buffers is reserved for small commands. */

static bool task_data_in(struct scsi_cmd *cmd, uint64_t len)
{
	struct iscsi_task *task = iscsi_task_of(cmd);

	if (!iscsi_task_buffer(task, len))
		return false;
	cmd->iov = &task->iov;
	cmd->iovcnt = 1;
	return true;
}

/* Is also called while the connection is closing; in this case nothing is answered. */
static void task_done(struct scsi_cmd *cmd)
{
	struct iscsi_task *task = iscsi_task_of(cmd);

	contract(task->state == ISCSI_TASK_RUN);
	/* Otherwise the response is sent from memory of the handler, so the LUN is still needed. */
	if (task->lun && cmd->iov != cmd->lent)
		iscsi_task_leave_lun(task);
	if (cmd->no_response || task->expired || task->conn->state == ISCSI_CONN_CLOSING)
		iscsi_task_free(task);
	else
		iscsi_respond(task);
}

static const struct scsi_cmd_ops task_ops = {.data_in = task_data_in, .done = task_done};

/*
 * Returns whether the initiator may have a buffer of this size. All sessions of an initiator together may use
 * as much of the loop's memory as they leave to the others, however many initiators there are. Therefore an
 * initiator that never sends the data of its WRITEs, or never takes the data of its READs, gets TASK SET FULL
 * in the end, and the others do not. Large commands leave a reserve, so that small ones (INQUIRY, TEST UNIT
 * READY, file system metadata) always find a buffer.
 */
static bool initiator_has_room(const struct iscsi_session *session, size_t size)
{
	struct loop *loop = session->conn->il->loop;
	size_t left = loop_buffer_left(loop);
	size_t reserve = size > SMALL_BUFFER ? loop_buffer_limit(loop) / RESERVE_PART : 0;

	return size <= left && session->share_here->buffers.used + size <= left - size &&
	       reserve <= left - size;
}

bool iscsi_task_buffer(struct iscsi_task *task, size_t len)
{
	struct iscsi_session *session = task->conn->session;
	size_t size = loop_buffer_size(len);

	contract(!task->buffer);
	task->buffer =
	    initiator_has_room(session, size)
		? loop_buffer_get_charged(session->conn->il->loop, &session->share_here->buffers, len)
		: NULL;
	task->buffer_len = len;
	task->iov = (struct iovec){task->buffer, len};
	return task->buffer;
}

static struct iscsi_task **bucket(struct iscsi_session *session, uint32_t itt)
{
	/*
	 * Initiators count their tags up, or use the low bits for a slot and the high bits for a generation.
	 */
	return &session->hash[(itt ^ itt >> 16) % ISCSI_TASK_BUCKETS];
}

struct iscsi_task *iscsi_session_task(const struct iscsi_session *session, uint32_t itt)
{
	struct iscsi_task *task = *bucket((struct iscsi_session *)session, itt);

	while (task && task->itt != itt)
		task = task->hash_next;
	return task;
}

static void enter(struct iscsi_session *session, struct iscsi_task *task)
{
	struct iscsi_task **head = bucket(session, task->itt);

	task->hash_next = *head;
	*head = task;
	list_add_tail(&session->tasks, &task->node);
	session->ntasks++;
	session->nimmediate += task->immediate;
	if (task->lun)
		task->lun->ntasks++;
	counter_add(&session->commands, 1);
}

static void free_tag(struct iscsi_session *session, struct iscsi_task *task)
{
	struct iscsi_task **link = bucket(session, task->itt);

	while (*link != task)
		link = &(*link)->hash_next;
	*link = task->hash_next;
}

static void leave(struct iscsi_session *session, struct iscsi_task *task)
{
	if (task->expired)
		session->nexpired--;
	else
		free_tag(session, task);
	list_del(&task->node);
	session->ntasks--;
	session->nimmediate -= task->immediate;
}

/* Prepares the device server's part of the task. */
static void init_cmd(struct iscsi_task *task, const struct iscsi_scsi_command *pdu)
{
	struct scsi_cmd *cmd = &task->cmd;

	memcpy(task->cdb, pdu->cdb, sizeof(task->cdb));
	scsi_cmd_init(cmd, &task_ops, task->lun ? task->lun->nexus.lu : NULL,
		      task->lun ? &task->lun->nexus : NULL, &task->conn->session->it_nexus,
		      task->conn->il->loop, task->cdb, sizeof(task->cdb));
	scsi_cmd_announce(cmd,
			  task->expects_out  ? SCSI_DATA_OUT
			  : task->expects_in ? SCSI_DATA_IN
					     : SCSI_NO_DATA,
			  task->edtl);
	cmd->account = &task->conn->session->share_here->buffers;
	/*
	 * If there is a data digest, the bytes must not change between the computation of the digest and the
	 * sending.
	 */
	if (!task->conn->params.data_digest)
		scsi_cmd_allow_lending(cmd);
}

struct iscsi_task *iscsi_task_new(struct iscsi_conn *conn)
{
	const struct iscsi_scsi_command *pdu = (const void *)conn->rx.head;
	int number = model_lun_decode(pdu->lun);
	struct iscsi_lun *lun = number < 0 ? NULL : iscsi_lun_find(&conn->session->luns, (unsigned)number);
	struct iscsi_task *task;

	if (!lun && !iscsi_lun_get(conn->session, number, &lun))
		return NULL;
	task = slab_get(&conn->il->tasks);
	if (!task)
		return NULL;
	memset((uint8_t *)task + sizeof(task->cmd), 0, sizeof(*task) - sizeof(task->cmd));
	task->conn = conn;
	task->out.task = task;
	list_init(&task->out.node);
	task->itt = get_be32(pdu->itt);
	task->edtl = get_be32(pdu->edtl);
	memcpy(task->lun_bytes, pdu->lun, sizeof(task->lun_bytes));
	task->lun = lun;
	task->immediate = pdu->opcode & ISCSI_OP_IMMEDIATE;
	task->expects_in = pdu->flags & ISCSI_CMD_READ;
	task->expects_out = pdu->flags & ISCSI_CMD_WRITE;
	init_cmd(task, pdu);
	enter(conn->session, task);
	return task;
}

void iscsi_task_credit(struct iscsi_task *task)
{
	task->conn->max_cmdsn += !task->credited && !task->immediate;
	task->credited = true;
}

void iscsi_task_leave_lun(struct iscsi_task *task)
{
	struct iscsi_lun *lun = task->lun;

	if (!lun)
		return;
	task->lun = NULL;
	lun->ntasks--;
	if (lun->leaving)
		iscsi_conn_wake(task->conn);
}

void iscsi_task_free(struct iscsi_task *task)
{
	struct iscsi_conn *conn = task->conn;

	scsi_drop(&task->cmd);
	if (task->lun)
		iscsi_task_leave_lun(task);
	iscsi_task_credit(task);
	leave(conn->session, task);
	if (task->buffer)
		loop_buffer_put_charged(conn->il->loop, &conn->session->share_here->buffers, task->buffer,
					task->buffer_len);
	free(task->long_cdb);
	slab_put(&conn->il->tasks, task);
	if (!iscsi_session_is_busy(conn->session))
		iscsi_conn_wake(conn);
}

void iscsi_task_drop(struct iscsi_task *task)
{
	contract(task->state == ISCSI_TASK_GATHER);
	scsi_drop(&task->cmd);
	if (iscsi_tx_begun(task->conn, &task->out)) {
		task->state = ISCSI_TASK_DEAD;
		iscsi_task_leave_lun(task);
		return;
	}
	list_del(&task->out.node);
	iscsi_task_free(task);
}

void iscsi_task_expire(struct iscsi_task *task)
{
	struct iscsi_conn *conn = task->conn;
	struct iscsi_session *session = conn->session;
	bool is_answered = conn->state == ISCSI_CONN_FULL && !task->cmd.no_response;

	contract(task->state == ISCSI_TASK_RUN && !task->expired);
	/* A session that has ended gets no new tasks, so their number is limited already. */
	if (session->nexpired >= EXPIRED_MAX && conn->state == ISCSI_CONN_FULL)
		return;
	log_warn(conn->name, "%s: a command (CDB opcode %02xh) took longer than the time limit%s",
		 scsi_lu_name(task->cmd.lu), task->cdb[0],
		 is_answered ? ", and was answered with an error" : "");
	free_tag(session, task);
	task->expired = true;
	session->nexpired++;
	iscsi_task_credit(task);
	if (is_answered)
		iscsi_respond_expired(task);
	/* Task management functions that wait for the command are answered after the command. */
	scsi_expire(&task->cmd);
	iscsi_conn_wake(conn);
}

void iscsi_task_submit(struct iscsi_task *task)
{
	contract(!iscsi_tx_begun(task->conn, &task->out));
	list_del(&task->out.node);
	task->state = ISCSI_TASK_RUN;
	if (task->lun && task->lun->time_limit_ns) {
		task->deadline_ns = loop_now_ns(task->conn->il->loop) + task->lun->time_limit_ns;
		task->cmd.deadline_ns = task->deadline_ns;
	}
	if (task->want) {
		task->cmd.iov = &task->iov;
		task->cmd.iovcnt = 1;
		task->cmd.data_out_len = task->want;
		counter_add(&task->conn->session->write_bytes, task->want);
	}
	scsi_submit(&task->cmd);
}
