/* SPDX-License-Identifier: Apache-2.0 */
/* Framing: turns bytes from the socket into PDUs. */
#ifndef ISCSI_RX_H
#define ISCSI_RX_H

#include <stdbool.h>
#include <stdint.h>

#include "iscsi_login/pdu.h"

struct iscsi_conn;
struct iscsi_task;

enum iscsi_rx_stage { ISCSI_RX_BHS, ISCSI_RX_AHS, ISCSI_RX_DATA, ISCSI_RX_SKIP, ISCSI_RX_TAIL };

/* How a request is handled because of its CmdSN (RFC 7143 4.2.2.1). */
enum iscsi_turn {
	ISCSI_TURN_NOW,
	/* The request must wait, because a request with an earlier CmdSN is missing. */
	ISCSI_TURN_LATER,
	/*
	 * The request is not handled and its data are dropped: the number is outside of the window or has
	 * been used before, or the request is refused.
	 */
	ISCSI_TURN_NEVER,
};

struct iscsi_rx {
	enum iscsi_rx_stage stage;
	enum iscsi_turn turn;
	/* Where the next bytes go, or NULL if they are dropped. */
	uint8_t *dst;
	/* The number of bytes of the current range that have not been received. */
	uint32_t left;
	/* The number of bytes of the data segment that are dropped after this range. */
	uint32_t skip;
	/* The CRC32C of the data segment so far. */
	uint32_t crc;
	uint32_t data_len;
	uint32_t ahs_len;
	/* The number of PDUs received in this turn. */
	uint32_t npdus;
	uint8_t tail_len;
	/* Whether this connection caused work in the last turn (work.h). */
	bool worked;
	/* Whether nothing is received because too much output waits. */
	bool paused;
	/* The memory of a data segment that is kept as a whole. It is freed after the PDU. */
	uint8_t *data;
	uint32_t data_size;
	/* The task to which the data segment belongs. */
	struct iscsi_task *task;
	uint8_t tail[8];
	uint8_t head[ISCSI_BHS_LEN + ISCSI_AHS_MAX + ISCSI_DIGEST_LEN];
};

/* Waits for the next PDU. */
void iscsi_rx_start(struct iscsi_conn *conn);
/*
 * Receives the bytes that wait at the socket, up to a limit. If hangup is true, the end of the stream may
 * have been reported already. May close the connection.
 */
void iscsi_rx_ready(struct iscsi_conn *conn, bool hangup);
/* Frees the memory of the last PDU, and waits for the next one. */
void iscsi_rx_free(struct iscsi_conn *conn);
/*
 * For the begin functions of PDUs. Sets where the first len bytes of the data segment go; the other bytes are
 * dropped.
 */
void iscsi_rx_store(struct iscsi_conn *conn, uint8_t *dst, uint32_t len);

/*
 * Makes memory for the whole data segment of the PDU that is being received. Returns false if the connection
 * was closed.
 */
bool iscsi_rx_keep_whole(struct iscsi_conn *conn);

/*
 * Two functions handle each kind of PDU (the table kinds in dispatch.c). begin runs when the header
 * is complete and says where the data go (iscsi_rx_store()); end runs when the data are complete.
 * Both return false if the connection was closed.
 */
#endif
