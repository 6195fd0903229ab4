/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One connection: its socket, the PDU that is being received, and the PDUs that wait to be sent. A
 * connection belongs to one loop, and all functions here run on this loop. MaxConnections is 1, so
 * a session has one connection, and the command numbering of the session is kept here without a
 * lock.
 *
 * The states follow each other: LOGIN, JOINING (only while an older session of the same I_T nexus
 * ends), FULL, CLOSING. A connection is freed by its own deferred work only (conn_turn() in
 * conn.c), so it stays valid for all functions that are being executed when it is closed.
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

/* What the search for an initiator that does not send its Data-Out compares (gather.c). */
struct iscsi_gather {
	/* Data-Out received. */
	uint64_t bytes;
	/* Commands whose Data-Out is complete. */
	unsigned nfinished;
	/* At the last progress. */
	uint64_t seen_bytes, seen_ns;
	unsigned seen_finished;
};

enum iscsi_conn_state { ISCSI_CONN_LOGIN, ISCSI_CONN_JOINING, ISCSI_CONN_FULL, ISCSI_CONN_CLOSING };

struct iscsi_conn {
	struct iscsi_loop *il;
	/* In il->conns. */
	struct list node;
	enum iscsi_conn_state state;
	/* watch.fd is -1 after the socket was closed. */
	struct loop_watch watch;
	/* One after the other: the end of the login time, the silence of the initiator, the end
	 * of draining. */
	struct loop_timer timer;
	/* Deferred: sends the output queue, or frees the connection. */
	struct loop_work turn;
	/* Posted when the connection gets its place, and when the older session for which it
	 * waits has ended. */
	struct loop_work move;
	/* In the waiters of an older session, under server->lock. */
	struct list wait;
	/* The work move will run, so the connection must not be freed. */
	bool moving;
	/* The connection has waited for the end of an older session. */
	bool waited;
	/* See places.h. */
	struct iscsi_address *address;
	/* In address->queue. */
	struct list waiting;
	/* In places->half_open; an empty list when the connection is not half-open. */
	struct list half_open;
	uint64_t admitted_ns;
	/* The session is a discovery session. Changes on this loop, under server->lock. */
	bool discovery;
	/* The initiator has sent something. Loop 0 reads this while the connection is half-open. */
	atomic_bool heard;
	/* Posted when the connection loses its place. */
	struct loop_work evict;
	/* The work evict will run, so the connection must not be freed. */
	bool evicting;
	bool close_after_send;
	bool close_when_idle;
	/* The initiator was asked to log out, and the timer closes the connection; NULL: it was not. */
	const char *leave_reason;
	/* CmdSN and StatSN have their first values. */
	bool numbered;
	/* A NOP-In was sent, and nothing has been received since. */
	bool probing;
	/*
	 * In the full feature phase: the silence of the initiator before a NOP-In, 0: it gets none; and how
	 * long the initiator may leave a NOP-In, its input or the Data-Out of its commands waiting.
	 */
	unsigned nopin_interval_s, nopin_timeout_s;
	/* In the full feature phase: how long one command may wait for Data-Out; 0: as the others say. */
	unsigned dataout_timeout_s;
	/* When the connection came to this loop. */
	uint64_t began_ns;
	/* The time limit of the target that the initiator named has been set. */
	bool login_timed;
	/* When the socket last gave or took bytes. */
	uint64_t last_rx_ns, last_tx_ns;

	uint32_t statsn, exp_cmdsn, max_cmdsn;
	struct iscsi_params params;
	struct iscsi_rx rx;
	struct iscsi_tx tx;
	struct iscsi_gather gather;

	/* A reference. */
	struct model_np *np;
	/* In the states LOGIN and JOINING. */
	struct iscsi_login *login;
	/* In the state JOINING: the response that will begin the full feature phase; allocated. */
	struct iscsi_login_response *login_last;
	/* From the end of the login until all tasks are over. */
	struct iscsi_session *session;
	/* "10.0.0.1:4711" and "10.0.0.2:3260" */
	char peer[64], local[64];
	/* The subject of log lines: peer, and after login "iqn...,10.0.0.1:4711". */
	const char *name;
	char *name_memory;
};

static inline const struct iscsi_bhs *iscsi_rx_bhs(const struct iscsi_conn *conn)
{
	return (const struct iscsi_bhs *)conn->rx.head;
}

static inline uint8_t iscsi_rx_opcode(const struct iscsi_conn *conn)
{
	return conn->rx.head[0] & ISCSI_OP_MASK;
}

/* Serial number arithmetic (RFC 7143 4.2.2.1, RFC 1982): a < b. */
static inline bool iscsi_sn_before(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) < 0;
}

/*
 * Loop 0: makes a connection that is to enter (places.h). Returns NULL, and closes fd, if there is no memory.
 */
struct iscsi_conn *iscsi_conn_new(struct iscsi_loop *il, int fd, struct model_np *np,
				  const struct sockaddr_storage *addr);
/* Frees a connection that has not arrived at its loop, and closes its socket. */
void iscsi_conn_free(struct iscsi_conn *conn);
/* Closes the connection now. Tasks are aborted, and the connection is freed when they are over.
 * The output queue is not sent: at ErrorRecoveryLevel 0 the initiator gives up all tasks with
 * the connection (RFC 7143 7.1.4.4). Does nothing if the connection is closing already. */
void iscsi_conn_close(struct iscsi_conn *conn, const char *reason);
/* Closes the connection after the output queue has been sent. */
void iscsi_conn_finish(struct iscsi_conn *conn);
/* Asks the initiator to log out, and closes the connection if that does not happen in a short time. A
 * connection that has not logged in is closed at once. */
void iscsi_conn_ask_to_leave(struct iscsi_conn *conn, const char *reason);
/* The model has changed: the session takes its new LUN map, or ends. */
void iscsi_conn_update(struct iscsi_conn *conn);
/* Does what the stop phase of the loop asks for. */
void iscsi_conn_phase(struct iscsi_conn *conn);
/* Schedules the deferred work (turn). */
void iscsi_conn_wake(struct iscsi_conn *conn);
/* The full feature phase begins: from now on the timer looks for silent initiators. target is NULL in
 * discovery. */
void iscsi_conn_full(struct iscsi_conn *conn, const struct model_login *target);
/* The initiator has named a target whose logins have this time limit, from the start of the login. */
void iscsi_conn_limit_login(struct iscsi_conn *conn, unsigned seconds);
#endif
