/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One SCSI command of a session, from its header to the last byte of its response. Tasks are allocated from
 * the slab of the loop.
 */
#ifndef ISCSI_TASK_H
#define ISCSI_TASK_H

#include "iscsi/session.h"

/* The states of a task, in the order in which it can go through them. */
enum iscsi_task_state {
	/* The task waits for Data-Out. Its R2Ts may be in the output queue. */
	ISCSI_TASK_GATHER,
	/* The device server executes the command. */
	ISCSI_TASK_RUN,
	/* The response is in the output queue. */
	ISCSI_TASK_SEND,
	/* The task has ended while it waited for Data-Out, and one of its R2Ts is partly sent. */
	ISCSI_TASK_DEAD,
};

struct iscsi_task {
	struct scsi_cmd cmd;
	struct iscsi_conn *conn;
	/* NULL if there is no such LUN, or if the task does not use it any more. */
	struct iscsi_lun *lun;
	struct iscsi_out out;
	/* Links the task into session->tasks. */
	struct list node;
	struct iscsi_task *hash_next;
	enum iscsi_task_state state;

	/* These members are copied from the command PDU. */
	uint32_t itt, edtl;
	uint8_t lun_bytes[8];
	bool immediate, expects_in, expects_out;
	uint8_t cdb[16];
	/* An extended CDB in memory of its own, or NULL. */
	uint8_t *long_cdb;

	/* Whether MaxCmdSN has been advanced for this task. */
	bool credited;
	/* The time of CLOCK_MONOTONIC at which a running task expires, or 0 if it does not expire. */
	uint64_t deadline_ns;
	/*
	 * The task has run for too long: it was answered while the device server still executes it, and its
	 * tag is free.
	 */
	bool expired;

	/* --- Members of gather.c and data_out.c. */
	/* Whether unsolicited Data-Out is still expected. */
	bool unsolicited;
	/* Whether R2Ts have been planned, so that ttt and the cursor are set. */
	bool soliciting;
	/* The SCSI status with which the command is answered instead of being executed, or 0. */
	uint8_t verdict;
	/* The sense code, if verdict is CHECK CONDITION. */
	uint32_t verdict_sense;
	/*
	 * The number of bytes of Data-Out to keep: the smaller one of the lengths that the CDB and the
	 * initiator announce.
	 */
	uint32_t want;
	/* The Buffer Offset that must come next. */
	uint32_t pos;
	/* The end of the current sequence. */
	uint32_t seq_end;
	/* The DataSN that must come next in this sequence. */
	uint32_t seq_sn;
	/* The number of solicited sequences that are complete. */
	uint32_t r2t_done;
	/* The Target Transfer Tag of R2TSN 0; the next R2Ts have the next tags. */
	uint32_t ttt;
	/*
	 * pos when the task last made progress, and how long it has made none since then.
	 * iscsi_gather_is_overdue() uses both.
	 */
	uint32_t seen_pos;
	uint64_t waited_ns;

	/* --- Members of data_in.c. */
	/* The number of bytes of Data-In. */
	uint32_t send_len;
	uint32_t residual;
	uint8_t residual_flags;
	/* The field SenseLength, which precedes the sense data in a SCSI Response. */
	uint8_t sense_len[2];
	/* The number of R2Ts that were sent, which is a part of ExpDataSN. */
	uint32_t r2t_count;

	/* A buffer of loop_buffer_get() for the data of the command, in either direction. */
	void *buffer;
	size_t buffer_len;
	struct iovec iov;
};

/* Makes a task for the command PDU that is being received. Returns NULL if there is no memory. */
struct iscsi_task *iscsi_task_new(struct iscsi_conn *conn);
/* Frees a task that neither the device server nor the output queue uses. */
void iscsi_task_free(struct iscsi_task *task);
/* Ends a task in the state GATHER without an answer. */
void iscsi_task_drop(struct iscsi_task *task);
/* Gets a data buffer. Returns false if the initiator already has its share, or there is no memory. */
bool iscsi_task_buffer(struct iscsi_task *task, size_t len);
/* Passes the task to the device server. The response follows later. */
void iscsi_task_submit(struct iscsi_task *task);
/*
 * Answers a task in the state RUN that has taken too long, unless too many tasks of the session were answered
 * in this way already, or the session has ended. Afterwards nothing waits for the task any more
 * (scsi_expire()).
 */
void iscsi_task_expire(struct iscsi_task *task);
/* Ends the task's use of its LUN, and of memory of its handler. */
void iscsi_task_leave_lun(struct iscsi_task *task);
/* Advances MaxCmdSN by one for this task. A second call has no effect. */
void iscsi_task_credit(struct iscsi_task *task);
static inline struct iscsi_task *iscsi_task_of(struct scsi_cmd *cmd)
{
	return container_of(cmd, struct iscsi_task, cmd);
}

#endif
