/* SPDX-License-Identifier: Apache-2.0 */
/* Framing: bytes from the socket become PDUs. */
#ifndef ISCSI_RX_H
#define ISCSI_RX_H

#include <stdbool.h>
#include <stdint.h>

#include "iscsi_login/pdu.h"

struct iscsi_conn;
struct iscsi_task;

enum iscsi_rx_stage { ISCSI_RX_BHS, ISCSI_RX_AHS, ISCSI_RX_DATA, ISCSI_RX_SKIP, ISCSI_RX_TAIL };

/* What the CmdSN of a request means for its execution (RFC 7143 4.2.2.1). */
enum iscsi_turn {
	ISCSI_TURN_NOW,
	/* A request with an earlier CmdSN is missing. */
	ISCSI_TURN_LATER,
	/* The number is outside of the window or has come before, or the request is refused: its
	 * data are dropped. */
	ISCSI_TURN_NEVER,
};

struct iscsi_rx {
	enum iscsi_rx_stage stage;
	enum iscsi_turn turn;
	/* Where the next bytes go; NULL: they are dropped. */
	uint8_t *dst;
	/* The number of bytes that are missing in the current range. */
	uint32_t left;
	/* The number of bytes of the data segment to drop after this range. */
	uint32_t skip;
	/* CRC32C of the data segment so far. */
	uint32_t crc;
	uint32_t data_len;
	uint32_t ahs_len;
	/* The number of PDUs received in this turn. */
	uint32_t npdus;
	uint8_t tail_len;
	/* In the last turn, this connection caused work (work.h). */
	bool worked;
	/* Too much output waits, so nothing is received until it has been sent. */
	bool paused;
	/* The data segment of a PDU that needs it as a whole; allocated, and freed after the
	 * PDU. */
	uint8_t *data;
	uint32_t data_size;
	/* The task to which the data segment belongs. */
	struct iscsi_task *task;
	uint8_t tail[8];
	uint8_t head[ISCSI_BHS_LEN + ISCSI_AHS_MAX + ISCSI_DIGEST_LEN];
};

/* Waits for the next PDU. */
void iscsi_rx_start(struct iscsi_conn *conn);
/* Receives what the socket has, within a budget. hangup: the end of the stream may have been
 * reported already. May close the connection. */
void iscsi_rx_ready(struct iscsi_conn *conn, bool hangup);
/* Frees what the last PDU held, and waits for the next one. */
void iscsi_rx_free(struct iscsi_conn *conn);
/* For the begin functions of PDUs: where the first len bytes of the data segment go; the rest is
 * dropped. */
void iscsi_rx_store(struct iscsi_conn *conn, uint8_t *dst, uint32_t len);

/*
 * The PDU that is being received needs its data segment as a whole. Returns false if the connection was
 * closed.
 */
bool iscsi_rx_keep_whole(struct iscsi_conn *conn);

/*
 * Two functions handle each kind of PDU (the table kinds in dispatch.c). begin runs when the header
 * is complete and says where the data go (iscsi_rx_store()); end runs when the data are complete.
 * Both return false if the connection was closed.
 */
#endif
