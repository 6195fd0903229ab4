/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Framing: turns bytes from the socket into PDUs (RFC 7143 11.2). A PDU is a sequence of ranges that must be
 * filled: BHS, AHS with header digest, data to keep, data to drop, padding with data digest. The bytes of a
 * range come either directly from the socket or from the loop's scratch area. When a range is full, the next
 * one is set up. Therefore no other code has to handle short reads, and a connection needs no receive buffer
 * of its own.
 */
#include "iscsi/rx.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "iscsi/dispatch.h"
#include "iscsi/login_phase.h"
#include "iscsi/memory.h"
#include "iscsi/reject.h"
#include "iscsi/session.h"
#include "iscsi/work.h"
#include "util/crc32c.h"

/*
 * The number of bytes that a connection may receive in one turn. Each PDU counts as RX_PDU_COST bytes in
 * addition to its own bytes.
 */
#define RX_BUDGET   (1u << 20)
#define RX_PDU_COST (1u << 10)
/*
 * If at least this much of a data segment is missing, one receive is for this segment, with only a little of
 * the following bytes.
 */
#define RX_LARGE       (16u << 10)
#define RX_AFTER_LARGE (4u << 10)
/* The size of one receive from a connection that causes work (work.h). */
#define RX_WORKED (4u << 10)
/*
 * The work of a data segment that is kept as a whole: one unit for each RX_WORK_BYTES bytes; and the work of
 * a Login Request in units.
 */
#define RX_WORK_BYTES 256u
#define RX_LOGIN_WORK 20u

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

bool iscsi_rx_keep_whole(struct iscsi_conn *conn)
{
	struct iscsi_rx *rx = &conn->rx;

	if (!rx->data_len)
		return true;
	if (!iscsi_memory_take(conn->il, rx->data_len)) {
		iscsi_conn_close(conn,
				 "the requests of all sessions take too much memory, and this one is large");
		return false;
	}
	/*
	 * The work is counted now and not when the data have arrived. If it uses up this turn, the rest of
	 * the data waits for the next turn.
	 */
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

static bool begin_login(struct iscsi_conn *conn)
{
	if (iscsi_rx_opcode(conn) != ISCSI_OP_LOGIN || conn->rx.ahs_len) {
		iscsi_conn_close(conn, "the first PDU is not a Login Request");
		return false;
	}
	return iscsi_rx_keep_whole(conn);
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
	iscsi_rx_store(conn, NULL, 0); /* The data are dropped, unless iscsi_dispatch_begin() stores them. */
	return full ? iscsi_dispatch_begin(conn) : begin_login(conn);
}

static bool header_digest_ok(struct iscsi_conn *conn)
{
	struct iscsi_rx *rx = &conn->rx;
	uint32_t len = ISCSI_BHS_LEN + rx->ahs_len;

	if (conn->state != ISCSI_CONN_FULL || !conn->params.header_digest ||
	    has_digest(crc32c_update(CRC32C_INIT, rx->head, len), rx->head + len))
		return true;
	/* RFC 7143 7.8: the lengths may be wrong, so the beginning of the next PDU is unknown. */
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

static bool send_if_large(struct iscsi_conn *conn)
{
	if (iscsi_tx_is_large(conn))
		iscsi_tx_flush(conn);
	return conn->state != ISCSI_CONN_CLOSING;
}

static bool pdu_complete(struct iscsi_conn *conn)
{
	conn->rx.npdus++;
	if (conn->state == ISCSI_CONN_FULL)
		return iscsi_dispatch_end(conn) && iscsi_dispatch_held(conn) && send_if_large(conn);
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
	/*
	 * RFC 7143 7.8 demands a Reject. At ErrorRecoveryLevel 0, the data cannot be requested again
	 * (7.1.4.1).
	 */
	iscsi_reject(conn, ISCSI_REJECT_DATA_DIGEST, "data digest error");
	iscsi_conn_finish(conn);
	return false;
}

/* Handles a range that has been filled. Returns false if nothing more is to be received. */
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

/* Takes n bytes at src into the current range. If the range is kept, the bytes have already been stored. */
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

/*
 * Receives with one system call: the rest of the current range at its destination, and the following bytes in
 * scratch. Sets *asked to the number of bytes for which there was room.
 */
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
		return true; /* The socket is being drained; see conn.c. */
	if (conn->state == ISCSI_CONN_JOINING)
		return consume(conn, scratch, n);
	direct = MIN(direct, n);
	return (!direct || advance(conn, conn->rx.dst, (uint32_t)direct)) &&
	       consume(conn, scratch, n - direct);
}

/* Returns whether the connection must leave the rest of this turn to others. */
static bool has_had_its_turn(struct iscsi_conn *conn, size_t total)
{
	return total + (size_t)conn->rx.npdus * RX_PDU_COST >= RX_BUDGET ||
	       (conn->rx.worked && iscsi_work_is_used_up(conn->il));
}

/* Records what was received. Returns false if the socket is empty, or the connection was closed. */
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
			conn->rx.worked = false; /* A PDU of this turn that causes work sets it again. */
		if (!received(conn, n) || !consume_all(conn, scratch, direct, (size_t)n))
			return;
		/*
		 * If the socket gave less than there was room for, it is empty, and will report data that
		 * arrive later. The end of the stream is different: it may have been reported already.
		 */
		if ((size_t)n < asked && !hangup)
			return;
		total += (size_t)n;
	}
	loop_watch_again(&conn->watch);
}
