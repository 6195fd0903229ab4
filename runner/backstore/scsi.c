/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Offers commands to the scsi() callback of a handler. The device server decides which commands are offered.
 */
#include "backstore/private.h"
#include "util/clock.h"

static void finish(struct loop_work *work)
{
	struct backstore_scsi *bss = container_of(work, struct backstore_scsi, work);

	bss->done(bss, bss->status);
}

void tcmur_scsi_complete(struct tcmur_scsi *cmd, uint8_t scsi_status)
{
	struct backstore_scsi *bss = container_of(cmd, struct backstore_scsi, cmd);

	completion_check(bss);
	bss->status = scsi_status;
	bss->work.fn = finish;
	if (loop_current() == bss->loop)
		finish(&bss->work);
	else
		loop_post(bss->loop, &bss->work);
}

static void offer_on_pool(struct loop_pool_job *job)
{
	struct backstore_scsi *bss = container_of(job, struct backstore_scsi, job);

	struct backstore *bs = bss->bs; /* bss may be freed as soon as the call has completed it. */

	if (bss->deadline_ns && bss->deadline_ns <= clock_now_ns())
		tcmur_scsi_complete(&bss->cmd, BACKSTORE_SCSI_NOT_BEGUN);
	else if (!bs->handler->api.scsi(bs->handle, NULL, &bss->cmd))
		tcmur_scsi_complete(&bss->cmd, BACKSTORE_SCSI_DECLINED);
	backstore_pool_call_end(bs);
}

bool backstore_scsi(struct backstore_scsi *bss)
{
	struct backstore *bs = bss->bs;
	const struct tcmur_handler *api = &bs->handler->api;

	if (!api->scsi)
		return false;
	bss->cmd.scratch = bss->scratch;
	bss->work = (struct loop_work){.queued = false};
	completion_arm(bss);
	if (api->thread_model == TCMUR_ASYNC)
		return api->scsi(bs->handle, (struct tcmur_queue *)bss->loop, &bss->cmd);
	bss->job.fn = offer_on_pool;
	backstore_pool_call(bs, &bss->job);
	return true;
}

void backstore_scsi_cancel(struct backstore_scsi *bss)
{
	if (backstore_pool_call_cancel(bss->bs, &bss->job)) {
		bss->status = BACKSTORE_SCSI_NOT_BEGUN;
		bss->work.fn = finish;
		loop_post(bss->loop, &bss->work);
	}
}
