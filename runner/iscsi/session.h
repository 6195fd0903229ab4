/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A session: an I_T nexus with its LUNs and its tasks. It belongs to the loop of its connection.
 * Other loops touch only node, waiters and end_reason, under server->lock.
 */
#ifndef ISCSI_SESSION_H
#define ISCSI_SESSION_H

#include "iscsi/conn.h"
#include "iscsi/hold.h"
#include "iscsi/lun.h"
#include "iscsi/tmf.h"
#include "scsi/scsi.h"

#define ISCSI_TASK_BUCKETS 64

struct iscsi_session {
	/* In the session table. */
	struct list node;
	/* struct iscsi_conn.wait: connections that log in once this session has ended. */
	struct list waiters;
	/* Why another session has asked this one to end; NULL: it has not. */
	const char *end_reason;
	/* Posted when end_reason is set: closes the connection. */
	struct loop_work end;
	/* An administrator has asked this session to end. */
	bool kicked;
	/* Posted when kicked is set: asks the initiator to log out. */
	struct loop_work kick;

	/* The fields from conn to it (struct scsi_it_nexus) do not change after login. */
	struct iscsi_conn *conn;
	/* From iscsi_session_register() to iscsi_session_release_initiator(); NULL: discovery. */
	struct iscsi_initiator *initiator;
	/* The initiator's part on this session's loop. */
	struct iscsi_initiator_part *held_here;
	bool discovery;
	/* An initiator may end the sessions of all initiators (model_login). */
	bool cold_reset;
	/* "" in a discovery session. */
	char target_name[MODEL_NAME_SIZE];
	uint16_t tag;
	char initiator_name[MODEL_NAME_SIZE];
	/* Allocated; NULL: none. */
	char *initiator_alias;
	char initiator_port[MODEL_NAME_MAX + 24];
	char target_port[MODEL_NAME_MAX + 16];
	uint8_t isid[6];
	/* CLOCK_MONOTONIC */
	uint64_t began_ns;
	uint16_t tsih, cid;
	/* As they were at the end of the login. */
	struct iscsi_params params;
	struct scsi_it_nexus it;

	/* Statistics. The loop of the session writes them by iscsi_session_count(); other threads read
	 * them, atomically and without a lock. */
	uint64_t commands, read_bytes, write_bytes;

	struct iscsi_luns luns;
	/*
	 * From the end of the login of an initiator without an ACL, until the initiator gets an ACL or the
	 * session ends; NULL otherwise. The session has a reference.
	 */
	struct model_dynamic *dynamic;
	/* The initiator's ACL was created during the session, so nobody has proved to be this initiator. */
	bool acl_is_new;
	/* struct iscsi_held, in the order of CmdSN. */
	struct list held;
	uint32_t held_bytes;
	/* Tasks by Initiator Task Tag. */
	struct iscsi_task *hash[ISCSI_TASK_BUCKETS];
	struct list tasks;
	unsigned ntasks, nimmediate, nexpired;
	unsigned ntmfs;
	/* A function for all LUNs is in progress. */
	bool resets_all;
	uint32_t next_ttt;
	/* The session is in the table. Only its own loop reads and writes this: other loops
	 * change node when they enter or remove a neighbour. */
	bool registered;
	/* The works end and kick have run. */
	bool end_ran, kick_ran;
	/* The session has ended while commands were in flight (expiry.h). */
	bool expires;
	/* A Logout Request waits until all tasks are over. */
	bool logout;
	uint8_t logout_itt[4];

	/* A text exchange under way (text_exchange.c): the request so far, and how much of the
	 * answer was sent. */
	uint8_t *text_in;
	uint32_t text_in_len;
	struct iscsi_answer *answer;
	uint32_t answer_sent;
	uint32_t text_ttt;
	/* The initiator may continue the exchange with text_ttt. */
	bool text_open;
};

/* Makes a session from a finished login. Returns NULL if there is no memory. */
struct iscsi_session *iscsi_session_new(struct iscsi_conn *conn, const struct iscsi_login_result *result);
/* For a session that is not in the table. */
void iscsi_session_free(struct iscsi_session *session);

/*
 * If an ACL was created for the initiator, the session changes to the view of this ACL. Returns false if the
 * session must end, because the ACL is gone again, or demands authentication.
 */
bool iscsi_session_follow_acl(struct iscsi_session *session);

/* The connection is closed: ends all tasks. iscsi_conn_wake() is called when the last one is
 * over. */
void iscsi_session_end(struct iscsi_session *session);
/* From the connection's deferred work, after iscsi_session_end(). The session leaves the table once its
 * commands are over or have expired, so that the initiator can log in again, and is freed once nothing of it
 * is in flight; then the function returns true. */
bool iscsi_session_reap(struct iscsi_session *session);
/* Returns whether the session has tasks that have not expired. */
static inline bool iscsi_session_is_busy(const struct iscsi_session *session)
{
	return session->ntasks != session->nexpired;
}

/* With server->lock held, for a session in the table: asks its initiator to log out, and ends it a
 * short time later. */
void iscsi_session_kick(struct iscsi_session *session);

/* What the log calls the session's other end: the name of the target, or "discovery". */
static inline const char *iscsi_session_name(const struct iscsi_session *session)
{
	return session->discovery ? "discovery" : session->target_name;
}
/* Adds to a counter of a session. Only its own loop writes it, so this is not a locked instruction. */
static inline void iscsi_session_count(uint64_t *counter, uint64_t n)
{
	__atomic_store_n(counter, *counter + n, __ATOMIC_RELAXED);
}
struct iscsi_task *iscsi_session_task(const struct iscsi_session *session, uint32_t itt);
#endif
