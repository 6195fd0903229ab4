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

/* The position up to which an item has been sent. */
struct iscsi_cursor {
	/* The number of data bytes that were sent, or that R2Ts have requested. */
	uint32_t offset;
	/* The next DataSN or R2TSN. */
	uint32_t sn;
};

/* An item of the output queue: a task (its Data-In and response, or its R2Ts), or a message. */
struct iscsi_out {
	/* Links the item into tx->queue. It is an empty list if the item is not queued. */
	struct list node;
	/* NULL if the item is a message. */
	struct iscsi_task *task;
	struct iscsi_cursor cursor;
};

enum iscsi_statsn_use {
	/* The PDU is a numbered response and takes the next StatSN. */
	ISCSI_STATSN_TAKE,
	/*
	 * The PDU carries the next StatSN without using it up (R2T and NOP-In ping; RFC 7143 11.8.3,
	 * 11.19.3).
	 */
	ISCSI_STATSN_SHOW,
};

/* A PDU that belongs to no task. It is freed when it has been sent. */
struct iscsi_message {
	struct iscsi_out out;
	enum iscsi_statsn_use statsn;
	/* Whether this is a Login Response, which never has digests. */
	bool plain;
	uint32_t data_len;
	uint8_t bhs[ISCSI_BHS_LEN];
	uint8_t data[];
};

/* One PDU of a sendmsg(), without its data, which are sent from the memory where they are. */
struct iscsi_tx_pdu {
	struct iscsi_out *out;
	/* The cursor of the item when this PDU has been sent. */
	struct iscsi_cursor after;
	uint32_t statsn_after;
	uint32_t data_len;
	/* The number of bytes to send, with padding and digests. */
	uint32_t wire_len;
	/* Whether this is the last PDU of the item. */
	bool last;
	uint8_t head_len, tail_len;
	uint8_t head[ISCSI_BHS_LEN + ISCSI_DIGEST_LEN];
	/* The padding and the data digest. */
	uint8_t tail[8];
};

struct iscsi_tx {
	/* A list of struct iscsi_out. */
	struct list queue;
	/* The size of the messages in the queue. */
	size_t message_bytes;
	/* The number of bytes of Data-In that were queued since the last attempt to send. */
	size_t fresh_bytes;
	/* The number of bytes of pdu that were sent, or 0 if no PDU is sent in part. */
	uint32_t partial;
	/* The PDU that is sent in part. */
	struct iscsi_tx_pdu pdu;
	/* Whether the socket is full. EPOLLOUT reports when it has room again. */
	bool blocked;
};

int iscsi_tx_batch_new(struct iscsi_tx_batch **batch);
/*
 * Adds an item at the end of the queue, unless it is in the queue already. It is sent at the end of the turn.
 */
void iscsi_tx_push(struct iscsi_conn *conn, struct iscsi_out *out);
/*
 * Makes a message with zeroed bhs and data. If there is no memory, or too much output waits, closes the
 * connection and returns NULL.
 */
struct iscsi_message *iscsi_message_new(struct iscsi_conn *conn, uint8_t opcode, uint32_t data_len);
void iscsi_message_send(struct iscsi_conn *conn, struct iscsi_message *message);
/* Sends until the queue is empty or the socket is full. May close the connection. */
void iscsi_tx_flush(struct iscsi_conn *conn);
/* For a connection that is closing. Drops all messages, and removes tasks from the queue. */
void iscsi_tx_drop(struct iscsi_conn *conn);
/*
 * Returns whether a PDU of out is sent in part. In this case out must stay in the queue until this PDU is
 * complete.
 */
bool iscsi_tx_begun(const struct iscsi_conn *conn, const struct iscsi_out *out);
/* Returns whether so many messages wait that the connection must not receive more requests. */
bool iscsi_tx_congested(const struct iscsi_conn *conn);
/*
 * Returns whether the queue has so much data that it is better to send it now, while it is in the CPU caches,
 * than at the end of the turn.
 */
bool iscsi_tx_is_large(const struct iscsi_conn *conn);
#endif
