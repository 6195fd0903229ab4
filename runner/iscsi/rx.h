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

/* What becomes of a request by its CmdSN (RFC 7143 4.2.2.1). */
enum iscsi_turn {
	ISCSI_TURN_NOW,
	ISCSI_TURN_LATER, /* an earlier one is missing */
	ISCSI_TURN_NEVER, /* outside of the window, or there already; also: refused */
};

struct iscsi_rx {
	enum iscsi_rx_stage stage;
	enum iscsi_turn turn;
	uint8_t *dst;  /* the range that is being filled; NULL: bytes are dropped */
	uint32_t left; /* bytes missing in it */
	uint32_t skip; /* bytes of the data segment to drop after it */
	uint32_t crc;  /* of the data segment so far */
	uint32_t data_len;
	uint32_t ahs_len;
	uint32_t npdus; /* received in this turn */
	uint8_t tail_len;
	/* In the last turn, this connection caused work (work.h). */
	bool worked;
	bool paused; /* too much output waits: nothing is received until it is sent */
	/* The data segment of a PDU that wants it whole; allocated, freed after the PDU. */
	uint8_t *data;
	uint32_t data_size;
	struct iscsi_task *task; /* the task that the data segment belongs to */
	uint8_t tail[8];
	uint8_t head[ISCSI_BHS_LEN + ISCSI_AHS_MAX + ISCSI_DIGEST_LEN];
};

void iscsi_rx_start(struct iscsi_conn *conn);
/* Receives what is there, within a budget. hangup: the end of the stream may have been reported already. May
 * close the connection. */
void iscsi_rx_ready(struct iscsi_conn *conn, bool hangup);
void iscsi_rx_free(struct iscsi_conn *conn);
/* For the begin functions of PDUs: where the first len bytes of the data segment go; the rest is dropped. */
void iscsi_rx_store(struct iscsi_conn *conn, uint8_t *dst, uint32_t len);

/*
 * The framing calls two functions for each kind of PDU (the table kinds in rx.c). begin runs when the header is complete
 * and says where the data go (iscsi_rx_store()); end runs when the data are complete. Both return false if the connection
 * was closed.
 */
#endif
