/* SPDX-License-Identifier: Apache-2.0 */
#include "control/drain.h"

#include <errno.h>
#include <glib.h>

/* Shared by the waiting main thread and the loop; whoever lets go of it last frees it, for the wait may time
 * out. */
struct flush {
	struct loop_work work;
	struct backstore_io bio;
	GMutex lock;
	GCond over;
	bool finished;
	enum tcmur_status status;
	gatomicrefcount refs;
};

static void flush_put(struct flush *flush)
{
	if (!g_atomic_ref_count_dec(&flush->refs))
		return;
	g_mutex_clear(&flush->lock);
	g_cond_clear(&flush->over);
	g_free(flush);
}

static void flush_done(struct backstore_io *bio, enum tcmur_status status)
{
	struct flush *flush = bio->owner;

	g_mutex_lock(&flush->lock);
	flush->finished = true;
	flush->status = status;
	g_cond_signal(&flush->over);
	g_mutex_unlock(&flush->lock);
	flush_put(flush);
}

static void flush_start(struct loop_work *work)
{
	struct flush *flush = container_of(work, struct flush, work);

	backstore_submit(&flush->bio);
}

static int flush_wait(struct flush *flush, unsigned timeout_s)
{
	gint64 deadline = g_get_monotonic_time() + timeout_s * G_TIME_SPAN_SECOND;
	int err = 0;

	g_mutex_lock(&flush->lock);
	while (!flush->finished && !err)
		if (!g_cond_wait_until(&flush->over, &flush->lock, deadline))
			err = -ETIMEDOUT;
	if (flush->finished)
		err = flush->status == TCMUR_OK ? 0 : -EIO;
	g_mutex_unlock(&flush->lock);
	return err;
}

int control_flush(struct loop_set *set, struct backstore *bs, unsigned timeout_s)
{
	if (!backstore_has_flush(bs))
		return 0;

	struct flush *flush = g_new0(struct flush, 1);

	flush->work.fn = flush_start;
	flush->bio.op = BACKSTORE_FLUSH;
	flush->bio.bs = bs;
	flush->bio.loop = set->loops[0];
	flush->bio.done = flush_done;
	flush->bio.owner = flush;
	g_mutex_init(&flush->lock);
	g_cond_init(&flush->over);
	g_atomic_ref_count_init(&flush->refs);
	g_atomic_ref_count_inc(&flush->refs);
	loop_post(set->loops[0], &flush->work);
	int err = flush_wait(flush, timeout_s);
	flush_put(flush);
	return err;
}
