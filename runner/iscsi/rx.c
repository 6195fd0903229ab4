/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Framing: bytes from the socket into PDUs (RFC 7143 11.2). A PDU is a row of ranges to fill: BHS, AHS with
 * header digest, data to keep, data to drop, padding with data digest. Bytes go into the current range either
 * straight from the socket or out of the loop's scratch area, and when a range is full, the next one is set
 * up. So a short read needs no care anywhere else, and a connection needs no receive buffer of its own.
 */
#include "iscsi/rx.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "iscsi/command.h"
#include "iscsi/data_out.h"
#include "iscsi/hold.h"
#include "iscsi/login_phase.h"
#include "iscsi/logout.h"
#include "iscsi/memory.h"
#include "iscsi/nop.h"
#include "iscsi/reject.h"
#include "iscsi/session.h"
#include "iscsi/text_exchange.h"
#include "iscsi/tmf.h"
#include "iscsi/work.h"
#include "util/crc32c.h"

#define RX_BUDGET      (1u << 20)  /* bytes a connection may receive in one turn, for fairness … */
#define RX_PDU_COST    (1u << 10)  /* … of which a PDU costs so many beside its own */
#define RX_LARGE       (16u << 10) /* what is left of a segment is worth its own read … */
#define RX_WORK_BYTES  256u        /* of a data segment that is kept whole cost about a unit of work */
#define RX_LOGIN_WORK  20u         /* of a Login Request */
#define RX_WORKED      (4u << 10)  /* read at once from a connection that causes work */
#define RX_AFTER_LARGE (4u << 10)  /* … with only so much of what follows it */

/* What the CmdSN of a request does. */
enum number {
	/* Is one, and the window moves on with it. */
	NUMBERED,
	/* Is one, and the window moves on when the task is over. */
	NUMBERS_TASK,
	/* Is not there. */
	UNNUMBERED,
};

struct pdu_kind {
	/* NULL: keep the data segment whole. */
	bool (*begin)(struct iscsi_conn *conn);
	/* NULL: refused with reason. */
	bool (*end)(struct iscsi_conn *conn);
	enum number number;
	/* See work.h. */
	unsigned work;
	/* RFC 7143 4.3: a discovery session knows text, logout and, by custom, NOP. */
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
    /* ErrorRecoveryLevel is 0 */
    [ISCSI_OP_SNACK] = {NULL, NULL, UNNUMBERED, 0, true, ISCSI_REJECT_SNACK},
};

static uint8_t opcode(const struct iscsi_conn *conn)
{
	return conn->rx.head[0] & ISCSI_OP_MASK;
}

static void fill(struct iscsi_rx *rx, enum iscsi_rx_stage stage, uint8_t *dst, uint32_t len)
{
	rx->stage = stage;
	rx->dst = dst;
	rx->left = len;
}

void iscsi_rx_start(struct iscsi_conn *conn)
{
	conn->rx.task = NULL;
	fill(&conn->rx, ISCSI_RX_BHS, conn->rx.head, ISCSI_BHS_LEN);
}

void iscsi_rx_free(struct iscsi_conn *conn)
{
	if (conn->rx.data)
		iscsi_memory_give(conn->il, conn->rx.data_size);
	free(conn->rx.data);
	conn->rx.data = NULL;
	iscsi_rx_start(conn);
}

void iscsi_rx_store(struct iscsi_conn *conn, uint8_t *dst, uint32_t len)
{
	fill(&conn->rx, ISCSI_RX_DATA, dst, len);
	conn->rx.skip = conn->rx.data_len - len;
}

static bool has_digest(uint32_t crc, const uint8_t *digest)
{
	uint32_t wire;

	memcpy(&wire, digest, sizeof(wire));
	return le32toh(wire) == ~crc;
}

