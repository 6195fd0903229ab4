/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Output. At the end of a turn, the queue of tasks and messages becomes PDUs, and one sendmsg() sends as many
 * as possible. A PDU is built immediately before it is sent, so it carries the newest ExpCmdSN and MaxCmdSN.
 * Its sequence numbers are used up only when it has been sent, because the socket may accept less than it is
 * offered. Headers are in the batch of the loop, and data are sent from the memory where they are. Only a PDU
 * that was sent in part is stored in the connection.
 */
#include "iscsi/tx.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "iscsi/data_in.h"
#include "iscsi/data_out.h"
#include "iscsi/memory.h"
#include "iscsi/task.h"
#include "util/crc32c.h"
#include "util/iov.h"

#define TX_PDUS     256
#define TX_IOVS     1024 /* UIO_MAXIOV */
#define TX_PDU_IOVS (2 + SCSI_LEND_MAX)
#define TX_BYTES    (1u << 20) /* The number of bytes that one sendmsg() offers. */
#define TX_LARGE    (256u << 10)
/*
 * If more bytes of messages are in the queue, the connection does not receive. Requests that were received
 * together can still add messages; if the queue exceeds the second limit, the connection is closed.
 */
#define TX_MESSAGES     (256u << 10)
#define TX_MESSAGES_MAX (4u << 20)

struct iscsi_tx_batch {
	unsigned npdus, iovcnt;
	size_t bytes;
	struct iscsi_tx_pdu pdus[TX_PDUS];
	struct iovec iov[TX_IOVS];
};

int iscsi_tx_batch_new(struct iscsi_tx_batch **batch)
{
	*batch = calloc(1, sizeof(**batch));
	return *batch ? 0 : -ENOMEM;
}

/* --- messages --------------------------------------------------------------------------------- */

static struct iscsi_message *message_of(struct iscsi_out *out)
{
	return container_of(out, struct iscsi_message, out);
}

struct iscsi_message *iscsi_message_new(struct iscsi_conn *conn, uint8_t opcode, uint32_t data_len)
{
	size_t size = sizeof(struct iscsi_message) + data_len;
	struct iscsi_message *message = NULL;

	if (conn->tx.message_bytes > TX_MESSAGES_MAX || !iscsi_memory_take(conn->il, size)) {
		iscsi_conn_close(conn, "too many unread responses");
		return NULL;
	}
	message = calloc(1, size);
	if (!message) {
		iscsi_memory_give(conn->il, size);
		iscsi_conn_close(conn, "out of memory");
		return NULL;
	}
	list_init(&message->out.node);
	message->data_len = data_len;
	message->bhs[0] = opcode;
	message->bhs[1] = ISCSI_FINAL;
	return message;
}

static size_t message_size(const struct iscsi_message *message)
{
	return sizeof(*message) + message->data_len;
}

static void message_free(struct iscsi_conn *conn, struct iscsi_message *message)
{
	iscsi_memory_give(conn->il, message_size(message));
	free(message);
}

void iscsi_message_send(struct iscsi_conn *conn, struct iscsi_message *message)
{
	if (conn->state == ISCSI_CONN_CLOSING) {
		message_free(conn, message);
		return;
	}
	conn->tx.message_bytes += message_size(message);
	iscsi_tx_push(conn, &message->out);
}

bool iscsi_tx_congested(const struct iscsi_conn *conn)
{
	return conn->tx.message_bytes > TX_MESSAGES;
}

bool iscsi_tx_is_large(const struct iscsi_conn *conn)
{
	return conn->tx.fresh_bytes >= TX_LARGE;
}

/* --- queue ------------------------------------------------------------------------------------ */

void iscsi_tx_push(struct iscsi_conn *conn, struct iscsi_out *out)
{
	if (list_empty(&out->node))
		list_add_tail(&conn->tx.queue, &out->node);
	if (!conn->tx.blocked)
		iscsi_conn_wake(conn);
}

bool iscsi_tx_begun(const struct iscsi_conn *conn, const struct iscsi_out *out)
{
	return conn->tx.partial && conn->tx.pdu.out == out;
}

/* Removes an item from the queue: it was sent completely, or has nothing to send at the moment. */
static void item_over(struct iscsi_conn *conn, struct iscsi_out *out)
{
	list_del(&out->node);
	if (!out->task) {
		conn->tx.message_bytes -= message_size(message_of(out));
		message_free(conn, message_of(out));
	} else if (out->task->state != ISCSI_TASK_GATHER) {
		iscsi_task_free(out->task);
	} else if (iscsi_r2t_pending(
		       /* Data-Out has arrived meanwhile, so more R2Ts can be sent. */
		       out->task, &out->cursor)) {
		list_add_tail(&conn->tx.queue, &out->node);
	}
}

