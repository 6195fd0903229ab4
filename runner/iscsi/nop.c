/* SPDX-License-Identifier: Apache-2.0 */
/*
 * NOP-Out and NOP-In (RFC 7143 11.18, 11.19): answers the pings of initiators, and finds initiators that have
 * disappeared or do not respond without having closed the connection.
 */
#include "iscsi/nop.h"

#include "iscsi/gather.h"
#include "iscsi/session.h"
#include "util/clock.h"

static bool ping_reply(struct iscsi_conn *conn)
{
	const struct iscsi_nop *ping = (const void *)conn->rx.head;
	uint32_t len = MIN(conn->rx.data_len, conn->params.max_xmit_data_segment);
	struct iscsi_message *message = iscsi_message_new(conn, ISCSI_OP_NOP_IN, len);
	struct iscsi_nop *pdu;

	if (!message)
		return false;
	pdu = (struct iscsi_nop *)message->bhs;
	memcpy(pdu->lun, ping->lun, sizeof(pdu->lun));
	memcpy(pdu->itt, ping->itt, sizeof(pdu->itt));
	put_be32(pdu->ttt, ISCSI_TAG_NONE);
	if (len)
		memcpy(message->data, conn->rx.data, len);
	iscsi_message_send(conn, message);
	return true;
}

bool iscsi_nop_out(struct iscsi_conn *conn)
{
	const struct iscsi_nop *pdu = (const void *)conn->rx.head;
	if (get_be32(pdu->itt) == ISCSI_TAG_NONE)
		/* This is the answer to a NOP-In. Its arrival was recorded when it was received. */
		return true;
	return ping_reply(conn);
}

static void probe(struct iscsi_conn *conn)
{
	struct iscsi_message *message = iscsi_message_new(conn, ISCSI_OP_NOP_IN, 0);
	struct iscsi_nop *pdu;

	if (!message)
		return;
	message->statsn = ISCSI_STATSN_SHOW;
	pdu = (struct iscsi_nop *)message->bhs;
	put_be32(pdu->itt, ISCSI_TAG_NONE);
	put_be32(pdu->ttt, 1); /* Any value is possible, because there is only one NOP-In at a time. */
	iscsi_message_send(conn, message);
	conn->probing = true; /* True until something is received. */
}

/*
 * Returns for how long the initiator has been silent. While the socket is full, only reading counts as
 * activity: a NOP-In could not reach the initiator, and an initiator that always sends and never reads would
 * occupy the buffers of its commands forever.
 */
static uint64_t silence_ns(const struct iscsi_conn *conn)
{
	uint64_t last = MAX(conn->last_rx_ns, conn->last_tx_ns);

	return loop_now_ns(conn->il->loop) - (conn->tx.blocked ? conn->last_tx_ns : last);
}

/*
 * Returns the interval of the timer. Even an initiator that gets no NOP-In must read, and send its Data-Out.
 */
static uint64_t interval_ns(const struct iscsi_conn *conn)
{
	return (conn->nopin_interval_s ? conn->nopin_interval_s : conn->nopin_timeout_s) * NS_PER_S;
}

void iscsi_nop_start(struct iscsi_conn *conn)
{
	loop_timer_arm(conn->il->loop, &conn->timer, interval_ns(conn));
}

void iscsi_nop_timer(struct iscsi_conn *conn)
{
	bool waiting = conn->probing || conn->tx.blocked;
	uint64_t silence = silence_ns(conn);
	uint64_t limit = waiting ? conn->nopin_timeout_s * NS_PER_S : interval_ns(conn);

	if (iscsi_gather_is_stalled(conn)) {
		iscsi_conn_close(conn, "the initiator does not send the Data-Out of its commands");
		return;
	}
	if (silence < limit) {
		loop_timer_arm(conn->il->loop, &conn->timer, limit - silence);
		return;
	}
	if (waiting) {
		iscsi_conn_close(conn, conn->tx.blocked ? "the initiator does not read"
							: "the initiator does not answer a NOP-In");
		return;
	}
	if (conn->nopin_interval_s)
		probe(conn);
	if (conn->state == ISCSI_CONN_FULL)
		loop_timer_arm(conn->il->loop, &conn->timer, conn->nopin_timeout_s * NS_PER_S);
}
