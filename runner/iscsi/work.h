/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Limits the work of one turn of a loop apart from SCSI commands. Text Requests, logins and refused PDUs cost
 * up to a thousand times more CPU time than their bytes suggest, and all sessions of a loop can send them at
 * the same time. When the work of a turn is used up, connections that caused work in their last turn wait for
 * the next turn. Connections that only send SCSI commands do not wait.
 */
#ifndef ISCSI_WORK_H
#define ISCSI_WORK_H

#include "iscsi/conn.h"

/* One unit of work is about one microsecond of CPU time. */
#define ISCSI_WORK_MAX 500u

static inline bool iscsi_work_is_used_up(struct iscsi_loop *il)
{
	/* The time is constant during a turn, so it identifies the turn. */
	uint64_t turn = loop_now_ns(il->loop);

	if (il->work_turn != turn) {
		il->work_turn = turn;
		il->work = 0;
	}
	return il->work >= ISCSI_WORK_MAX;
}

static inline void iscsi_work_add(struct iscsi_conn *conn, unsigned units)
{
	if (!units)
		return;
	iscsi_work_is_used_up(conn->il); /* A new turn begins without any used work. */
	conn->il->work += units;
	conn->rx.worked = true;
}
#endif
