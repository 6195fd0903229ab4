/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PDUs of the full feature phase. One table says which functions handle a kind of PDU, whether it uses a
 * CmdSN, and in which sessions it is allowed (RFC 7143 4.2.2.1, 4.3). rx.c splits the received bytes into
 * PDUs.
 */
#include "iscsi/dispatch.h"

#include <string.h>

#include "iscsi/command.h"
#include "iscsi/data_out.h"
#include "iscsi/hold.h"
#include "iscsi/logout.h"
#include "iscsi/nop.h"
#include "iscsi/reject.h"
#include "iscsi/session.h"
#include "iscsi/text_exchange.h"
#include "iscsi/tmf.h"
#include "iscsi/work.h"

/* How a request uses the CmdSN. */
enum number {
	/* The request has a CmdSN, and the window advances when the request is handled. */
	NUMBERED,
	/* The request has a CmdSN, and the window advances at the end of its task. */
	NUMBERS_TASK,
	/* The request has no CmdSN. */
	UNNUMBERED,
};

struct pdu_kind {
	/* Is called when the header is complete. NULL means that the whole data segment is kept. */
	bool (*begin)(struct iscsi_conn *conn);
	/* Is called when the data are complete. NULL means that the PDU is refused with reason. */
	bool (*end)(struct iscsi_conn *conn);
	enum number number;
	/* The units of work that the PDU costs; see work.h. */
	unsigned work;
	/*
	 * Whether the PDU is allowed in a discovery session: text and logout are (RFC 7143 4.3), and NOP as
	 * well, because other targets allow it.
	 */
	bool in_discovery;
	enum iscsi_reject_reason reason;
};

static const struct pdu_kind kinds[ISCSI_OP_MASK + 1] = {
    [ISCSI_OP_NOP_OUT] = {NULL, iscsi_nop_out, NUMBERED, 1, true, 0},
    [ISCSI_OP_SCSI_COMMAND] = {iscsi_command_begin, iscsi_command_end, NUMBERS_TASK, 0, false, 0},
    [ISCSI_OP_TASK_MGMT] = {NULL, iscsi_tmf_pdu, NUMBERED, 4, false, 0},
    [ISCSI_OP_LOGIN] = {NULL, NULL, UNNUMBERED, 0, true, ISCSI_REJECT_PROTOCOL},
    [ISCSI_OP_TEXT] = {NULL, iscsi_text_pdu, NUMBERED, 10, true, 0},
    [ISCSI_OP_DATA_OUT] = {iscsi_data_out_begin, iscsi_data_out_end, UNNUMBERED, 0, false, 0},
    [ISCSI_OP_LOGOUT] = {NULL, iscsi_logout_pdu, NUMBERED, 1, true, 0},
    /* SNACK is refused, because ErrorRecoveryLevel is 0. */
    [ISCSI_OP_SNACK] = {NULL, NULL, UNNUMBERED, 0, true, ISCSI_REJECT_SNACK},
};

static enum iscsi_turn turn_of(const struct iscsi_conn *conn, const struct pdu_kind *kind)
{
	const struct iscsi_bhs *bhs = iscsi_rx_bhs(conn);
	uint32_t sn = get_be32(bhs->sn[0]);

	if (kind->number == UNNUMBERED || bhs->opcode & ISCSI_OP_IMMEDIATE)
		return ISCSI_TURN_NOW;
	if (iscsi_sn_before(sn, conn->exp_cmdsn) || iscsi_sn_before(conn->max_cmdsn, sn))
		return ISCSI_TURN_NEVER;
	return sn == conn->exp_cmdsn ? ISCSI_TURN_NOW : ISCSI_TURN_LATER;
}

static void use_number(struct iscsi_conn *conn, const struct pdu_kind *kind)
{
	if (kind->number == UNNUMBERED || iscsi_rx_bhs(conn)->opcode & ISCSI_OP_IMMEDIATE)
		return;
	conn->exp_cmdsn++;
	conn->max_cmdsn += kind->number == NUMBERED;
}

/* Refuses a PDU that is unknown or not allowed in this session. Its data are dropped. */
static bool refuse(struct iscsi_conn *conn, enum iscsi_reject_reason reason)
{
	iscsi_reject(conn, reason, "PDU not allowed here");
	conn->rx.turn = ISCSI_TURN_NEVER;
	return conn->state != ISCSI_CONN_CLOSING;
}

bool iscsi_dispatch_begin(struct iscsi_conn *conn)
{
	const struct pdu_kind *kind = &kinds[iscsi_rx_opcode(conn)];
	bool known = kind->end && (kind->in_discovery || !conn->session->discovery);
	enum iscsi_turn turn = turn_of(conn, kind);

	conn->rx.turn = turn;
	if (turn == ISCSI_TURN_NOW)
		use_number(conn, kind);
	if (!known)
		return refuse(conn, kind->reason ? kind->reason
				    : kind->end  ? ISCSI_REJECT_PROTOCOL
						 : ISCSI_REJECT_NOT_SUPPORTED);
	if (turn == ISCSI_TURN_NEVER)
		return true;
	if (turn == ISCSI_TURN_LATER && conn->session->discovery) {
		/*
		 * In a discovery session, the initiator may not have authenticated, so its requests are not
		 * kept.
		 */
		iscsi_conn_close(conn,
				 "a request in a discovery session arrived before one with an earlier CmdSN");
		return false;
	}
	return kind->begin && turn == ISCSI_TURN_NOW ? kind->begin(conn) : iscsi_rx_keep_whole(conn);
}

bool iscsi_dispatch_end(struct iscsi_conn *conn)
{
	bool ok = true;

	iscsi_work_add(conn, kinds[iscsi_rx_opcode(conn)].work);
	if (conn->rx.turn == ISCSI_TURN_NOW)
		ok = kinds[iscsi_rx_opcode(conn)].end(conn);
	else if (conn->rx.turn == ISCSI_TURN_LATER)
		ok = iscsi_hold(conn);
	if (ok)
		iscsi_rx_free(conn);
	return ok;
}

/* Handles a PDU that was held, now that its CmdSN is due, as if it were received now. */
static bool replay(struct iscsi_conn *conn, const struct iscsi_held *held)
{
	struct iscsi_rx *rx = &conn->rx;

	if (held->dropped) {
		conn->exp_cmdsn++;
		conn->max_cmdsn++;
		return true;
	}
	memcpy(rx->head, held->head, held->head_len);
	rx->ahs_len = held->head_len - ISCSI_BHS_LEN;
	rx->data_len = held->data_len;
	iscsi_rx_store(conn, NULL, 0);
	if (!iscsi_dispatch_begin(conn))
		return false;
	if (rx->dst && held->data_len)
		memcpy(rx->dst, held->data, rx->left);
	return iscsi_dispatch_end(conn);
}

bool iscsi_dispatch_held(struct iscsi_conn *conn)
{
	struct iscsi_held *held;
	bool ok = true;

	while (ok && (held = iscsi_hold_next(conn))) {
		ok = replay(conn, held);
		iscsi_held_free(conn, held);
	}
	return ok;
}
