/* SPDX-License-Identifier: Apache-2.0 */
/* The output queue of a connection. */
#ifndef ISCSI_TX_H
#define ISCSI_TX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "iscsi_login/pdu.h"
#include "util/list.h"

struct iscsi_conn;
struct iscsi_task;
struct iscsi_tx_batch;

/* How far an item has been sent. */
struct iscsi_cursor {
	uint32_t offset; /* data bytes sent, or asked for by R2T */
	uint32_t sn;     /* next DataSN or R2TSN */
};

/* Something in the output queue: a task (Data-In and response, or its R2Ts), or a message. */
struct iscsi_out {
	struct list node;        /* empty list when not queued */
	struct iscsi_task *task; /* NULL: a message */
	struct iscsi_cursor cursor;
};

enum iscsi_statsn_use {
	ISCSI_STATSN_TAKE, /* a numbered response */
	ISCSI_STATSN_SHOW, /* carries the next StatSN, unused (R2T, NOP-In probe: 11.8.3, 11.19.3) */
};

/* Any PDU that is not a task's. Allocated; freed when sent. */
struct iscsi_message {
	struct iscsi_out out;
	enum iscsi_statsn_use statsn;
	bool plain; /* Login Response: digests start after it */
	uint32_t data_len;
	uint8_t bhs[ISCSI_BHS_LEN];
	uint8_t data[];
};

/* One PDU of a send, complete but for its data, which stays where it is. */
struct iscsi_tx_pdu {
	struct iscsi_out *out;
	struct iscsi_cursor after; /* the item's cursor once this PDU is sent */
	uint32_t statsn_after;
	uint32_t data_len;
	uint32_t wire_len; /* all bytes on the wire */
	bool last;         /* the item is finished with it */
	uint8_t head_len, tail_len;
	uint8_t head[ISCSI_BHS_LEN + ISCSI_DIGEST_LEN];
	uint8_t tail[8]; /* padding and data digest */
};

struct iscsi_tx {
	struct list queue;       /* struct iscsi_out */
	size_t message_bytes;    /* memory that messages in the queue hold */
	size_t fresh_bytes;      /* of Data-In, that nothing was tried with yet */
	uint32_t partial;        /* bytes already sent of pdu; 0: none begun */
	struct iscsi_tx_pdu pdu; /* the one that is half sent */
	bool blocked;            /* the socket is full: EPOLLOUT will tell */
};

int iscsi_tx_batch_new(struct iscsi_tx_batch **batch);
/* Puts an item at the end of the queue, unless it is in it. It is sent at the end of the turn. */
void iscsi_tx_push(struct iscsi_conn *conn, struct iscsi_out *out);
/* NULL without memory, or when far too much waits already: the connection is closed then. bhs and data are
 * zeroed. */
struct iscsi_message *iscsi_message_new(struct iscsi_conn *conn, uint8_t opcode, uint32_t data_len);
void iscsi_message_send(struct iscsi_conn *conn, struct iscsi_message *message);
/* Sends until the queue is empty or the socket full. May close the connection. */
void iscsi_tx_flush(struct iscsi_conn *conn);
/* The connection is closed: drops all messages; tasks just leave the queue. */
void iscsi_tx_drop(struct iscsi_conn *conn);
/* Is out partly on the wire? Then it must stay in the queue until it is sent. */
bool iscsi_tx_begun(const struct iscsi_conn *conn, const struct iscsi_out *out);
bool iscsi_tx_congested(const struct iscsi_conn *conn);
/* So much data is in the queue that it is better sent now, while the caches have it, than at the end of the turn. */
bool iscsi_tx_plenty(const struct iscsi_conn *conn);
#endif
