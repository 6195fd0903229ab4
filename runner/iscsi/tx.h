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
	/* The number of data bytes that were sent, or asked for by R2Ts. */
	uint32_t offset;
	/* The next DataSN or R2TSN. */
	uint32_t sn;
};

/* An item of the output queue: a task (its Data-In and response, or its R2Ts), or a message. */
struct iscsi_out {
	/* In tx->queue; an empty list when the item is not queued. */
	struct list node;
	/* NULL: the item is a message. */
	struct iscsi_task *task;
	struct iscsi_cursor cursor;
};

enum iscsi_statsn_use {
	/* The PDU is a numbered response and takes the next StatSN. */
	ISCSI_STATSN_TAKE,
	/* Carries the next StatSN, unused (R2T, NOP-In probe: 11.8.3, 11.19.3). */
	ISCSI_STATSN_SHOW,
};

/* A PDU that belongs to no task. Allocated, and freed when it has been sent. */
struct iscsi_message {
	struct iscsi_out out;
	enum iscsi_statsn_use statsn;
	/* A Login Response: digests begin after it. */
	bool plain;
	uint32_t data_len;
	uint8_t bhs[ISCSI_BHS_LEN];
	uint8_t data[];
};

/* One PDU of a sendmsg(), without its data, which are sent from where they are. */
struct iscsi_tx_pdu {
	struct iscsi_out *out;
	/* The cursor of the item after this PDU has been sent. */
	struct iscsi_cursor after;
	uint32_t statsn_after;
	uint32_t data_len;
	/* The number of bytes on the wire, with padding and digests. */
	uint32_t wire_len;
	/* The item is complete with this PDU. */
	bool last;
	uint8_t head_len, tail_len;
	uint8_t head[ISCSI_BHS_LEN + ISCSI_DIGEST_LEN];
	/* Padding and data digest */
	uint8_t tail[8];
};

struct iscsi_tx {
	/* struct iscsi_out */
	struct list queue;
	/* The memory of the messages in the queue. */
	size_t message_bytes;
	/* Bytes of Data-In that were queued since the last attempt to send. */
	size_t fresh_bytes;
	/* The number of bytes of pdu that were sent; 0: no PDU is sent in part. */
	uint32_t partial;
	/* The PDU that is sent in part. */
	struct iscsi_tx_pdu pdu;
	/* The socket is full; EPOLLOUT reports when it is not. */
	bool blocked;
};

int iscsi_tx_batch_new(struct iscsi_tx_batch **batch);
/* Puts an item at the end of the queue, unless it is in it. It is sent at the end of the turn. */
void iscsi_tx_push(struct iscsi_conn *conn, struct iscsi_out *out);
/*
 * Makes a message with zeroed bhs and data. Returns NULL if there is no memory, or too much output waits; the
 * connection is closed.
 */
struct iscsi_message *iscsi_message_new(struct iscsi_conn *conn, uint8_t opcode, uint32_t data_len);
void iscsi_message_send(struct iscsi_conn *conn, struct iscsi_message *message);
/* Sends until the queue is empty or the socket is full. May close the connection. */
void iscsi_tx_flush(struct iscsi_conn *conn);
/* For a connection that is closing: drops all messages; tasks leave the queue. */
void iscsi_tx_drop(struct iscsi_conn *conn);
/*
 * Returns whether a PDU of out is sent in part. Then out must stay in the queue until this PDU is complete.
 */
bool iscsi_tx_begun(const struct iscsi_conn *conn, const struct iscsi_out *out);
/* Returns whether so many messages wait that the connection must not receive more requests. */
bool iscsi_tx_congested(const struct iscsi_conn *conn);
/*
 * Returns whether the queue has so much data that it is better to send it now, while the CPU caches have it,
 * than at the end of the turn.
 */
bool iscsi_tx_plenty(const struct iscsi_conn *conn);
#endif
