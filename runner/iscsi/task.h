/* SPDX-License-Identifier: Apache-2.0 */
/* One SCSI command of a session, from its header to its last byte of response. From the loop's slab. */
#ifndef ISCSI_TASK_H
#define ISCSI_TASK_H

#include "iscsi/session.h"

/* In order of life. */
enum iscsi_task_state {
	ISCSI_TASK_GATHER, /* Data-Out is coming in; R2Ts may be in the output queue */
	ISCSI_TASK_RUN,    /* the device server has it */
	ISCSI_TASK_SEND,   /* in the output queue */
	ISCSI_TASK_DEAD,   /* ended while gathering, with half an R2T on the wire */
};

struct iscsi_task {
	struct scsi_cmd cmd;
	struct iscsi_conn *conn;
	struct iscsi_lun *lun; /* NULL: no such LUN */
	struct iscsi_out out;
	struct list node; /* session->tasks */
	struct iscsi_task *hash_next;
	enum iscsi_task_state state;

	/* the command PDU */
	uint32_t itt, edtl;
	uint8_t lun_bytes[8];
	bool immediate, expects_in, expects_out;
	uint8_t cdb[16];
	uint8_t *long_cdb; /* extended CDB; allocated */

	bool credited; /* MaxCmdSN has been advanced for it */

	/* data_out.c */
	bool unsolicited;       /* unsolicited Data-Out is still expected */
	bool soliciting;        /* R2Ts have been planned: ttt and the cursor are set */
	uint8_t verdict;        /* SCSI status to answer without running the command; 0: none */
	uint32_t verdict_sense; /* with CHECK CONDITION */
	uint32_t want; /* bytes of Data-Out to keep: what both the CDB and the initiator mean to transfer */
	uint32_t pos;  /* next Buffer Offset expected */
	uint32_t seq_end;  /* where the current sequence ends */
	uint32_t seq_sn;   /* next DataSN in it */
	uint32_t r2t_done; /* solicited sequences complete */
	uint32_t ttt;      /* Target Transfer Tag of R2TSN 0; the others follow */

	/* data_in.c */
	uint32_t send_len; /* bytes of Data-In */
	uint32_t residual;
	uint8_t residual_flags;
	uint8_t sense_len[2]; /* as the SCSI Response carries it before the sense */
	uint32_t r2t_count;   /* R2Ts sent: part of ExpDataSN */

	void *buffer; /* from loop_buffer_get, for either direction */
	size_t buffer_len;
	struct iovec iov;
};

/* The command being received becomes a task of the session: NULL without memory. */
struct iscsi_task *iscsi_task_new(struct iscsi_conn *conn);
/* Not with the device server, not in the output queue. */
void iscsi_task_free(struct iscsi_task *task);
/* Ends a task that is still gathering; nothing is answered. */
void iscsi_task_drop(struct iscsi_task *task);
bool iscsi_task_buffer(struct iscsi_task *task, size_t len);
/* Hands the task to the device server; its response follows. */
void iscsi_task_submit(struct iscsi_task *task);
/* MaxCmdSN moves on by one for this task, once. */
void iscsi_task_credit(struct iscsi_task *task);
static inline struct iscsi_task *iscsi_task_of(struct scsi_cmd *cmd)
{
	return container_of(cmd, struct iscsi_task, cmd);
}

#endif
