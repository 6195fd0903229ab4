/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One connection: a socket, the PDU that is coming in, the PDUs that go out. It belongs to one loop, and
 * everything here runs on that loop. MaxConnections is 1, so its session lives and dies with it, and the
 * command numbering of the session is kept here without a lock.
 *
 * Life: LOGIN → (JOINING while an older session of the same name is ended) → FULL → CLOSING. A connection is
 * freed by its own deferred work only (conn.c, conn_turn), so no caller up the stack loses it under its feet.
 */
#ifndef ISCSI_CONN_H
#define ISCSI_CONN_H

#include "iscsi_login/login.h"
#include "iscsi_login/pdu.h"
#include "iscsi/server.h"
#include "util/bytes.h"
#include "util/log.h"

struct iscsi_conn;
struct iscsi_session;
struct iscsi_task;

/* --- output queue (tx.c) ---------------------------------------------------------------------- */

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

/* --- framing (rx.c) --------------------------------------------------------------------------- */

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
	bool paused;   /* too much output waits: nothing is received until it is sent */
	uint8_t *data; /* data segment of a PDU that wants it whole; allocated, freed after the PDU */
	struct iscsi_task *task; /* the task that the data segment belongs to */
	uint8_t tail[8];
	uint8_t head[ISCSI_BHS_LEN + ISCSI_AHS_MAX + ISCSI_DIGEST_LEN];
};

/* --- connections ------------------------------------------------------------------------------ */

enum iscsi_conn_state { ISCSI_CONN_LOGIN, ISCSI_CONN_JOINING, ISCSI_CONN_FULL, ISCSI_CONN_CLOSING };

struct iscsi_conn {
	struct iscsi_loop *il;
	struct list node; /* il->conns */
	enum iscsi_conn_state state;
	struct loop_watch watch; /* fd is -1 once closed */
	struct loop_timer timer; /* login timeout; then silence of the peer; then the end of draining */
	struct loop_work turn;   /* deferred: send what is queued, or free */
	struct loop_work move;   /* posted: from accept to this loop; later, the session may be joined now */
	struct list wait;        /* in another session's waiters, under server->lock */
	bool moving;             /* move is on its way: the connection stays */
	bool waited;             /* for an older session to end */
	/* See places.h. */
	struct iscsi_address *address;
	struct list waiting;   /* in address->queue */
	struct list half_open; /* in places->half_open; an empty list when the connection is not half-open */
	uint64_t admitted_ns;
	bool discovery;    /* in a discovery session; changes under server->lock, on the connection's loop */
	atomic_bool heard; /* something was received; loop 0 reads it while the connection is half-open */
	struct loop_work evict; /* posted: others wait to log in */
	bool evicting;          /* evict is on its way: the connection stays */
	bool close_after_send;
	bool close_when_idle;
	bool numbered;                   /* CmdSN and StatSN have been started */
	bool probing;                    /* a NOP-In waits for its answer */
	uint64_t last_rx_ns, last_tx_ns; /* the socket gave or took bytes */

	uint32_t statsn, exp_cmdsn, max_cmdsn;
	struct iscsi_params params;
	struct iscsi_rx rx;
	struct iscsi_tx tx;

	const struct target_portal *portal;
	struct iscsi_login *login;               /* LOGIN and JOINING */
	struct iscsi_login_response *login_last; /* JOINING: what opens full feature phase; allocated */
	struct iscsi_session *session;           /* from login's end until all its tasks are over */
	char peer[64];                           /* "10.0.0.1:4711" */
	const char *name; /* "iqn…,10.0.0.1:4711": subject of log lines; peer until login is done */
	char *name_memory;
};

/* Serial number arithmetic (RFC 7143 4.2.2.1, RFC 1982): a < b. */
static inline bool iscsi_sn_before(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) < 0;
}

/* Loop 0: a connection that is to enter (places.h). NULL without memory; fd is closed then. */
struct iscsi_conn *iscsi_conn_new(struct iscsi_loop *il, int fd, const struct target_portal *portal,
				  const struct sockaddr_storage *addr);
