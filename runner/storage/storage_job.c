/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The work of a storage object on threads of the pool: opening, resizing, accepting a loss. Nothing here
 * changes the object; the main thread does that with the result (storage.c).
 */
#include <errno.h>
#include <stdlib.h>

#include "storage/registry.h"
#include "storage/storage_private.h"

static int open_storage(struct storage_job *job)
{
	struct storage *storage = job->storage;
	const struct storage_lu_request request = {
	    .loops = storage->context.loops,
	    .registry = storage->context.registry,
	    .main = storage->context.main,
	    .settings = &job->settings,
	    .name = storage->name,
	    .owner = storage,
	    /* An administrator who replaces storage knows that the contents are other ones. */
	    .is_loss_accepted = job->request == REQUEST_REPLACE,
	    .closed = storage_on_lu_closed,
	};
	int err = storage_lu_check(&request, &job->error);

	if (err)
		return err;
	err = storage_lu_open(&request, &job->lu, &job->error);
	/* If there is no memory for the stand-in either, the result says that nothing is served. */
	if (err && job->patient)
		storage_lu_open_absent(&request, &job->lu, NULL);
	return err;
}

static int run(struct storage_job *job)
{
	switch (job->request) {
	case REQUEST_RESIZE:
		return backstore_resize(storage_lu_backstore(job->target), job->size, &job->error);
	case REQUEST_ACCEPT_LOSS:
		storage_lu_accept_loss(job->target);
		return 0;
	default:
		return open_storage(job);
	}
}

/* Pool thread. */
static void run_on_pool(struct pool_job *pool)
{
	struct storage_job *job = container_of(pool, struct storage_job, pool);

	job->err = run(job);
	main_queue_post(job->storage->context.main, &job->work);
}

void storage_job_start(struct storage_job *job, void (*finished)(struct main_work *work))
{
	job->pool.fn = run_on_pool;
	job->work.fn = finished;
	pool_submit(job->storage->context.registry->jobs, &job->pool);
}

void storage_job_free(struct storage_job *job)
{
	storage_lu_put(job->lu);
	storage_lu_put(job->target);
	storage_settings_clear(&job->settings);
	free(job);
}
