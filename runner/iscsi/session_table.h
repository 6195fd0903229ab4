/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of all sessions and of their initiators. An initiator is identified by its name (InitiatorName).
 * All its sessions together have one share of the places and, on each loop, one share of the data buffers.
 */
#ifndef ISCSI_SESSION_TABLE_H
#define ISCSI_SESSION_TABLE_H

#include <stdalign.h>
#include <stddef.h>
#include <stdint.h>

#include "loop/loop.h"
#include "model/name.h"
#include "util/list.h"

#define ISCSI_SESSION_BUCKETS 1024

struct iscsi_conn;
struct iscsi_server;
struct iscsi_session;

/*
 * The share of an initiator on one loop. Only this loop uses it. The alignment gives it a cache line of its
 * own.
 */
struct iscsi_initiator_part {
	/*
	 * The account for the data buffers of its commands, and for the buffers that the backstore takes for
	 * them.
	 */
	alignas(64) struct loop_buffer_account buffers;
};

struct iscsi_initiator {
	/* Links the initiator into the hash table. node and nsessions are guarded by server->lock. */
	struct list node;
	unsigned nsessions;
	/* The number of sessions that are in the table or still have commands in flight. */
	unsigned nholders;
	char name[MODEL_NAME_SIZE];
	/* An array with one element for each loop. */
	struct iscsi_initiator_part parts[];
};

/* All members are guarded by server->lock. */
struct iscsi_session_table {
	struct list sessions[ISCSI_SESSION_BUCKETS];
	struct list initiators[ISCSI_SESSION_BUCKETS];
	uint64_t tsih_used[65536 / 64];
	uint16_t tsih_last;
};

void iscsi_session_table_init(struct iscsi_session_table *table);
/*
 * Enters the session into the table and gives it a TSIH. Returns 0 or one of these errors. -EBUSY: an older
 * session of the same I_T nexus must end first; conn->move is posted when it has ended. -EMLINK: the
 * initiator wants a second connection. -ENOENT: the initiator names a TSIH that no session has. -ENOSPC:
 * there is no TSIH or no memory, or this initiator may have no more sessions.
 */
int iscsi_session_register(struct iscsi_session *session, uint16_t wanted_tsih);
/*
 * Removes the session from the table, so that its I_T nexus may begin a new session. Its commands that have
 * expired still use buffers of the initiator.
 */
void iscsi_session_unregister(struct iscsi_session *session);
/* To be called after iscsi_session_unregister(), when the session uses no buffers any more. */
void iscsi_session_release_initiator(struct iscsi_session *session);
/* Stops a connection from waiting for the end of another session, unless that session has already ended. */
void iscsi_session_unwait(struct iscsi_conn *conn);
/*
 * Any thread; takes server->lock. Calls visit() for each session of the table with the lock held, until
 * visit() returns false.
 */
void iscsi_sessions_visit(struct iscsi_server *server,
			  bool (*visit)(struct iscsi_session *session, void *arg), void *arg);
/* Ends all other sessions of the session's target. */
void iscsi_session_end_others(struct iscsi_session *session);
#endif