void iscsi_tx_drop(struct iscsi_conn *conn)
{
	struct list *node, *tmp;

	conn->tx.partial = 0;
	list_for_each (&conn->tx.queue, node, tmp) {
		struct iscsi_out *out = list_entry(node, struct iscsi_out, node);

		list_del(&out->node);
		if (!out->task)
			message_free(conn, message_of(out));
	}
	conn->tx.message_bytes = 0;
}

/* --- building PDUs ---------------------------------------------------------------------------- */

static unsigned data_iov(const struct iscsi_tx_pdu *pdu, struct iovec *iov)
{
	struct iscsi_out *out = pdu->out;

	if (!pdu->data_len)
		return 0;
	if (!out->task) {
		iov[0] = (struct iovec){message_of(out)->data, pdu->data_len};
		return 1;
	}
	if (pdu->head[0] == ISCSI_OP_DATA_IN)
		return iov_slice(out->task->cmd.iov, out->task->cmd.iovcnt, pdu->after.offset - pdu->data_len,
				 pdu->data_len, iov, SCSI_LEND_MAX);
	iov[0] = (struct iovec){out->task->sense_len, sizeof(out->task->sense_len)};
	iov[1] = (struct iovec){out->task->cmd.sense, out->task->cmd.sense_len};
	return 2;
}

static void put_digest(uint8_t *dst, uint32_t crc)
{
	uint32_t wire = htole32(~crc);

	memcpy(dst, &wire, sizeof(wire));
}

static void finish_tail(struct iscsi_tx_pdu *pdu, bool digest)
{
	struct iovec iov[TX_PDU_IOVS];
	unsigned n = digest && pdu->data_len ? data_iov(pdu, iov) : 0;
	uint32_t crc = CRC32C_INIT;

	pdu->tail_len = (uint8_t)(-pdu->data_len & 3);
	memset(pdu->tail, 0, sizeof(pdu->tail));
	if (!n)
		return;
	for (unsigned i = 0; i < n; i++)
		crc = crc32c_update(crc, iov[i].iov_base, iov[i].iov_len);
	put_digest(pdu->tail + pdu->tail_len, crc32c_update(crc, pdu->tail, pdu->tail_len));
	pdu->tail_len += ISCSI_DIGEST_LEN;
}

/*
 * Sets the data length, ExpCmdSN and MaxCmdSN, which are at the same offsets in all PDUs of a target. Adds
 * the padding and the digests.
 */
static void finish_pdu(const struct iscsi_conn *conn, struct iscsi_tx_pdu *pdu, bool plain)
{
	put_be24(pdu->head + 5, pdu->data_len);
	put_be32(pdu->head + 28, conn->exp_cmdsn);
	put_be32(pdu->head + 32, conn->max_cmdsn);
	pdu->head_len = ISCSI_BHS_LEN;
	if (conn->params.header_digest && !plain) {
		put_digest(pdu->head + ISCSI_BHS_LEN, crc32c_update(CRC32C_INIT, pdu->head, ISCSI_BHS_LEN));
		pdu->head_len += ISCSI_DIGEST_LEN;
	}
	finish_tail(pdu, conn->params.data_digest && !plain);
	pdu->wire_len = pdu->head_len + pdu->data_len + pdu->tail_len;
}

static void build_message(const struct iscsi_message *message, struct iscsi_tx_pdu *pdu, uint32_t statsn)
{
	memcpy(pdu->head, message->bhs, ISCSI_BHS_LEN);
	put_be32(pdu->head + 24, statsn);
	pdu->statsn_after = statsn + (message->statsn == ISCSI_STATSN_TAKE);
	pdu->data_len = message->data_len;
	pdu->last = true;
}

/*
 * Builds the next PDU of out after the cursor in pdu->after. Returns false if there is none to send at the
 * moment.
 */
static bool build(struct iscsi_conn *conn, struct iscsi_out *out, struct iscsi_tx_pdu *pdu, uint32_t statsn)
{
	bool plain = false;

	pdu->out = out;
	if (!out->task) {
		plain = message_of(out)->plain;
		build_message(message_of(out), pdu, statsn);
	} else if (out->task->state == ISCSI_TASK_SEND) {
		iscsi_response_build(out->task, pdu, statsn);
	} else {
		if (!iscsi_r2t_build(out->task, pdu))
			return false;
		put_be32(pdu->head + 24, statsn);
		pdu->statsn_after = statsn;
	}
	finish_pdu(conn, pdu, plain);
	return true;
}

/* --- sending ---------------------------------------------------------------------------------- */

