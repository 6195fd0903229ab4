/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Task management (SAM-5 7). A function marks the commands that it affects as aborted, cancels their I/O, and
 * is answered when the last of the commands has ended. I/O that the handler has started ends early only if
 * the handler can abandon it (backstore_cancel()). If such I/O hangs, the front end lets the command expire
 * (scsi_expire()), and functions do not wait for the command any longer.
 *
 * A function for one task or one nexus concerns only one loop, because a nexus belongs to one loop. The
 * function waits in the list of that loop.
 *
 * A function for the whole LU visits every loop. It starts a new epoch of the gate and affects the commands
 * that were parsed in an older epoch, whether they were submitted or not. Several functions for one LU run
 * one after the other, so that each loop needs to remember only one.
 *
 * A command that another nexus aborts ends with TASK ABORTED if TAS is 1. In all other cases the initiator
 * gets no response (SAM-5 5.3.1, SPC-4 7.5.8).
 */
#include "scsi/tmf.h"

#include "scsi/cmd.h"
#include "scsi/mode.h"
#include "scsi/reserve.h"
#include "scsi/nexus.h"
#include "util/cleanup.h"
#include "util/lock.h"

/* --- one task or one nexus --------------------------------------------------------- */

static bool affects_one(const struct scsi_tmf *tmf, const struct scsi_cmd *cmd)
{
	return tmf->function == SCSI_ABORT_TASK ? cmd == tmf->task : cmd->nexus == tmf->nexus;
}

/*
 * Returns whether functions must wait for the command. A command that has expired cannot change what newer
 * commands write, unless a handler's scsi() executes it, because it is unknown which blocks it changes.
 */
static bool is_waited_for(const struct scsi_cmd *cmd)
{
	if (!cmd->expired)
		return true;
	return cmd->stage == SCSI_AT_HANDLER && (!cmd->op || cmd->op->flags & SCSI_OP_WRITES);
}

/*
 * Returns whether a command that the function affects is still in flight. Commands that arrived later are not
 * marked as aborted.
 */
static bool must_wait(const struct scsi_tmf *tmf, struct scsi_lu_loop *lul)
{
	struct list *node, *tmp;

	list_for_each (&lul->inflight, node, tmp) {
		struct scsi_cmd *cmd = list_entry(node, struct scsi_cmd, node);

		if (cmd->aborted && affects_one(tmf, cmd) && is_waited_for(cmd))
			return true;
	}
	return false;
}

/*
 * Marks the command as aborted. If an earlier function has already decided that there is no response, a later
 * function cannot change this.
 */
static void abort_command(struct scsi_cmd *cmd, bool respond)
{
	cmd->no_response |= !respond;
	if (cmd->aborted)
		return;
	cmd->aborted = true;
	scsi_cancel(cmd);
}

static void submit_local(struct scsi_tmf *tmf, struct scsi_lu_loop *lul)
{
	struct list *node, *tmp;

	list_for_each (&lul->inflight, node, tmp) {
		struct scsi_cmd *cmd = list_entry(node, struct scsi_cmd, node);

		if (affects_one(tmf, cmd))
			abort_command(cmd, false);
	}
	if (must_wait(tmf, lul))
		list_add_tail(&lul->aborts, &tmf->node);
	else
		tmf->done(tmf);
}

/* Removes and returns the first function of the list whose last command has ended. */
static struct scsi_tmf *next_answer(struct scsi_lu_loop *lul)
{
	struct list *node, *tmp;

	list_for_each (&lul->aborts, node, tmp) {
		struct scsi_tmf *tmf = list_entry(node, struct scsi_tmf, node);

		if (!must_wait(tmf, lul)) {
			list_del(node);
			return tmf;
		}
	}
	return NULL;
}

/* --- the whole LU ------------------------------------------------------------------ */

static struct scsi_tmf *running(struct scsi_lu *lu)
{
	return list_entry(lu->tmfs.next, struct scsi_tmf, node);
}

static bool epoch_before(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) < 0;
}

static bool affects(const struct scsi_tmf *tmf, const struct scsi_cmd *cmd)
{
	return epoch_before(cmd->gate_seen & SCSI_GATE_EPOCH, tmf->epoch);
}

/*
 * SAM-5 5.6: CLEAR TASK SET raises a unit attention for each other nexus that loses a command. A reset raises
 * its own unit attention for all nexuses.
 */
static void mark_one(const struct scsi_tmf *tmf, struct scsi_cmd *cmd)
{
	bool by_other = cmd->nexus != tmf->nexus;

	/* The initiator has already received an answer to a command that has expired. */
	if (!cmd->aborted && !cmd->expired && tmf->function == SCSI_CLEAR_TASK_SET && by_other)
		scsi_ua_raise(cmd->nexus, SCSI_UA_CLEARED);
	abort_command(cmd, by_other && tmf->tas);
}

/*
 * Marks the commands on this loop that the running function affects. Returns whether the function waits for
 * any of them.
 */
static bool mark(const struct scsi_tmf *tmf, struct scsi_lu_loop *lul)
{
	struct list *node, *tmp;
	bool any = false;

	list_for_each (&lul->inflight, node, tmp) {
		struct scsi_cmd *cmd = list_entry(node, struct scsi_cmd, node);

		if (affects(tmf, cmd)) {
			mark_one(tmf, cmd);
			any |= is_waited_for(cmd);
		}
	}
	return any;
}