static bool keep_whole(struct iscsi_conn *conn)
{
	struct iscsi_rx *rx = &conn->rx;

	if (!rx->data_len)
		return true;
	if (!iscsi_memory_take(conn->il, rx->data_len)) {
		iscsi_conn_close(conn,
				 "the requests of all sessions take too much memory, and this one is large");
		return false;
	}
	/* Now, not when the data have come: the rest of them waits for the next turn if this one is used up. */
	iscsi_work_add(conn, rx->data_len / RX_WORK_BYTES);
	rx->data_size = rx->data_len;
	rx->data = malloc(rx->data_len);
	if (!rx->data) {
		iscsi_memory_give(conn->il, rx->data_len);
		iscsi_conn_close(conn, "out of memory");
		return false;
	}
	iscsi_rx_store(conn, rx->data, rx->data_len);
	return true;
}

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

/* The PDU is unknown or not allowed in this session: its data are dropped. */
static bool refuse(struct iscsi_conn *conn, enum iscsi_reject_reason reason)
{
	iscsi_reject(conn, reason, "PDU not allowed here");
	conn->rx.turn = ISCSI_TURN_NEVER;
	return conn->state != ISCSI_CONN_CLOSING;
}

static bool begin_full(struct iscsi_conn *conn)
{
	const struct pdu_kind *kind = &kinds[opcode(conn)];
	bool known = kind->end && (kind->in_discovery || conn->session->target);
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
	if (turn == ISCSI_TURN_LATER && !conn->session->target) {
		/* Nobody has been admitted yet, so nothing is kept. */
		iscsi_conn_close(conn, "a request came before an earlier CmdSN in a discovery session");
		return false;
	}
	return kind->begin && turn == ISCSI_TURN_NOW ? kind->begin(conn) : keep_whole(conn);
}

static bool begin_login(struct iscsi_conn *conn)
{
	if (opcode(conn) != ISCSI_OP_LOGIN || conn->rx.ahs_len) {
		iscsi_conn_close(conn, "the first PDU is not a Login Request");
		return false;
	}
	return keep_whole(conn);
}

static bool header_complete(struct iscsi_conn *conn)
{
	struct iscsi_rx *rx = &conn->rx;
	bool full = conn->state == ISCSI_CONN_FULL;
	uint32_t limit = full ? conn->params.max_recv_data_segment : ISCSI_LOGIN_DATA_MAX;

	rx->data_len = get_be24(iscsi_rx_bhs(conn)->data_len);
	rx->tail_len = (uint8_t)(-rx->data_len & 3);
	if (full && conn->params.data_digest && rx->data_len)
		rx->tail_len += ISCSI_DIGEST_LEN;
	rx->crc = CRC32C_INIT;
	if (rx->data_len > limit) {
		iscsi_conn_close(conn,
				 "the initiator sent a data segment longer than MaxRecvDataSegmentLength");
		return false;
	}
	iscsi_rx_store(conn, NULL, 0); /* unless begin() stores the data */
	return full ? begin_full(conn) : begin_login(conn);
}

static bool header_digest_ok(struct iscsi_conn *conn)
{
	struct iscsi_rx *rx = &conn->rx;
	uint32_t len = ISCSI_BHS_LEN + rx->ahs_len;

	if (conn->state != ISCSI_CONN_FULL || !conn->params.header_digest ||
	    has_digest(crc32c_update(CRC32C_INIT, rx->head, len), rx->head + len))
		return true;
	/* RFC 7143 7.8: the lengths may be wrong, so the next PDU cannot be found. */
	iscsi_conn_close(conn, "wrong header digest");
	return false;
}

static bool bhs_complete(struct iscsi_conn *conn)
{
	struct iscsi_rx *rx = &conn->rx;
	uint32_t more;

	rx->ahs_len = rx->head[offsetof(struct iscsi_bhs, total_ahs_len)] * 4u;
	more = rx->ahs_len;
	if (conn->state == ISCSI_CONN_FULL && conn->params.header_digest)
		more += ISCSI_DIGEST_LEN;
	if (!more)
		return header_complete(conn);
	fill(rx, ISCSI_RX_AHS, rx->head + ISCSI_BHS_LEN, more);
	return true;
}

