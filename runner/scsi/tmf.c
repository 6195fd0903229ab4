/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Task management (SAM-5 7). A function marks the commands it affects as aborted, calls their I/O back as far
 * as it has not begun, and is answered when the last of them is over: a handler ends what it has.
 *
 * Those of one task or one nexus concern one loop, as a nexus belongs to one loop: they wait in its list.
 * Those of the whole LU visit every loop. They start a new epoch of the gate, and affect what was parsed in
 * an older one, submitted or not; several for one LU run one after the other, so that each loop needs to
 * remember only one.
 */
#include "scsi/tmf.h"

#include "scsi/cmd.h"
#include "scsi/mode.h"
#include "scsi/reserve.h"
#include "scsi/ua.h"
#include "util/lock.h"

/* --- one task or one nexus --------------------------------------------------------- */

static bool names(const struct scsi_tmf *tmf, const struct scsi_cmd *cmd)
{
	return tmf->function == SCSI_ABORT_TASK ? cmd == tmf->task : cmd->nexus == tmf->nexus;
}

/* A command that came after the function is not marked, and so not waited for. */
static bool waits(const struct scsi_tmf *tmf, struct scsi_lu_loop *lul)
{
	struct list *node, *tmp;

	list_for_each (&lul->inflight, node, tmp) {
		struct scsi_cmd *cmd = list_entry(node, struct scsi_cmd, node);

		if (cmd->aborted && names(tmf, cmd))
			return true;
	}
	return false;
}

static void abort_command(struct scsi_cmd *cmd)
{
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

		if (names(tmf, cmd))
			abort_command(cmd);
	}
	if (waits(tmf, lul))
		list_add_tail(&lul->aborts, &tmf->node);
	else
		tmf->done(tmf);
}

/* The first function of the list whose last command is over, removed. */
static struct scsi_tmf *next_answer(struct scsi_lu_loop *lul)
{
	struct list *node, *tmp;

	list_for_each (&lul->aborts, node, tmp) {
		struct scsi_tmf *tmf = list_entry(node, struct scsi_tmf, node);

		if (!waits(tmf, lul)) {
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

static bool affects(const struct scsi_tmf *tmf, const struct scsi_cmd *cmd)
{
	return (int32_t)((cmd->gate_seen & SCSI_GATE_EPOCH) - tmf->epoch) < 0;
}

/* SAM-5 5.6: who loses a command to another nexus's CLEAR TASK SET hears of it. A reset tells everybody
 * anyway. */
static void mark_one(const struct scsi_tmf *tmf, struct scsi_cmd *cmd)
{
	if (!cmd->aborted && tmf->function == SCSI_CLEAR_TASK_SET && cmd->nexus && cmd->nexus != tmf->nexus)
		scsi_ua_raise(cmd->nexus, SCSI_UA_CLEARED);
	abort_command(cmd);
}

/* Marks what the running function affects on this loop; returns whether there is any. */
static bool mark(const struct scsi_tmf *tmf, struct scsi_lu_loop *lul)
{
	struct list *node, *tmp;
	bool any = false;

	list_for_each (&lul->inflight, node, tmp) {
		struct scsi_cmd *cmd = list_entry(node, struct scsi_cmd, node);

		if (affects(tmf, cmd)) {
			mark_one(tmf, cmd);
			any = true;
		}
	}
	return any;
}

static void start(struct scsi_lu *lu)
{
	__atomic_store_n(&lu->tmf_pending, lu->nloops, __ATOMIC_RELAXED); /* posting publishes it */
	for (unsigned i = 0; i < lu->nloops; i++)
		loop_post(lu->loops[i].loop, &lu->loops[i].work);
}

/* On the loop that submitted the function, after all loops have drained. */
static void finish(struct loop_work *work)
{
	struct scsi_tmf *tmf = container_of(work, struct scsi_tmf, work);
	struct scsi_lu *lu = tmf->lu;
	bool more;

	lock_take(&lu->lock);
	list_del(&tmf->node);
	more = !list_empty(&lu->tmfs);
	lock_drop(&lu->lock);
	if (more)
		start(lu);
	tmf->done(tmf);
}

static void drained(struct scsi_lu *lu)
{
	/* Release: this loop's completions happen before the answer. Acquire: for the last one, those of all
	 * loops. */
	if (__atomic_sub_fetch(&lu->tmf_pending, 1, __ATOMIC_ACQ_REL) == 0) {
		struct scsi_tmf *tmf = running(lu);

		loop_post(tmf->loop, &tmf->work);
	}
}

static void visit(struct loop_work *work)
{
	struct scsi_lu_loop *lul = container_of(work, struct scsi_lu_loop, work);

	lul->tmf = running(lul->lu);
	if (!mark(lul->tmf, lul)) {
		lul->tmf = NULL;
		drained(lul->lu);
	}
}

/* SAM-5 6.3.3: everything that a power cycle would forget. All nexuses hear of it, that of the function too.
 */
static void reset_locked(struct scsi_lu *lu)
{
	scsi_reserve_clear_locked(lu);
	scsi_mode_reset_locked(lu);
	scsi_lu_gate_change(lu, 0, SCSI_GATE_STOPPED);
	scsi_ua_raise_others_locked(lu, NULL, SCSI_UA_LU_RESET);
}

static void submit_wide(struct scsi_tmf *tmf)
{
	struct scsi_lu *lu = tmf->lu;
	bool first;

	tmf->work = (struct loop_work){.fn = finish};
	lock_take(&lu->lock);
	lu->cleared_by = 0;
	if (tmf->function == SCSI_LU_RESET)
		reset_locked(lu);
	else if (tmf->nexus)
		lu->cleared_by = tmf->nexus->id;
	tmf->epoch = __atomic_add_fetch(&lu->gate, SCSI_GATE_EPOCH_ONE, __ATOMIC_RELEASE) & SCSI_GATE_EPOCH;
	first = list_empty(&lu->tmfs);
	list_add_tail(&lu->tmfs, &tmf->node);
	lock_drop(&lu->lock);
	if (first)
		start(lu);
}

/* --- both ------------------------------------------------------------------------------------- */

void scsi_tmf_init(struct scsi_lu_loop *lul)
{
	list_init(&lul->inflight);
	list_init(&lul->aborts);
	lul->work = (struct loop_work){.fn = visit};
}

void scsi_tmf_command_over(struct scsi_lu_loop *lul)
{
	struct scsi_tmf *tmf = lul->tmf;

	/* What is in flight from before the epoch was marked by visit(), and nothing of that kind is added.
	 */
	if (tmf && !mark(tmf, lul)) {
		lul->tmf = NULL;
		drained(lul->lu);
	}
	while ((tmf = next_answer(lul)))
		tmf->done(tmf);
}

void scsi_tmf_abort_late(struct scsi_cmd *cmd)
{
	struct scsi_lu *lu = cmd->lu;
	uint64_t by;

	lock_take(&lu->lock);
	by = lu->cleared_by;
	lock_drop(&lu->lock);
	if (by && cmd->nexus && cmd->nexus->id != by)
		scsi_ua_raise(cmd->nexus, SCSI_UA_CLEARED);
	cmd->aborted = true;
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
