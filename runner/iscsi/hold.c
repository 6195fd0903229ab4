/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests that have arrived before a request with an earlier CmdSN (RFC 7143 4.2.2.1). They wait until all
 * earlier requests have arrived, and are then handled as if they arrived at this moment. An initiator with
 * one connection has no reason to cause this, so this code need not be fast, but it limits the memory.
 */
#include "iscsi/hold.h"

#include <stdlib.h>

#include "iscsi/memory.h"
#include "iscsi/session.h"
#include "model/lun.h"

/* The bytes that may wait in one session. memory.h limits all sessions together. */
#define HELD_MAX (1u << 20)

static uint32_t held_size(const struct iscsi_held *held)
{
	return (uint32_t)sizeof(*held) + held->head_len + held->data_len;
}

/* Inserts the request in the order of CmdSN. Returns false if there is already a request with this number. */
static bool insert(struct iscsi_session *session, struct iscsi_held *held)
{
	struct list *at = session->held.prev;

	while (at != &session->held) {
		uint32_t sn = list_entry(at, struct iscsi_held, node)->cmdsn;

		if (sn == held->cmdsn)
			return false;
		if (iscsi_sn_before(sn, held->cmdsn))
			break;
		at = at->prev;
	}
	list_add_head(at, &held->node);
	session->held_bytes += held_size(held);
	return true;
}

void iscsi_held_free(struct iscsi_conn *conn, struct iscsi_held *held)
{
	if (held->data)
		iscsi_memory_give(conn->il, held->data_len);
	free(held->data);
	free(held);
}

static struct iscsi_held *held_new(uint32_t cmdsn, uint32_t head_len)
{
	struct iscsi_held *held = calloc(1, sizeof(struct iscsi_held) + head_len);

	if (!held)
		return NULL;
	held->cmdsn = cmdsn;
	held->head_len = head_len;
	return held;
}

bool iscsi_hold(struct iscsi_conn *conn)
{
	const struct iscsi_bhs *bhs = iscsi_rx_bhs(conn);
	uint32_t head_len = ISCSI_BHS_LEN + conn->rx.ahs_len;
	struct iscsi_held *held = NULL;

	if (conn->session->held_bytes <= HELD_MAX)
		held = held_new(get_be32(bhs->sn[0]), head_len);
	if (!held) {
		iscsi_conn_close(conn, "too many requests wait for an earlier CmdSN that is missing");
		return false;
	}
	held->itt = get_be32(bhs->itt);
	memcpy(held->head, conn->rx.head, head_len);
	/* The data are moved together with their share of the memory limit (memory.h). */
	held->data = conn->rx.data;
	held->data_len = conn->rx.data_len;
	conn->rx.data = NULL;
	if (!insert(conn->session, held))
		iscsi_held_free(conn, held); /* A duplicate is ignored. */
	return true;
}

struct iscsi_held *iscsi_hold_next(struct iscsi_conn *conn)
{
	struct iscsi_session *session = conn->session;
	struct iscsi_held *held = list_entry(session->held.next, struct iscsi_held, node);

	if (list_empty(&session->held) || held->cmdsn != conn->exp_cmdsn)
		return NULL;
	list_del(&held->node);
	session->held_bytes -= held_size(held);
	return held;
}

void iscsi_hold_free(struct iscsi_session *session)
{
	struct list *node;

	while ((node = list_pop(&session->held)))
		iscsi_held_free(session->conn, list_entry(node, struct iscsi_held, node));
}

static bool is_command(const struct iscsi_held *held)
{
	return !held->dropped && (held->head[0] & ISCSI_OP_MASK) == ISCSI_OP_SCSI_COMMAND;
}

bool iscsi_hold_abort(struct iscsi_session *session, uint32_t itt)
{
	struct list *node, *tmp;

	list_for_each (&session->held, node, tmp) {
		struct iscsi_held *held = list_entry(node, struct iscsi_held, node);

		if (is_command(held) && held->itt == itt)
			return held->dropped = true;
	}
	return false;
}

void iscsi_hold_abort_all(struct iscsi_session *session, int lun, uint32_t cmdsn)
{
	struct list *node, *tmp;

	list_for_each (&session->held, node, tmp) {
		struct iscsi_held *held = list_entry(node, struct iscsi_held, node);
		const struct iscsi_bhs *bhs = (const void *)held->head;

		if (is_command(held) && iscsi_sn_before(held->cmdsn, cmdsn) &&
		    (lun < 0 || model_lun_decode(bhs->lun) == lun))
			held->dropped = true;
	}
}

bool iscsi_hold_number(struct iscsi_conn *conn, uint32_t cmdsn)
{
	const struct iscsi_bhs *request = iscsi_rx_bhs(conn);
	struct iscsi_held *held;

	/* The number must be in the window, and precede the number of the request that refers to it. */
	if (iscsi_sn_before(cmdsn, conn->exp_cmdsn) || iscsi_sn_before(conn->max_cmdsn, cmdsn) ||
	    !iscsi_sn_before(cmdsn, get_be32(request->sn[0])))
		return false;
	held = held_new(cmdsn, 0);
	if (!held)
		return false;
	held->dropped = true;
	if (!insert(conn->session, held))
		iscsi_held_free(conn, held);
	return true;
}
