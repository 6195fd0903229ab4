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

#include "iscsi/rx.h"
#include "iscsi/server.h"
#include "iscsi/tx.h"
#include "iscsi_login/login.h"
#include "util/bytes.h"
#include "util/log.h"

struct iscsi_session;
struct iscsi_task;

/* --- connections ------------------------------------------------------------------------------ */

/* What the search for an initiator that does not send its Data-Out compares (gather.c). */
struct iscsi_gather {
	uint64_t bytes;     /* Data-Out received */
	unsigned nfinished; /* commands whose Data-Out is complete */
	/* At the last progress. */
	uint64_t seen_bytes, seen_ns;
	unsigned seen_finished;
};

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
	struct iscsi_gather gather;

	const struct target_portal *portal;
	struct iscsi_login *login;               /* LOGIN and JOINING */
	struct iscsi_login_response *login_last; /* JOINING: what opens full feature phase; allocated */
	struct iscsi_session *session;           /* from login's end until all its tasks are over */
	char peer[64];                           /* "10.0.0.1:4711" */
	const char *name; /* "iqn…,10.0.0.1:4711": subject of log lines; peer until login is done */
	char *name_memory;
};

static inline const struct iscsi_bhs *iscsi_rx_bhs(const struct iscsi_conn *conn)
{
	return (const struct iscsi_bhs *)conn->rx.head;
}

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

#endif
