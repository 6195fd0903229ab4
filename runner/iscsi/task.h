/* SPDX-License-Identifier: Apache-2.0 */
/* One SCSI command of a session, from its header to the last byte of its response. Tasks come
 * from the slab of the loop. */
#ifndef ISCSI_TASK_H
#define ISCSI_TASK_H

#include "iscsi/session.h"

/* A task goes through these states in this order. */
enum iscsi_task_state {
	/* Waits for Data-Out; its R2Ts may be in the output queue. */
	ISCSI_TASK_GATHER,
	/* The device server executes it. */
	ISCSI_TASK_RUN,
	/* Its response is in the output queue. */
	ISCSI_TASK_SEND,
	/* Ended while it waited for Data-Out, and an R2T of it is partly on the wire. */
	ISCSI_TASK_DEAD,
};

struct iscsi_task {
	struct scsi_cmd cmd;
	struct iscsi_conn *conn;
	/* NULL: there is no such LUN, or the task does not use it any more. */
	struct iscsi_lun *lun;
	struct iscsi_out out;
	/* In session->tasks. */
	struct list node;
	struct iscsi_task *hash_next;
	enum iscsi_task_state state;

	/* From the command PDU. */
	uint32_t itt, edtl;
	uint8_t lun_bytes[8];
	bool immediate, expects_in, expects_out;
	uint8_t cdb[16];
	/* Extended CDB; allocated. */
	uint8_t *long_cdb;

	/* MaxCmdSN has been advanced for this task. */
	bool credited;
	/* CLOCK_MONOTONIC; a task that runs expires then. 0: it does not expire. */
	uint64_t deadline_ns;
	/*
	 * It has run for too long: it was answered while the device server still executes it, and its tag is
	 * free.
	 */
	bool expired;

	/* Fields of gather.c and data_out.c. */
	/* Unsolicited Data-Out is still expected. */
	bool unsolicited;
	/* R2Ts have been planned: ttt and the cursor are set. */
	bool soliciting;
	/* The SCSI status that answers the command without running it; 0: none. */
	uint8_t verdict;
	/* The sense code, if verdict is CHECK CONDITION. */
	uint32_t verdict_sense;
	/* Bytes of Data-Out to keep: the lesser of what the CDB and the initiator announce. */
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
	/* The search for overdue Data-Out: pos at the last progress, and when it was seen; 0: it was not. */
	uint32_t seen_pos;
	uint64_t seen_ns;

	/* Fields of data_in.c. */
	/* Bytes of Data-In. */
	uint32_t send_len;
	uint32_t residual;
	uint8_t residual_flags;
	/* SenseLength, as it precedes the sense data in a SCSI Response. */
	uint8_t sense_len[2];
	/* The number of R2Ts sent: a part of ExpDataSN. */
	uint32_t r2t_count;

	/* From loop_buffer_get(), for data of either direction. */
	void *buffer;
	size_t buffer_len;
	struct iovec iov;
};

/* Makes a task from the command that is being received. Returns NULL if there is no memory. */
struct iscsi_task *iscsi_task_new(struct iscsi_conn *conn);
/* For a task that neither the device server nor the output queue has. */
void iscsi_task_free(struct iscsi_task *task);
/* Ends a task in the state GATHER without an answer. */
void iscsi_task_drop(struct iscsi_task *task);
/* Gets a data buffer. Returns false if the initiator has its share already, or there is no memory. */
bool iscsi_task_buffer(struct iscsi_task *task, size_t len);
/* Gives the task to the device server. The response follows. */
void iscsi_task_submit(struct iscsi_task *task);
/*
 * A task in the state RUN has taken too long: answers it, unless too many of the session were answered so
 * already, or the session has ended. Nothing waits for it any more (scsi_expire()).
 */
void iscsi_task_expire(struct iscsi_task *task);
/* The task uses its LUN, and memory of its handler, no more. */
void iscsi_task_leave_lun(struct iscsi_task *task);
/* Advances MaxCmdSN by one for this task, at most once. */
void iscsi_task_credit(struct iscsi_task *task);
static inline struct iscsi_task *iscsi_task_of(struct scsi_cmd *cmd)
{
	return container_of(cmd, struct iscsi_task, cmd);
}

#endif
