/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The waits of a storage object: for storage that takes long to open, and for the end of a previous logical
 * unit that holds the lock which the new one needs. Meanwhile initiators are told that the disk is becoming
 * ready, and the caller who has asked for the change gets an answer after a time limit. Main thread.
 */
#include <errno.h>
#include <stdlib.h>

#include "storage/storage_private.h"

/* After this number of seconds, a stand-in serves a disk whose storage is not open yet. */
#define OPEN_S 5
/* After this number of seconds, the caller of a replacement that still waits gets an answer. */
#define REPLACE_S 30

/* --- the time limit --- */

static void begin(struct storage *storage, unsigned seconds)
{
	storage->wait_s = seconds;
	if (storage->wait_runs)
		return; /* The timer is being stopped. It is started again when this has ended. */
	storage->wait_runs = true;
	deadline_start(&storage->wait, seconds);
}

void storage_wait_end(struct storage *storage)
{
	storage->wait_s = 0;
	if (storage->wait_runs && !deadline_is_stopping(&storage->wait))
		deadline_stop(&storage->wait);
}

static void on_stopped(struct deadline *deadline)
{
	struct storage *storage = container_of(deadline, struct storage, wait);

	storage->wait_runs = false;
	if (storage->wait_s)
		begin(storage, storage->wait_s);
	storage_end_if_closed(storage);
}

/* Calls done(), but only once. */
static void answer(struct storage_job *job, int err, const struct error *error)
{
	storage_done *done = job->done;

	job->done = NULL;
	if (done)
		done(job->arg, err, error);
}

/* --- storage that takes long to open --- */

void storage_wait_for_open(struct storage *storage)
{
	begin(storage, OPEN_S);
}

static void make_stand_in(struct storage *storage, const struct storage_job *open)
{
	struct storage_job *job = calloc(1, sizeof(*job));

	if (!job || storage_settings_copy(&job->settings, &open->settings)) {
		free(job);
		return;
	}
	job->storage = storage;
	job->request = REQUEST_STAND_IN;
	storage->njobs++;
	storage_start_job(job);
}

/* Answers the caller of a change that takes long. The change itself continues. */
static void answer_early(struct storage *storage, struct storage_job *job)
{
	struct error error;

	error_set(&error, EINPROGRESS,
		  "%s has not opened after %u seconds, because its storage does not answer or many disks are "
		  "being opened; until it opens, initiators are told that the disk is becoming ready",
		  job->settings.origin ? job->settings.origin : storage->name, storage->wait.seconds);
	storage_note_failure(storage, &error);
	answer(job, -EINPROGRESS, &error);
}

void storage_stand_in_made(struct storage *storage, struct storage_job *job)
{
	if (job->err || storage->status != STORAGE_OPENING || storage->served || !storage->job)
		return;
	storage->served = job->lu;
	job->lu = NULL;
	storage_has_changed(storage);
	storage_notify(storage);
	answer_early(storage, storage->job);
}

/* --- a previous logical unit that has the lock --- */

void storage_wait_for_previous(struct storage *storage, struct storage_job *job,
			       const struct storage_lu *previous)
{
	storage->replacement = storage->job = job;
	storage->previous = previous;
	begin(storage, REPLACE_S);
}

/*
 * Ends the replacement. Until now the new logical unit has said that it is becoming ready, because commands
 * of the previous one may still have been writing.
 */
static void serve_new(struct storage *storage, struct storage_job *job)
{
	const struct error none = {""};

	scsi_lu_set_becoming_ready(storage->served->scsi, false);
	storage_set_served_status(storage);
	storage_notify(storage);
	answer(job, 0, &none);
	storage_job_free(job);
}

void storage_continue_replacement(struct storage *storage)
{
	struct storage_job *job = storage->replacement;

	storage->replacement = storage->job = NULL;
	storage->previous = NULL;
	storage_wait_end(storage);
	if (job->previous_has_lock)
		storage_open_replacement(storage, job);
	else
		serve_new(storage, job);
}

/* --- the object is being removed --- */

void storage_wait_cancel(struct storage *storage)
{
	struct storage_job *job = storage->replacement;
	struct error error;

	storage_wait_end(storage);
	if (!job)
		return;
	storage->replacement = storage->job = NULL;
	storage->previous = NULL;
	error_set(&error, ECANCELED, "%s is being removed", storage->name);
	answer(job, -ECANCELED, &error);
	storage_job_free(job);
}

/* --- the time limit has passed --- */

static void on_expired(struct deadline *deadline)
{
	struct storage *storage = container_of(deadline, struct storage, wait);
	struct storage_job *job = storage->job;

	if (!storage->wait_s || !job)
		return;
	if (storage->served)
		answer_early(storage, job);
	else if (job->patient)
		make_stand_in(storage, job);
}

void storage_wait_init(struct storage *storage)
{
	storage->wait = (struct deadline){.loop = storage->context.loops->loops[0],
					  .main = storage->context.main,
					  .expired = on_expired,
					  .stopped = on_stopped};
}