static bool has_room(const struct iscsi_tx_batch *b)
{
	return b->npdus < TX_PDUS && b->iovcnt + TX_PDU_IOVS <= TX_IOVS && b->bytes < TX_BYTES;
}

/* Adds the next PDU of the batch, which has been built already, without its first skip bytes. */
static void add_pdu(struct iscsi_tx_batch *b, uint32_t skip)
{
	struct iscsi_tx_pdu *pdu = &b->pdus[b->npdus++];
	struct iovec *iov = b->iov + b->iovcnt;
	unsigned n = 0;

	iov[n++] = (struct iovec){pdu->head, pdu->head_len};
	n += data_iov(pdu, iov + n);
	if (pdu->tail_len)
		iov[n++] = (struct iovec){pdu->tail, pdu->tail_len};
	b->iovcnt += n;
	b->bytes += pdu->wire_len - skip;
	for (unsigned i = 0; skip; i++) {
		size_t step = MIN(skip, iov[i].iov_len);

		iov[i].iov_base = (uint8_t *)iov[i].iov_base + step;
		iov[i].iov_len -= step;
		skip -= (uint32_t)step;
	}
}

/* Returns whether the last PDU of the batch is also the last one of out. */
static bool is_complete(const struct iscsi_tx_batch *b, const struct iscsi_out *out)
{
	const struct iscsi_tx_pdu *newest = b->npdus ? &b->pdus[b->npdus - 1] : NULL;

	return newest && newest->out == out && newest->last;
}

/* Fills the batch with the next PDUs of the queue. */
static void fill_batch(struct iscsi_conn *conn, struct iscsi_tx_batch *b)
{
	struct iscsi_tx *tx = &conn->tx;
	struct list *node = tx->partial ? &tx->pdu.out->node : tx->queue.next;
	uint32_t statsn = conn->statsn;
	struct iscsi_cursor cursor = list_entry(node, struct iscsi_out, node)->cursor;

	b->npdus = b->iovcnt = 0;
	b->bytes = 0;
	if (tx->partial) {
		b->pdus[0] = tx->pdu;
		add_pdu(b, tx->partial);
		statsn = tx->pdu.statsn_after;
		cursor = tx->pdu.after;
	}
	while (node != &tx->queue && has_room(b)) {
		struct iscsi_out *out = list_entry(node, struct iscsi_out, node);
		struct iscsi_tx_pdu *pdu = &b->pdus[b->npdus];

		pdu->after = cursor;
		if (!is_complete(b, out) && build(conn, out, pdu, statsn)) {
			add_pdu(b, 0);
			statsn = pdu->statsn_after;
			cursor = pdu->after;
			continue;
		}
		node = node->next;
		if (node != &tx->queue)
			cursor = list_entry(node, struct iscsi_out, node)->cursor;
	}
}

/*
 * Removes from the queue what was sent: as many bytes at the beginning of the batch as the socket has
 * accepted.
 */
static void commit(struct iscsi_conn *conn, struct iscsi_tx_batch *b, size_t sent)
{
	struct iscsi_tx *tx = &conn->tx;

	sent += tx->partial;
	tx->partial = 0;
	for (unsigned i = 0; i < b->npdus; i++) {
		struct iscsi_tx_pdu *pdu = &b->pdus[i];

		if (sent < pdu->wire_len) {
			if (sent)
				tx->pdu = *pdu;
			tx->partial = (uint32_t)sent;
			return;
		}
		sent -= pdu->wire_len;
		conn->statsn = pdu->statsn_after;
		pdu->out->cursor = pdu->after;
		if (pdu->last)
			item_over(conn, pdu->out);
	}
}

void iscsi_tx_flush(struct iscsi_conn *conn)
{
	struct iscsi_tx_batch *b = conn->il->batch;

	conn->tx.fresh_bytes = 0;
	while (!list_empty(&conn->tx.queue) && !conn->tx.blocked) {
		struct msghdr msg = {.msg_iov = b->iov};
		ssize_t n;

		fill_batch(conn, b);
		if (!b->npdus) { /* These were R2Ts that are not needed any more. */
			item_over(conn, list_entry(conn->tx.queue.next, struct iscsi_out, node));
			continue;
		}
		msg.msg_iovlen = b->iovcnt;
		do {
			n = sendmsg(conn->watch.fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL);
		} while (n < 0 && errno == EINTR);
		if (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK) {
			iscsi_conn_close(conn, strerror(errno));
			return;
		}
		if (n > 0)
			conn->last_tx_ns = loop_now_ns(conn->il->loop);
		conn->tx.blocked = n < 0 || (size_t)n < b->bytes;
		commit(conn, b, n < 0 ? 0 : (size_t)n);
	}
}
