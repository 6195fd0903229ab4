/* SPDX-License-Identifier: Apache-2.0 */
#include "control/flush.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "util/cleanup.h"

/* Shared by the waiting main thread and the loop; whoever lets go of it last frees it, for the wait may time
 * out. */
struct flush {
	struct loop_work work;
	struct backstore_io bio;
	pthread_mutex_t lock; /* a leaf; guards all below */
	pthread_cond_t over;
	bool finished;
	enum tcmur_status status;
	unsigned refs;
};

static struct flush *flush_new(struct loop_set *set, struct backstore *bs)
{
	struct flush *flush = calloc(1, sizeof(*flush));
	pthread_condattr_t monotonic;

	if (!flush)
		return NULL;
	flush->bio.op = BACKSTORE_FLUSH;
	flush->bio.bs = bs;
	flush->bio.loop = set->loops[0];
	flush->bio.owner = flush;
	flush->refs = 2;
	pthread_mutex_init(&flush->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&flush->over, &monotonic);
	pthread_condattr_destroy(&monotonic);
	return flush;
}

static void flush_put(struct flush *flush)
{
	bool last;

	{
		SCOPE_LOCK(&flush->lock);
		last = !--flush->refs;
	}
	if (!last)
		return;
	pthread_mutex_destroy(&flush->lock);
	pthread_cond_destroy(&flush->over);
	free(flush);
}

static void flush_done(struct backstore_io *bio, enum tcmur_status status)
{
	struct flush *flush = bio->owner;

	{
		SCOPE_LOCK(&flush->lock);
		flush->finished = true;
		flush->status = status;
		pthread_cond_signal(&flush->over);
	}
	flush_put(flush);
}

static void flush_start(struct loop_work *work)
{
	struct flush *flush = container_of(work, struct flush, work);

	backstore_submit(&flush->bio);
}

static int flush_wait(struct flush *flush, unsigned timeout_s)
{
	struct timespec deadline;

	clock_gettime(CLOCK_MONOTONIC, &deadline);
	deadline.tv_sec += timeout_s;
	SCOPE_LOCK(&flush->lock);
	while (!flush->finished)
		if (pthread_cond_timedwait(&flush->over, &flush->lock, &deadline))
			return -ETIMEDOUT;
	return flush->status == TCMUR_OK ? 0 : -EIO;
}

int control_flush(struct loop_set *set, struct backstore *bs, unsigned timeout_s)
{
	if (!backstore_has_flush(bs))
		return 0;

	struct flush *flush = flush_new(set, bs);

	if (!flush)
		return -ENOMEM;
	flush->work.fn = flush_start;
	flush->bio.done = flush_done;
	loop_post(set->loops[0], &flush->work);
	int err = flush_wait(flush, timeout_s);
	flush_put(flush);
	return err;
}