/* Visits all loops for the first function of the list. */
static void start(struct scsi_lu *lu)
{
	loop_broadcast_start(lu->tmf_broadcast, running(lu)->loop);
}

/* Is called on the loop that submitted the function, after all loops have acknowledged. */
static void finish(void *owner)
{
	struct scsi_lu *lu = owner;
	struct scsi_tmf *tmf = running(lu);
	bool more;

	lock_take(&lu->lock);
	list_del(&tmf->node);
	more = !list_empty(&lu->tmfs);
	lock_drop(&lu->lock);
	if (more)
		start(lu);
	tmf->done(tmf);
}

/*
 * Raises the unit attention for commands that were not submitted yet. A nexus also loses a command whose
 * Data-Out is still being gathered. The command is aborted when it is submitted, but this may be much later
 * or never, because the initiator may not send the data.
 */
static void notify_unsubmitted(const struct scsi_tmf *tmf, struct scsi_lu_loop *lul)
{
	SCOPE_LOCK(&lul->lu->lock);
	struct list *node, *tmp;

	list_for_each (&lul->lu->nexuses, node, tmp) {
		struct scsi_nexus *nexus = list_entry(node, struct scsi_nexus, node);

		if (nexus->loop == lul->loop && nexus != tmf->nexus && nexus->unsubmitted)
			scsi_ua_raise(nexus, SCSI_UA_CLEARED);
	}
}

static void visit(void *owner, struct loop *loop)
{
	struct scsi_lu *lu = owner;
	struct scsi_lu_loop *lul = &lu->loops[loop_index(loop)];

	lul->tmf = running(lu);
	lul->visited = lul->tmf->epoch;
	if (lul->tmf->function == SCSI_CLEAR_TASK_SET)
		notify_unsubmitted(lul->tmf, lul);
	if (!mark(lul->tmf, lul)) {
		lul->tmf = NULL;
		loop_broadcast_ack(lu->tmf_broadcast);
	}
}

const struct loop_broadcast_ops scsi_tmf_broadcast_ops = {.visit = visit, .done = finish};

/*
 * Resets the LU (SAM-5 6.3.3): clears everything that a power cycle would clear. All nexuses get a unit
 * attention, including the nexus of the function.
 */
static void reset_locked(struct scsi_lu *lu)
{
	scsi_reserve_clear_locked(lu);
	scsi_mode_reset_locked(lu);
	scsi_ua_raise_all_locked(lu, SCSI_UA_LU_RESET);
}

static void submit_wide(struct scsi_tmf *tmf)
{
	struct scsi_lu *lu = tmf->lu;
	uint32_t gate;
	bool first;

	lock_take(&lu->lock);
	tmf->tas = lu->mode.tas; /* This is read before a reset sets the default. */
	lu->last_wide.tas = tmf->tas;
	lu->last_wide.clears = tmf->function == SCSI_CLEAR_TASK_SET;
	lu->last_wide.by = tmf->nexus ? tmf->nexus->id : 0;
	if (tmf->function == SCSI_LU_RESET)
		reset_locked(lu);
	gate = atomic_fetch_add_explicit(&lu->gate, SCSI_GATE_EPOCH_ONE, memory_order_release);
	tmf->epoch = (gate + SCSI_GATE_EPOCH_ONE) & SCSI_GATE_EPOCH;
	first = list_empty(&lu->tmfs);
	list_add_tail(&lu->tmfs, &tmf->node);
	lock_drop(&lu->lock);
	if (first)
		start(lu);
}

/* --- both kinds of functions ------------------------------------------------------------------  */

void scsi_tmf_init(struct scsi_lu_loop *lul)
{
	list_init(&lul->inflight);
	list_init(&lul->aborts);
}

void scsi_tmf_command_over(struct scsi_lu_loop *lul)
{
	struct scsi_tmf *tmf = lul->tmf;

	/* visit() has marked all commands of older epochs, and no such command is added later. */
	if (tmf && !mark(tmf, lul)) {
		lul->tmf = NULL;
		loop_broadcast_ack(lul->lu->tmf_broadcast);
	}
	while ((tmf = next_answer(lul)))
		tmf->done(tmf);
}

/*
 * Returns whether a function has visited this loop since the command was parsed. In this case,
 * notify_unsubmitted() has raised the unit attention.
 */
static bool visited_since_parse(const struct scsi_cmd *cmd)
{
	const struct scsi_lu_loop *lul = &cmd->lu->loops[loop_index(cmd->loop)];

	return epoch_before(cmd->gate_seen & SCSI_GATE_EPOCH, lul->visited);
}

void scsi_tmf_abort_stale(struct scsi_cmd *cmd)
{
	struct scsi_lu *lu = cmd->lu;
	bool by_other, clears, tas;

	lock_take(&lu->lock);
	by_other = lu->last_wide.by != cmd->nexus->id;
	clears = lu->last_wide.clears;
	tas = lu->last_wide.tas;
	lock_drop(&lu->lock);
	if (by_other && clears && !visited_since_parse(cmd))
		scsi_ua_raise(cmd->nexus, SCSI_UA_CLEARED);
	cmd->aborted = true;
	cmd->no_response = !(by_other && tas);
}

void scsi_tmf_submit(struct scsi_tmf *tmf)
{
	switch (tmf->function) {
	case SCSI_CLEAR_TASK_SET:
	case SCSI_LU_RESET:
		submit_wide(tmf);
		break;
	default:
		submit_local(tmf, &tmf->lu->loops[loop_index(tmf->loop)]);
	}
}
