/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The time limits of commands that hang in their storage or wait for Data-Out. One timer of each loop
 * examines the commands. It runs only while there is something to examine (iscsi_loop.nlimited).
 *
 * A command that hangs in its storage is answered with an error when its time limit has passed. The device
 * server then delays newer commands that overlap the data which this command may still change
 * (scsi_expire()). The command itself and its buffer stay until the storage has completed it.
 *
 * A command waits for Data-Out only for the dataout_timeout of the initiator's ACL, if there is one. Then its
 * connection is closed, because at error recovery level 0 a single command cannot be repaired.
 */
#include "iscsi/expiry.h"

#include "iscsi/gather.h"
#include "iscsi/task.h"
#include "util/clock.h"

#define PERIOD_NS (NS_PER_S / 4)

static bool is_expired(const struct iscsi_task *task, uint64_t now)
{
	return task->state == ISCSI_TASK_RUN && !task->expired && task->deadline_ns &&
	       now >= task->deadline_ns;
}

static void examine_tasks(struct iscsi_conn *conn, uint64_t now)
{
	enum iscsi_conn_state state = conn->state;
	struct list *node, *tmp;

	if (!conn->session)
		return;
	list_for_each (&conn->session->tasks, node, tmp) {
		struct iscsi_task *task = list_entry(node, struct iscsi_task, node);

		if (is_expired(task, now))
			iscsi_task_expire(task);
		else if (conn->dataout_timeout_s && iscsi_gather_is_overdue(task, PERIOD_NS))
			iscsi_conn_close(conn,
					 "the Data-Out of a command did not arrive within dataout_timeout");
		/* The connection has been closed, which has freed tasks. */
		if (conn->state != state)
			return;
	}
}

static void examine_connections(struct loop_timer *timer)
{
	struct iscsi_loop *il = container_of(timer, struct iscsi_loop, expiry);
	uint64_t now = loop_now_ns(il->loop);
	struct list *node, *tmp;

	list_for_each (&il->conns, node, tmp)
		examine_tasks(list_entry(node, struct iscsi_conn, node), now);
	loop_timer_arm(il->loop, timer, PERIOD_NS);
}

void iscsi_expiry_init(struct iscsi_loop *il)
{
	il->expiry.fn = examine_connections;
}

void iscsi_expiry_begin(struct iscsi_loop *il)
{
	if (!il->nlimited++)
		loop_timer_arm(il->loop, &il->expiry, PERIOD_NS);
}

void iscsi_expiry_end(struct iscsi_loop *il)
{
	if (!--il->nlimited)
		loop_timer_cancel(&il->expiry);
}
