/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Applies the results of jobs to a storage object: the logical unit that is served, the state, and the
 * notification of the owner. Main thread. storage.c decides which requests are accepted, and storage_wait.c
 * handles jobs that take long.
 */
#include <errno.h>

#include "storage/storage_private.h"
#include "util/log.h"

/* --- what is served --- */

static enum storage_status status_of(const struct storage_lu *lu)
{
	if (storage_lu_is_absent(lu))
		return STORAGE_FAILED;
	return storage_lu_is_lost(lu) ? STORAGE_CONTENTS_LOST : STORAGE_SERVED;
}

void storage_set_served_status(struct storage *storage)
{
	storage_set_status(storage, status_of(storage->served));
	if (storage->status == STORAGE_CONTENTS_LOST)
		log_err(storage->name,
			"not ready: its contents were lost with the memory of the daemon; accept the "
			"loss (tcmuctl replace, or start once with the option lost=accept) to serve an empty "
			"disk");
	storage_has_changed(storage);
}

/* Serves the result of the job from now on, with its settings. */
static void serve(struct storage *storage, struct storage_job *job)
{
	struct storage_lu *old = storage->served;

	storage->served = job->lu;
	job->lu = NULL;
	storage_settings_clear(&storage->settings);
	storage->settings = job->settings;
	job->settings = (struct storage_settings){.config = NULL};
	if (storage->previous)
		storage_set_status(storage, STORAGE_OPENING);
	else
		storage_set_served_status(storage);
	storage_notify(storage);
	storage_release(storage, old);
}

/* --- the results of jobs --- */

static void opened(struct storage *storage, struct storage_job *job)
{
	struct storage_lu *stand_in = storage->served;

	storage_wait_end(storage);
	if (job->err && storage_note_failure(storage, &job->error) && !job->done)
		log_err(NULL, "not served: %s", job->error.text);
	if (job->lu) {
		if (job->keeps_write_cache && !storage_lu_is_absent(job->lu))
			scsi_lu_set_write_cache(job->lu->scsi, job->write_cache);
		serve(storage, job);
		if (!job->err && !job->done)
			log_info(storage->name, "opened; it is %s now", storage_status_name(storage->status));
		return;
	}
	storage->served = NULL;
	storage_set_status(storage, STORAGE_CONFIGURED);
	storage_notify(storage);
	storage_release(storage, stand_in);
}

static void tried_again(struct storage *storage, struct storage_job *job)
{
	if (!job->err) {
		serve(storage, job);
		log_info(storage->name, "opened; it is %s now", storage_status_name(storage->status));
	} else if (storage_note_failure(storage, &job->error)) {
		log_err(NULL, "not served: %s", job->error.text);
		storage_notify(storage);
	}
}

/* Copies the state of the write cache, which initiators may have switched, from the previous logical unit. */
static void take_over_mode(const struct storage *storage, struct storage_job *job)
{
	job->keeps_write_cache = job->settings.write_cache < 0 && !storage_lu_is_absent(storage->served);
	if (!job->keeps_write_cache)
		return;
	job->write_cache = scsi_lu_write_cache(storage->served->scsi);
	if (!job->previous_has_lock)
		scsi_lu_set_write_cache(job->lu->scsi, job->write_cache);
}

/*
 * Serves a stand-in, because the previous logical unit must end before the storage is opened. The settings
 * are already those of the job.
 */
static void serve_stand_in(struct storage *storage, struct storage_job *job)
{
	struct storage_lu *old = storage->served;

	storage->served = job->lu;
	job->lu = NULL;
	storage_set_status(storage, STORAGE_OPENING);
	storage_notify(storage);
	storage_release(storage, old);
}

static void replaced(struct storage *storage, struct storage_job *job)
{
	struct storage_lu *old = storage->served;

	if (job->err)
		return;
	take_over_mode(storage, job);
	if (job->previous_has_lock) {
		storage_wait_for_previous(storage, job, old);
		serve_stand_in(storage, job);
		return;
	}
	if (storage_lu_has_taken_over(job->lu)) {
		scsi_lu_set_becoming_ready(job->lu->scsi, true);
		storage_wait_for_previous(storage, job, old);
	} else if (!storage_lu_is_absent(old)) {
		/*
		 * The previous storage was another disk, so memory that is kept for it is not needed any
		 * more.
		 */
		storage_lu_forget(old);
	}
	serve(storage, job);
}

static void resized(struct storage *storage, struct storage_job *job)
{
	if (job->err)
		return;
	if (storage->settings.size)
		storage->settings.size = job->size;
	storage_has_changed(storage);
	storage_notify(storage);
}

static void accepted(struct storage *storage, struct storage_job *job)
{
	(void)job;
	storage_set_status(storage, status_of(storage->served));
	log_warn(storage->name, "it is an empty disk now: the loss of its contents was accepted");
	storage_notify(storage);
}

static void serial_set(struct storage *storage, struct storage_job *job)
{
	if (job->err)
		return;
	if (job->naming.unit)
		storage_lu_take_identity(storage->served, &job->naming);
	if (storage->status == STORAGE_SERVED && storage_lu_is_lost(storage->served)) {
		storage_set_served_status(storage);
		storage_notify(storage);
	}
	storage_settings_clear(&storage->settings);
	storage->settings = job->settings;
	job->settings = (struct storage_settings){.config = NULL};
}

static void use_result(struct storage *storage, struct storage_job *job)
{
	static void (*const uses[])(struct storage * storage, struct storage_job * job) = {
	    [REQUEST_OPEN] = opened,
	    [REQUEST_RETRY] = tried_again,
	    [REQUEST_REPLACE] = replaced,
	    [REQUEST_RESIZE] = resized,
	    [REQUEST_ACCEPT_LOSS] = accepted,
	    [REQUEST_SET_SERIAL] = serial_set,
	    [REQUEST_STAND_IN] = storage_stand_in_made,
	};

	if (job->is_superseded || storage->status == STORAGE_REMOVING)
		job->err = error_set(&job->error, ECANCELED, "%s is being removed", storage->name);
	else
		uses[job->request](storage, job);
}

static void finished(struct main_work *work)
{
	struct storage_job *job = container_of(work, struct storage_job, work);
	struct storage *storage = job->storage;

	storage->njobs--;
	if (storage->job == job)
		storage->job = NULL;
	if (job->lu)
		storage->nopen++;
	/* If two identities are equal, the error already names both objects. */
	if (job->err && job->err != -EEXIST)
		error_prefix(&job->error, job->err, "%s",
			     job->settings.origin ? job->settings.origin : storage->name);
	/* The logical unit that was replaced is closed when nobody else uses it. */
	storage_lu_put(job->target);
	job->target = NULL;
	use_result(storage, job);
	if (storage->replacement == job)
		return;
	storage_done *done = job->done;
	void *arg = job->arg;
	int err = job->err;
	struct error error = job->error;
	storage_release(storage, job->lu);
	job->lu = NULL;
	storage_job_free(job);
	storage_end_if_closed(storage);
	/* done() may cause the object to be freed. */
	if (done)
		done(arg, err, &error);
}

void storage_start_job(struct storage_job *job)
{
	storage_job_start(job, finished);
}