static bool end_full(struct iscsi_conn *conn)
{
	bool ok = true;

	iscsi_work_add(conn, kinds[opcode(conn)].work);
	if (conn->rx.turn == ISCSI_TURN_NOW)
		ok = kinds[opcode(conn)].end(conn);
	else if (conn->rx.turn == ISCSI_TURN_LATER)
		ok = iscsi_hold(conn);
	if (ok)
		iscsi_rx_free(conn);
	return ok;
}

/* The CmdSN of a PDU that was held is due: the PDU is treated as if it were received now. */
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
	if (!begin_full(conn))
		return false;
	if (rx->dst)
		memcpy(rx->dst, held->data, rx->left);
	return end_full(conn);
}

static bool replay_held(struct iscsi_conn *conn)
{
	struct iscsi_held *held;
	bool ok = true;

	while (ok && (held = iscsi_hold_next(conn))) {
		ok = replay(conn, held);
		iscsi_held_free(conn, held);
	}
	return ok;
}

static bool send_plenty(struct iscsi_conn *conn)
{
	if (iscsi_tx_plenty(conn))
		iscsi_tx_flush(conn);
	return conn->state != ISCSI_CONN_CLOSING;
}

static bool pdu_complete(struct iscsi_conn *conn)
{
	conn->rx.npdus++;
	if (conn->state == ISCSI_CONN_FULL)
		return end_full(conn) && replay_held(conn) && send_plenty(conn);
	iscsi_work_add(conn, RX_LOGIN_WORK);
	if (!iscsi_login_pdu(conn))
		return false;
	iscsi_rx_free(conn);
	return true;
}

static bool tail_complete(struct iscsi_conn *conn)
{
	struct iscsi_rx *rx = &conn->rx;
	uint32_t pad = -rx->data_len & 3;

	if (rx->tail_len == pad || has_digest(crc32c_update(rx->crc, rx->tail, pad), rx->tail + pad))
		return pdu_complete(conn);
	/* RFC 7143 7.8 demands the Reject. At ErrorRecoveryLevel 0 the data cannot be requested again (7.1.4.1). */
	iscsi_reject(conn, ISCSI_REJECT_DATA_DIGEST, "data digest error");
	iscsi_conn_finish(conn);
	return false;
}

/* The current range is full. False: nothing more is to be received. */
static bool range_complete(struct iscsi_conn *conn)
{
	struct iscsi_rx *rx = &conn->rx;

	switch (rx->stage) {
	case ISCSI_RX_BHS:
		return bhs_complete(conn);
	case ISCSI_RX_AHS:
		return header_digest_ok(conn) && header_complete(conn);
	case ISCSI_RX_DATA:
		fill(rx, ISCSI_RX_SKIP, NULL, rx->skip);
		return true;
	case ISCSI_RX_SKIP:
		fill(rx, ISCSI_RX_TAIL, rx->tail, rx->tail_len);
		return true;
	case ISCSI_RX_TAIL:
		return tail_complete(conn);
	}
	return false;
}

/* n bytes at src belong to the current range, and have been stored if they are kept. */
static bool advance(struct iscsi_conn *conn, const uint8_t *src, uint32_t n)
{
	struct iscsi_rx *rx = &conn->rx;

	if (conn->params.data_digest && (rx->stage == ISCSI_RX_DATA || rx->stage == ISCSI_RX_SKIP))
		rx->crc = crc32c_update(rx->crc, src, n);
	if (rx->dst)
		rx->dst += n;
	rx->left -= n;
	while (!rx->left) {
		if (!range_complete(conn))
			return false;
	}
	return true;
}

