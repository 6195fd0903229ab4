/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SCSI Command PDUs (RFC 7143 11.3): checks a PDU and makes a task for it. The data of the command are left
 * to gather.c, and its execution to the device server.
 */
#include "iscsi/command.h"

#include <stdlib.h>
#include <string.h>

#include "iscsi/gather.h"
#include "iscsi/reject.h"
#include "iscsi/task.h"

/*
 * The number of immediate commands that a session may have at a time, because the CmdSN window does not limit
 * them.
 */
#define IMMEDIATE_MAX 32

/* Finds an extended CDB (RFC 7143 11.2.2.2). Returns 0, or the reason why the command is refused. */
static enum iscsi_reject_reason scan_ahs(const struct iscsi_conn *conn, const struct iscsi_ahs **extended)
{
	const uint8_t *p = conn->rx.head + ISCSI_BHS_LEN;
	uint32_t left = conn->rx.ahs_len;

	*extended = NULL;
	while (left) {
		const struct iscsi_ahs *ahs = (const void *)p;
		/* AHSLength counts the bytes after AHSType, beginning with the AHS-Specific byte. */
		uint32_t size = (get_be16(ahs->len) + 3u + 3u) & ~3u;

		if (size > left || !get_be16(ahs->len))
			return ISCSI_REJECT_PROTOCOL;
		if (ahs->type == ISCSI_AHS_BIDI_READ)
			return ISCSI_REJECT_NOT_SUPPORTED;
		if (ahs->type != ISCSI_AHS_EXTENDED_CDB || *extended)
			return ISCSI_REJECT_INVALID_FIELD;
		*extended = ahs;
		p += size;
		left -= size;
	}
	if (*extended && get_be16((*extended)->len) - 1u + 16u > SCSI_CDB_MAX)
		return ISCSI_REJECT_INVALID_FIELD;
	return 0;
}

static enum iscsi_reject_reason check_data(const struct iscsi_conn *conn,
					   const struct iscsi_scsi_command *pdu)
{
	uint32_t len = conn->rx.data_len;

	if (pdu->flags & ISCSI_CMD_WRITE) {
		if (pdu->flags & ISCSI_CMD_READ)
			return ISCSI_REJECT_NOT_SUPPORTED; /* bidirectional */
		if (!(pdu->flags & ISCSI_FINAL) && conn->params.initial_r2t)
			return ISCSI_REJECT_PROTOCOL;
		if (len > MIN(conn->params.first_burst, get_be32(pdu->edtl)))
			return ISCSI_REJECT_PROTOCOL;
		return len && !conn->params.immediate_data ? ISCSI_REJECT_PROTOCOL : 0;
	}
	return len ? ISCSI_REJECT_PROTOCOL : 0;
}

static enum iscsi_reject_reason check(const struct iscsi_conn *conn, const struct iscsi_ahs **extended)
{
	const struct iscsi_scsi_command *pdu = (const void *)conn->rx.head;
	const struct iscsi_session *session = conn->session;
	uint32_t itt = get_be32(pdu->itt);
	enum iscsi_reject_reason reason = check_data(conn, pdu);

	if (reason)
		return reason;
	if (itt == ISCSI_TAG_NONE || iscsi_session_task(session, itt))
		return ISCSI_REJECT_INVALID_FIELD;
	if (session->logout)
		return ISCSI_REJECT_WAITING_LOGOUT;
	if ((pdu->opcode & ISCSI_OP_IMMEDIATE) && session->nimmediate >= IMMEDIATE_MAX)
		return ISCSI_REJECT_IMMEDIATE;
	return scan_ahs(conn, extended);
}

static bool set_long_cdb(struct iscsi_task *task, const struct iscsi_ahs *extended)
{
	uint32_t len = get_be16(extended->len) - 1u;

	task->long_cdb = malloc(sizeof(task->cdb) + len);
	if (!task->long_cdb)
		return false;
	memcpy(task->long_cdb, task->cdb, sizeof(task->cdb));
	memcpy(task->long_cdb + sizeof(task->cdb), extended + 1, len);
	task->cmd.cdb = task->long_cdb;
	task->cmd.cdb_len = (uint16_t)(sizeof(task->cdb) + len);
	return true;
}

bool iscsi_command_begin(struct iscsi_conn *conn)
{
	const struct iscsi_scsi_command *pdu = (const void *)conn->rx.head;
	const struct iscsi_ahs *extended;
	enum iscsi_reject_reason reason;
	struct iscsi_task *task;

	reason = check(conn, &extended);
	if (reason) {
		/* There is no task whose end could advance the window, so the window is advanced here. */
		conn->max_cmdsn += !(pdu->opcode & ISCSI_OP_IMMEDIATE);
		iscsi_reject(conn, reason, "command refused");
		return conn->state != ISCSI_CONN_CLOSING;
	}
	task = iscsi_task_new(conn);
	if (!task || (extended && !set_long_cdb(task, extended))) {
		iscsi_conn_close(conn, "out of memory");
		return false;
	}
	scsi_parse(&task->cmd);
	conn->rx.task = task;
	iscsi_gather_begin(task, conn->rx.data_len, pdu->flags & ISCSI_FINAL);
	iscsi_rx_store(conn, task->buffer, MIN(conn->rx.data_len, task->want));
	return true;
}

bool iscsi_command_end(struct iscsi_conn *conn)
{
	if (conn->rx.task)
		iscsi_gather_next(conn->rx.task);
	return conn->state != ISCSI_CONN_CLOSING;
}
