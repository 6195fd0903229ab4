/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The work of a storage object on threads of the pool: opening, resizing, accepting a loss. Nothing here
 * changes the object; the main thread changes it according to the result (storage_result.c).
 */
#include <errno.h>
#include <stdlib.h>

#include "storage/registry.h"
#include "storage/storage_private.h"

static const struct storage_lu *replaced_by(const struct storage_job *job)
{
	return job->target && !storage_lu_is_absent(job->target) ? job->target : NULL;
}

/*
 * The previous logical unit holds the lock that the new one needs. A stand-in serves the disk until the
 * previous one is closed.
 */
static int make_stand_in_until_closed(struct storage_job *job, const struct storage_lu_request *request)
{
	struct storage_lu_request stand_in = *request;

	stand_in.replaced = NULL;
	stand_in.is_becoming_ready = true;
	job->previous_has_lock = true;
	return storage_lu_open_absent(&stand_in, &job->lu, &job->error);
}

/* Returns the request for a logical unit of the job's object, or for a stand-in. */
static struct storage_lu_request request_for(struct storage_job *job)
{
	struct storage *storage = job->storage;

	return (struct storage_lu_request){
	    .loops = storage->context.loops,
	    .registry = storage->context.registry,
	    .main = storage->context.main,
	    .settings = &job->settings,
	    .name = storage->name,
	    .owner = storage,
	    .closed = storage_on_lu_closed,
	    .is_cancelled = &storage->is_closing,
	};
}

static int open_storage(struct storage_job *job)
{
	struct storage_lu_request request = request_for(job);

	request.is_loss_accepted = job->is_loss_accepted;
	request.replaced = replaced_by(job);
	int err = storage_lu_check(&request, &job->error);

	if (err)
		return err;
	err = storage_lu_open(&request, &job->lu, &job->error);
	if (err == -EBUSY && request.replaced && storage_lu_has_storage(request.replaced, &request))
		return make_stand_in_until_closed(job, &request);
	/* If there is no memory for the stand-in either, the result says that nothing is served. */
	if (err && err != -ECANCELED && job->patient)
		storage_lu_open_absent(&request, &job->lu, NULL);
	return err;
}

static int make_stand_in(struct storage_job *job)
{
	struct storage_lu_request request = request_for(job);

	request.is_becoming_ready = true;
	request.is_hanging = true;
	return storage_lu_open_absent(&request, &job->lu, &job->error);
}

static int run(struct storage_job *job)
{
	/* When the daemon stops during its start, very many jobs may wait for a thread. */
	if (storage_is_cancelled(&job->storage->is_closing))
		return error_set(&job->error, ECANCELED, "it is being removed");
	switch (job->request) {
	case REQUEST_RESIZE:
		return backstore_resize(storage_lu_backstore(job->target), job->size, &job->error);
	case REQUEST_ACCEPT_LOSS:
		storage_lu_accept_loss(job->target);
		return 0;
	case REQUEST_SET_SERIAL:
		return job->target ? storage_lu_choose_identity(job->target, job->settings.serial,
								&job->naming, &job->error)
				   : 0;
	case REQUEST_STAND_IN:
		return make_stand_in(job);
	default:
		return open_storage(job);
	}
}

/* Called on a pool thread. */
static void run_on_pool(struct loop_pool_job *pool)
{
	struct storage_job *job = container_of(pool, struct storage_job, pool);

	job->err = run(job);
	main_queue_post(job->storage->context.main, &job->work);
}

void storage_job_start(struct storage_job *job, void (*finished)(struct main_work *work))
{
	job->pool.fn = run_on_pool;
	job->work.fn = finished;
	loop_pool_submit(job->storage->context.registry->jobs, &job->pool);
}

void storage_job_free(struct storage_job *job)
{
	storage_unit_leave(job->naming.unit);
	storage_lu_put(job->lu);
	storage_lu_put(job->target);
	storage_settings_clear(&job->settings);
	free(job);
}
