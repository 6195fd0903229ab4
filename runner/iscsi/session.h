/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A session: an I_T nexus with its LUNs and its tasks. Belongs to its connection's loop; only table, waiters
 * and end_reason are shared, under server->lock.
 */
#ifndef ISCSI_SESSION_H
#define ISCSI_SESSION_H

#include "iscsi/conn.h"
#include "scsi/scsi.h"

#define ISCSI_TASK_BUCKETS 64
#define ISCSI_ANSWER_MAX   65536 /* bytes of text that answer a Text Request */

struct iscsi_lun {
	struct scsi_nexus nexus; /* nexus.lu is NULL where the target has no such LUN */
	uint32_t running;        /* commands submitted and not done */
};

/* A task management function on its way through one LUN after the other (tmf.c). */
struct iscsi_tmf {
	struct scsi_tmf scsi;
	struct iscsi_conn *conn;
	enum scsi_tmf_function function;
	struct iscsi_task *task; /* ABORT TASK */
	unsigned lun, end;       /* the next one to do, and where to stop */
	bool started;            /* scsi is submitted */
	bool busy_only;          /* LUNs without a command of ours are left alone */
	bool cold;               /* TARGET COLD RESET */
	uint8_t itt[4];
	void (*over)(struct iscsi_tmf *tmf);
};

struct iscsi_session {
	struct list node;       /* server->table; empty list when not in it */
	struct list waiters;    /* struct iscsi_conn.wait: log in when this one has ended */
	const char *end_reason; /* NULL: nobody has asked for its end */
	struct loop_work end;   /* posted when end_reason was set */

	/* fixed at login */
	struct iscsi_conn *conn;
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
	size_t buffer_bytes; /* of the loop's limit: held by the tasks */
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
	uint8_t *text_in, *text_out;
	uint32_t text_in_len, text_out_len, text_out_sent;
	uint32_t text_ttt;
	bool text_open; /* the initiator may go on with text_ttt */
};

/* From a finished login. NULL without memory. */
struct iscsi_session *iscsi_session_new(struct iscsi_conn *conn, const struct iscsi_login_result *result);
/* Never registered. */
void iscsi_session_free(struct iscsi_session *session);

/*
 * Enters the session into the table and gives it a TSIH. 0; -EBUSY when an older session of the same I_T
 * nexus must end first: conn->move is posted then; -EMLINK when the initiator wants a second connection;
 * -ENOENT when the initiator names a TSIH that no session has; -ENOSPC.
 */
int iscsi_session_register(struct iscsi_session *session, uint16_t wanted_tsih);
/* The connection, which waits for another's session to end, does so no more, if the end has not come yet. */
void iscsi_session_unwait(struct iscsi_conn *conn);
/* Ends all other sessions of the session's target. */
void iscsi_session_end_others(struct iscsi_session *session);
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

/* hold.c: a SCSI command that is held ends, as asked for by task management. False: there is none with this
 * ITT. */
bool iscsi_hold_abort(struct iscsi_session *session, uint32_t itt);
/* All of lun, or of all LUNs, that come before cmdsn. */
void iscsi_hold_abort_all(struct iscsi_session *session, const struct iscsi_lun *lun, uint32_t cmdsn);
/* RFC 7143 11.6.1: the command with this number counts as received. False: it is outside of the window. */
bool iscsi_hold_number(struct iscsi_conn *conn, uint32_t cmdsn);

/* tmf.c: runs function on LUNs [tmf->lun, tmf->end), then tmf->over(). */
void iscsi_tmf_run(struct iscsi_tmf *tmf);
#endif