/* Handles n bytes of the scratch area. */
static bool consume(struct iscsi_conn *conn, const uint8_t *src, size_t n)
{
	while (n) {
		uint32_t take = (uint32_t)MIN(n, conn->rx.left);

		if (conn->state == ISCSI_CONN_JOINING) {
			iscsi_conn_close(conn, "the initiator sent a PDU before the end of the login");
			return false;
		}
		if (conn->rx.dst)
			memcpy(conn->rx.dst, src, take);
		if (!advance(conn, src, take))
			return false;
		src += take;
		n -= take;
	}
	return true;
}

/* One read: the rest of the current range in place, and what follows into scratch. *asked: room that there
 * was. */
static ssize_t receive(struct iscsi_conn *conn, uint8_t *scratch, size_t *direct, size_t *asked)
{
	struct iscsi_rx *rx = &conn->rx;
	struct iovec iov[2] = {{rx->dst, rx->left}, {scratch, rx->worked ? RX_WORKED : LOOP_SCRATCH_SIZE}};
	struct msghdr msg = {.msg_iov = iov, .msg_iovlen = 2};

	*direct = rx->dst && conn->state != ISCSI_CONN_CLOSING ? rx->left : 0;
	if (!*direct) {
		msg.msg_iov = iov + 1;
		msg.msg_iovlen = 1;
	} else if (*direct >= RX_LARGE) {
		iov[1].iov_len = RX_AFTER_LARGE;
	}
	*asked = *direct + iov[1].iov_len;
	return recvmsg(conn->watch.fd, &msg, MSG_DONTWAIT);
}

static bool consume_all(struct iscsi_conn *conn, const uint8_t *scratch, size_t direct, size_t n)
{
	if (conn->state == ISCSI_CONN_CLOSING)
		return true; /* the socket is being drained, see conn.c */
	if (conn->state == ISCSI_CONN_JOINING)
		return consume(conn, scratch, n);
	direct = MIN(direct, n);
	return (!direct || advance(conn, conn->rx.dst, (uint32_t)direct)) &&
	       consume(conn, scratch, n - direct);
}

/* Whether the connection has to leave the rest of this turn to others. */
static bool has_had_its_turn(struct iscsi_conn *conn, size_t total)
{
	return total + (size_t)conn->rx.npdus * RX_PDU_COST >= RX_BUDGET ||
	       (conn->rx.worked && iscsi_work_is_used_up(conn->il));
}

/* Notes what was received. False: the socket is empty, or the connection was closed. */
static bool received(struct iscsi_conn *conn, ssize_t n)
{
	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
		return false;
	if (n <= 0) {
		iscsi_conn_close(conn, n ? strerror(errno) : "closed by the initiator");
		return false;
	}
	conn->last_rx_ns = loop_now_ns(conn->il->loop);
	if (conn->state == ISCSI_CONN_LOGIN)
		atomic_store_explicit(&conn->heard, true, memory_order_relaxed);
	conn->probing = false;
	return true;
}

static ssize_t receive_again(struct iscsi_conn *conn, uint8_t *scratch, size_t *direct, size_t *asked)
{
	ssize_t n;

	do {
		n = receive(conn, scratch, direct, asked);
	} while (n < 0 && errno == EINTR);
	return n;
}

void iscsi_rx_ready(struct iscsi_conn *conn, bool hangup)
{
	uint8_t *scratch = loop_scratch(conn->il->loop);
	size_t total = 0, direct, asked;
	ssize_t n;

	conn->rx.npdus = 0;
	while (!has_had_its_turn(conn, total)) {
		if (iscsi_tx_congested(conn)) {
			conn->rx.paused = true;
			return;
		}
		n = receive_again(conn, scratch, &direct, &asked);
		if (!total)
			conn->rx.worked = false; /* until a PDU of this turn causes work */
		if (!received(conn, n) || !consume_all(conn, scratch, direct, (size_t)n))
			return;
		/* The socket is empty if it gave less than it was asked for, and reports later data. But the end of the
		 * stream may have been reported already. */
		if ((size_t)n < asked && !hangup)
			return;
		total += (size_t)n;
	}
	loop_watch_again(&conn->watch);
}
