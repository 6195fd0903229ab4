/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of all sessions and of their initiators. An initiator is a name (InitiatorName): all
 * its sessions together have one share of the places and, on each loop, one share of the data
 * buffers.
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

/* What an initiator holds on one loop. Only this loop touches it; the alignment keeps it in a
 * cache line of its own. */
struct iscsi_initiator_part {
	/* The data buffers of its commands, and the buffers that the backstore takes for them. */
	alignas(64) struct loop_buffer_account buffers;
};

struct iscsi_initiator {
	/* in the hash table and, with nsessions, under server->lock */
	struct list node;
	unsigned nsessions;
	/* Sessions that are in the table or still have commands in flight. */
	unsigned nholders;
	char name[MODEL_NAME_SIZE];
	/* One for each loop. */
	struct iscsi_initiator_part parts[];
};

/* Everything in it is under server->lock. */
struct iscsi_session_table {
	struct list sessions[ISCSI_SESSION_BUCKETS];
	struct list initiators[ISCSI_SESSION_BUCKETS];
	uint64_t tsih_used[65536 / 64];
	uint16_t tsih_last;
};

void iscsi_session_table_init(struct iscsi_session_table *table);
/*
 * Enters the session into the table and gives it a TSIH. Returns 0; -EBUSY when an older session of the same
 * I_T nexus must end first: conn->move is posted then; -EMLINK when the initiator wants a second connection;
 * -ENOENT when the initiator names a TSIH that no session has; -ENOSPC when there is no TSIH, no memory, or
 * no session left for this initiator.
 */
int iscsi_session_register(struct iscsi_session *session, uint16_t wanted_tsih);
/* The session leaves the table, and its I_T nexus may begin a new one. Its commands that have expired still
 * hold buffers of the initiator. */
void iscsi_session_unregister(struct iscsi_session *session);
/* After iscsi_session_unregister(): the session holds no buffers any more. */
void iscsi_session_release_initiator(struct iscsi_session *session);
/* The connection waits no longer for another's session to end, if the end has not come yet. */
void iscsi_session_unwait(struct iscsi_conn *conn);
/* Any thread, takes server->lock. Calls visit() for each session of the table with the lock held, until
 * visit() returns false. */
void iscsi_sessions_visit(struct iscsi_server *server,
			  bool (*visit)(struct iscsi_session *session, void *arg), void *arg);
/* Ends all other sessions of the session's target. */
void iscsi_session_end_others(struct iscsi_session *session);
#endif
