/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A session: an I_T nexus with its LUNs and its tasks. It belongs to the loop of its connection. Other loops
 * use only the members node, waiters, end_reason and kicked, under server->lock.
 */
#ifndef ISCSI_SESSION_H
#define ISCSI_SESSION_H

#include <stdatomic.h>

#include "iscsi/conn.h"
#include "iscsi/hold.h"
#include "iscsi/lun.h"
#include "iscsi/tmf.h"
#include "scsi/scsi.h"

#define ISCSI_TASK_BUCKETS 64

struct iscsi_session {
	/* Links the session into the session table. */
	struct list node;
	/*
	 * A list of struct iscsi_conn (member wait): connections whose login waits for the end of this
	 * session.
	 */
	struct list waiters;
	/* Why another session has asked this one to end, or NULL if none has. */
	const char *end_reason;
	/* Work that is posted when end_reason is set. It closes the connection. */
	struct loop_work end;
	/* Whether an administrator has asked this session to end. */
	bool kicked;
	/* Work that is posted when kicked is set. It asks the initiator to log out. */
	struct loop_work kick;

	/* The members from conn to it_nexus do not change after the login. */
	struct iscsi_conn *conn;
	/*
	 * The initiator, from iscsi_session_register() to iscsi_session_release_initiator(). NULL in a
	 * discovery session.
	 */
	struct iscsi_initiator *initiator;
	/* The share of the initiator on this session's loop. */
	struct iscsi_initiator_part *share_here;
	bool discovery;
	/* Whether this initiator may end the sessions of all initiators (struct model_login). */
	bool cold_reset;
	/* The name of the target, or "" in a discovery session. */
	char target_name[MODEL_NAME_SIZE];
	uint16_t tag;
	char initiator_name[MODEL_NAME_SIZE];
	/* The alias of the initiator, or NULL if it has none. */
	char *initiator_alias;
	char initiator_port[MODEL_NAME_MAX + 24];
	char target_port[MODEL_NAME_MAX + 16];
	uint8_t isid[6];
	/* CLOCK_MONOTONIC */
	uint64_t began_ns;
	uint16_t tsih, cid;
	/* The negotiated parameters at the end of the login. */
	struct iscsi_params params;
	struct scsi_it_nexus it_nexus;

	/*
	 * Statistics. The loop of the session writes them, and any thread reads them (util/counter.h).
	 */
	_Atomic uint64_t commands, read_bytes, write_bytes;

	struct iscsi_luns luns;
	/*
	 * What the initiator knows of its LUNs, or NULL. It is set from the end of the login until the
	 * session leaves the table.
	 */
	struct inventory *known_luns;
	/*
	 * The model's record of an initiator without an ACL, from the end of the login until the initiator
	 * gets an ACL or the session ends; or NULL. The session has a reference.
	 */
	struct model_dynamic *dynamic;
	/*
	 * Whether the initiator's ACL was created during the session, so that the initiator has not
	 * authenticated itself as this ACL may demand.
	 */
	bool acl_is_new;
	/* A list of struct iscsi_held, in the order of CmdSN. */
	struct list held;
	uint32_t held_bytes;
	/* Tasks by Initiator Task Tag. */
	struct iscsi_task *hash[ISCSI_TASK_BUCKETS];
	struct list tasks;
	unsigned ntasks, nimmediate, nexpired;
	unsigned ntmfs;
	/* Whether a task management function for all LUNs is in progress. */
	bool resets_all;
	uint32_t next_ttt;
	/*
	 * Whether the session is in the table. Only its own loop reads and writes this field; other loops
	 * change node when they add or remove a neighbour in the list.
	 */
	bool registered;
	/* Whether end and kick, which are posted at most once, have run. */
	bool end_ran, kick_ran;
	/* Whether the session has ended while commands were in flight (expiry.h). */
	bool expires;
	/* Whether a Logout Request waits until all tasks have ended. */
	bool logout;
	uint8_t logout_itt[4];

	/*
	 * A text exchange in progress (text_exchange.c): the part of the request that was received, and how
	 * much of the answer was sent.
	 */
	uint8_t *text_in;
	uint32_t text_in_len;
	struct iscsi_answer *answer;
	uint32_t answer_sent;
	uint32_t text_ttt;
	/* Whether the initiator may continue the exchange with text_ttt. */
	bool text_open;
};

/* Creates a session from the result of a successful login. Returns NULL if memory is short. */
struct iscsi_session *iscsi_session_new(struct iscsi_conn *conn, const struct iscsi_login_result *result);
/*
 * To be called when the session has entered the table, before its first command. If the LUNs have changed
 * since the initiator last asked for them, its LUNs report this.
 */
void iscsi_session_begin(struct iscsi_session *session);
/* Frees a session that is not in the table. */
void iscsi_session_free(struct iscsi_session *session);

/*
 * If an ACL was created for the initiator, the session changes to the view of this ACL. Returns false if the
 * session must end, because the ACL has been deleted since, or demands authentication.
 */
bool iscsi_session_follow_acl(struct iscsi_session *session);

/*
 * Ends all tasks after the connection has been closed. iscsi_conn_wake() is called when the last task has
 * ended.
 */
void iscsi_session_end(struct iscsi_session *session);
/*
 * To be called from the connection's deferred work after iscsi_session_end(). The session leaves the table as
 * soon as its commands have ended or expired, so that the initiator can log in again. If none of its commands
 * is in flight, frees the session and returns true.
 */
bool iscsi_session_reap(struct iscsi_session *session);
/* Returns whether the session has tasks that have not expired. */
static inline bool iscsi_session_is_busy(const struct iscsi_session *session)
{
	return session->ntasks != session->nexpired;
}

/*
 * server->lock must be held, and the session must be in the table. Asks the initiator to log out, and ends
 * the session a short time later.
 */
void iscsi_session_kick(struct iscsi_session *session);

/* Returns the name of the session for the log: the name of the target, or "discovery". */
static inline const char *iscsi_session_name(const struct iscsi_session *session)
{
	return session->discovery ? "discovery" : session->target_name;
}
struct iscsi_task *iscsi_session_task(const struct iscsi_session *session, uint32_t itt);
#endif