/* A connection that has not arrived at its loop: closes its socket, too. */
void iscsi_conn_free(struct iscsi_conn *conn);
/* Closes now: tasks are aborted, and the connection is freed when they are over. What is queued is not sent: at
 * ErrorRecoveryLevel 0 the initiator gives all its tasks up with the connection (RFC 7143 7.1.4.4), and who
 * broke the protocol is sent nothing more. Harmless when closing already. */
void iscsi_conn_close(struct iscsi_conn *conn, const char *reason);
/* Closes after what is queued has been sent. */
void iscsi_conn_finish(struct iscsi_conn *conn);
/* Acts on the loop's phase. */
void iscsi_conn_phase(struct iscsi_conn *conn);
/* Schedules the deferred work. */
void iscsi_conn_wake(struct iscsi_conn *conn);
/* In full feature phase from now on: the timer looks for silent peers. */
void iscsi_conn_full(struct iscsi_conn *conn);

/* rx.c */
void iscsi_rx_start(struct iscsi_conn *conn);
/* Receives what is there, within a budget. hangup: the end of the stream may have been reported already. May
 * close the connection. */
void iscsi_rx_ready(struct iscsi_conn *conn, bool hangup);
void iscsi_rx_free(struct iscsi_conn *conn);
/* For the begin functions of PDUs: where the first len bytes of the data segment go; the rest is dropped. */
void iscsi_rx_store(struct iscsi_conn *conn, uint8_t *dst, uint32_t len);
static inline const struct iscsi_bhs *iscsi_rx_bhs(const struct iscsi_conn *conn)
{
	return (const struct iscsi_bhs *)conn->rx.head;
}

/* tx.c */
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

/*
 * What the framing calls for each kind of PDU (dispatch in rx.c). begin runs when the header is complete and
 * says where the data goes; end when the data is complete too. False: the connection was closed.
 */
bool iscsi_command_begin(struct iscsi_conn *conn);
bool iscsi_command_end(struct iscsi_conn *conn);
bool iscsi_data_out_begin(struct iscsi_conn *conn);
bool iscsi_data_out_end(struct iscsi_conn *conn);
bool iscsi_login_pdu(struct iscsi_conn *conn);
bool iscsi_text_pdu(struct iscsi_conn *conn);
bool iscsi_nop_out(struct iscsi_conn *conn);
bool iscsi_tmf_pdu(struct iscsi_conn *conn);
bool iscsi_logout_pdu(struct iscsi_conn *conn);

/* login_phase.c: the session that this one replaces has ended. */
void iscsi_login_join(struct iscsi_conn *conn);
/* nop.c: fired when the peer may have been silent for too long. */
void iscsi_nop_timer(struct iscsi_conn *conn);
/* logout.c: all tasks are over, the pending Logout can be answered. */
void iscsi_logout_answer(struct iscsi_conn *conn);
/* Asks the initiator to log out (RFC 7143 11.9, event 1). */
void iscsi_async_logout(struct iscsi_conn *conn, unsigned seconds);
/* reject.c: queues a Reject with the header that is being received. */
void iscsi_reject(struct iscsi_conn *conn, enum iscsi_reject_reason reason, const char *why);

/* hold.c: what came before its turn (RFC 7143 4.2.2.1), as it was received. */
struct iscsi_held {
	struct list node; /* session->held, in the order of CmdSN */
	uint32_t cmdsn;
	uint32_t itt;
	uint32_t head_len, data_len;
	bool dropped; /* the number is used up, and nothing is to be done */
	uint8_t bytes[];
};
/* Keeps the PDU that has been received. False: the connection was closed, for it holds too much. */
bool iscsi_hold(struct iscsi_conn *conn);
/* What is due now, out of the list; to be freed. NULL: nothing. */
struct iscsi_held *iscsi_hold_next(struct iscsi_conn *conn);
void iscsi_hold_free(struct iscsi_session *session);
#endif
