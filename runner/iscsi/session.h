/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A session: an I_T nexus with its LUNs and its tasks. Belongs to its connection's loop; only table, waiters
 * and end_reason are shared, under server->lock.
 */
#ifndef ISCSI_SESSION_H
#define ISCSI_SESSION_H

#include "iscsi/conn.h"
#include "iscsi/hold.h"
#include "iscsi/tmf.h"
#include "scsi/scsi.h"

#define ISCSI_TASK_BUCKETS 64

struct iscsi_lun {
	struct scsi_nexus nexus; /* nexus.lu is NULL where the target has no such LUN */
	uint32_t running;        /* commands submitted and not done */
};

struct iscsi_session {
	struct list node;       /* server->table; empty list when not in it */
	struct list waiters;    /* struct iscsi_conn.wait: log in when this one has ended */
	const char *end_reason; /* NULL: nobody has asked for its end */
	struct loop_work end;   /* posted when end_reason was set */

	/* fixed at login */
	struct iscsi_conn *conn;
	/* While the session is in the table; NULL: discovery. */
	struct iscsi_initiator *initiator;
	/* The initiator's part on this session's loop. */
	struct iscsi_initiator_part *held_here;
	struct target *target; /* NULL: discovery */
	char initiator_name[TARGET_NAME_MAX + 1];
	char initiator_port[TARGET_NAME_MAX + 24];
	char target_port[TARGET_NAME_MAX + 16];
	uint8_t isid[6];
	uint16_t tsih, cid;
	struct iscsi_params params; /* as login left them */
	struct scsi_it_nexus it;
	struct iscsi_lun *luns;
	unsigned nluns;

	struct list held; /* struct iscsi_held */
	uint32_t held_bytes;
	struct iscsi_task *hash[ISCSI_TASK_BUCKETS]; /* by ITT */
	struct list tasks;
	unsigned ntasks, nimmediate;
	unsigned ntmfs;
	uint32_t next_ttt;
	/* The session is in the table. Only its own loop reads and writes this: other loops change node when they enter
	 * or remove a neighbour. */
	bool registered;
	bool attached; /* the LUNs' nexuses are */
	bool end_ran;  /* end was called */
	bool logout;   /* a Logout waits until the tasks are over */
	uint8_t logout_itt[4];
	struct iscsi_tmf loss; /* what ends the tasks of a connection that is gone */

	/* Text negotiation in pieces (text_exchange.c) */
	uint8_t *text_in;
	uint32_t text_in_len;
	struct iscsi_answer *answer;
	uint32_t answer_sent;
	uint32_t text_ttt;
	bool text_open; /* the initiator may go on with text_ttt */
};

/* From a finished login. NULL without memory. */
struct iscsi_session *iscsi_session_new(struct iscsi_conn *conn, const struct iscsi_login_result *result);
/* Never registered. */
void iscsi_session_free(struct iscsi_session *session);

/* Gives each LUN its nexus. */
void iscsi_session_attach(struct iscsi_session *session);
/* The connection is closed: ends all tasks. iscsi_conn_wake() is called when the last one is over. */
void iscsi_session_end(struct iscsi_session *session);
/* From the connection's deferred work, after iscsi_session_end(): frees the session once nothing of it is in
 * flight. */
bool iscsi_session_reap(struct iscsi_session *session);

/* NULL: no such LUN, or a form of LUN that is not served. */
struct iscsi_lun *iscsi_session_lun(struct iscsi_session *session, const uint8_t lun[8]);
struct iscsi_task *iscsi_session_task(const struct iscsi_session *session, uint32_t itt);

#endif
