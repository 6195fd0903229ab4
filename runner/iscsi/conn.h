/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One connection: its socket, the PDU that is being received, and the PDUs that wait to be sent. A connection
 * belongs to one loop, and all functions here must be called on this loop. MaxConnections is 1, so a session
 * has one connection, and the command numbering of the session is kept here without a lock. The states follow
 * each other: LOGIN, JOINING (only while an older session of the same I_T nexus ends), FULL, CLOSING. A
 * connection is freed only by its own deferred work (conn_turn() in conn.c), so it stays valid for all
 * functions that are running when it is closed.
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

/*
 * The values that iscsi_gather_is_stalled() compares, to find an initiator that does not send its Data-Out
 * (gather.c).
 */
struct iscsi_gather {
	/* The number of bytes of Data-Out that were received. */
	uint64_t bytes;
	/* The number of commands whose Data-Out is complete. */
	unsigned nfinished;
	/* The number of bytes at the last progress, and the time of it. */
	uint64_t seen_bytes, seen_ns;
	unsigned seen_finished;
};

enum iscsi_conn_state { ISCSI_CONN_LOGIN, ISCSI_CONN_JOINING, ISCSI_CONN_FULL, ISCSI_CONN_CLOSING };

struct iscsi_conn {
	struct iscsi_loop *il;
	/* Links the connection into il->conns. */
	struct list node;
	enum iscsi_conn_state state;
	/* watch.fd is -1 after the socket has been closed. */
	struct loop_watch watch;
	/*
	 * The timer has three uses, one after the other: the time limit of the login, the silence of the
	 * initiator, and the time limit of the draining.
	 */
	struct loop_timer timer;
	/* The deferred work, which sends the output queue or frees the connection. */
	struct loop_work turn;
	/*
	 * Work that is posted when the connection gets its place, and when the older session has ended for
	 * which the connection waits.
	 */
	struct loop_work move;
	/* Links the connection into session.waiters of an older session, under server->lock. */
	struct list wait;
	/* The work move was posted and has not run yet, so the connection must not be freed. */
	bool moving;
	/* The connection has had to wait for the end of an older session. */
	bool waited;
	/* See places.h. */
	struct iscsi_address *address;
	/* Links the connection into address->queue. */
	struct list waiting;
	/*
	 * Links the connection into places->half_open. It is an empty list if the connection is not
	 * half-open.
	 */
	struct list half_open;
	uint64_t admitted_ns;
	/* Whether the session is a discovery session. Only this loop changes it, under server->lock. */
	bool discovery;
	/*
	 * Whether the initiator has sent something. Loop 0 reads this field while the connection is
	 * half-open.
	 */
	atomic_bool heard;
	/* Posted when the connection loses its place. */
	struct loop_work evict;
	/* The work evict was posted and has not run yet, so the connection must not be freed. */
	bool evicting;
	bool close_after_send;
	bool close_when_idle;
	/*
	 * Why the initiator was asked to log out, or NULL if it was not asked. If it was asked, the timer
	 * closes the connection.
	 */
	const char *leave_reason;
	/* Whether CmdSN and StatSN have their first values. */
	bool numbered;
	/* Whether a NOP-In was sent and nothing has been received since. */
	bool probing;
	/*
	 * In the full feature phase: nopin_interval_s is the time for which the initiator may be silent
	 * before it gets a NOP-In, or 0 if it gets none. nopin_timeout_s is the time for which it may leave a
	 * NOP-In unanswered, its input unread, or its commands without Data-Out.
	 */
	unsigned nopin_interval_s, nopin_timeout_s;
	/*
	 * In the full feature phase: the time for which one command may wait for Data-Out, or 0 if only
	 * nopin_timeout_s limits it.
	 */
	unsigned dataout_timeout_s;
	/* The time when the connection came to this loop. */
	uint64_t began_ns;
	/* Whether the login timer has the time limit of the target that the initiator named. */
	bool login_timed;
	/* The last times when bytes were received from the socket, and when the socket accepted bytes. */
	uint64_t last_rx_ns, last_tx_ns;

	uint32_t statsn, exp_cmdsn, max_cmdsn;
	struct iscsi_params params;
	struct iscsi_rx rx;
	struct iscsi_tx tx;
	struct iscsi_gather gather;

	/* The address of the portal; the connection holds a reference. */
	struct model_np *np;
	/* The state of the login, in the states LOGIN and JOINING. */
	struct iscsi_login *login;
	/* In the state JOINING: the response that will begin the full feature phase. */
	struct iscsi_login_response *login_last;
	/* The session, from the end of the login until all tasks have ended. */
	struct iscsi_session *session;
	/* The addresses of the initiator and of the portal, such as "10.0.0.1:4711" and "10.0.0.2:3260". */
	char peer[64], local[64];
	/*
	 * The subject of log lines: the address of the peer, and after the login also its name,
	 * "iqn...,10.0.0.1:4711".
	 */
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

/* Returns whether a is before b in serial number arithmetic (RFC 7143 4.2.2.1, RFC 1982). */
static inline bool iscsi_sn_before(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) < 0;
}

/* Loop 0. Makes a connection for iscsi_place_enter(). Returns NULL, and closes fd, if there is no memory. */
struct iscsi_conn *iscsi_conn_new(struct iscsi_loop *il, int fd, struct model_np *np,
				  const struct sockaddr_storage *addr);
/* Frees a connection that has never arrived at its loop, and closes its socket. */
void iscsi_conn_free(struct iscsi_conn *conn);
/*
 * Closes the connection without sending the output queue. Tasks are aborted, and the connection is freed when
 * they have ended. At ErrorRecoveryLevel 0, the initiator gives up all tasks of a connection that is closed
 * (RFC 7143 7.1.4.4). If the connection is closing already, nothing happens.
 */
void iscsi_conn_close(struct iscsi_conn *conn, const char *reason);
/* Closes the connection after the output queue has been sent. */
void iscsi_conn_finish(struct iscsi_conn *conn);
/*
 * Asks the initiator to log out, and closes the connection if the initiator does not log out within a short
 * time. A connection that has not logged in is closed at once.
 */
void iscsi_conn_ask_to_leave(struct iscsi_conn *conn, const char *reason);
/* Handles a change of the model: the session takes its new LUN map, or ends. */
void iscsi_conn_update(struct iscsi_conn *conn);
/* Does what the present phase of the loop's stop demands. */
void iscsi_conn_phase(struct iscsi_conn *conn);
/* Schedules the deferred work (turn) of the connection. */
void iscsi_conn_wake(struct iscsi_conn *conn);
/*
 * Begins the full feature phase: from now on, the timer looks for a silent initiator. target is NULL in a
 * discovery session.
 */
void iscsi_conn_full(struct iscsi_conn *conn, const struct model_login *target);
/*
 * Sets the time limit of the login to that of the target which the initiator has named. The time is counted
 * from the beginning of the login.
 */
void iscsi_conn_limit_login(struct iscsi_conn *conn, unsigned seconds);
#endif
