/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The states of a storage object, and the requests that change them. Everything here runs on the main thread
 * and does not block: work that may block is in storage_job.c, and lu.c closes logical units that are not
 * used any more.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "storage/registry.h"
#include "storage/spec.h"
#include "storage/storage_private.h"
#include "util/bytes.h"
#include "util/log.h"

/* --- states and requests --- */

#define IN(status) (1u << (status))
#define SAME       (-1)

/*
 * The states in which a request is accepted, and the state that follows at once. The result of the job
 * determines the state after that.
 */
static const struct rule {
	/* The verb for messages: "cannot be ...". */
	const char *verb;
	unsigned states;
	int next;
} rules[] = {
    [REQUEST_OPEN] = {"opened", IN(STORAGE_CONFIGURED), STORAGE_OPENING},
    [REQUEST_RETRY] = {"opened", IN(STORAGE_FAILED), SAME},
    [REQUEST_REPLACE] = {"replaced", IN(STORAGE_SERVED) | IN(STORAGE_FAILED) | IN(STORAGE_CONTENTS_LOST),
			 SAME},
    [REQUEST_RESIZE] = {"resized", IN(STORAGE_SERVED) | IN(STORAGE_CONTENTS_LOST), SAME},
    [REQUEST_ACCEPT_LOSS] = {"accepted as empty", IN(STORAGE_CONTENTS_LOST), SAME},
    [REQUEST_SET_SERIAL] = {"given a serial number",
			    IN(STORAGE_CONFIGURED) | IN(STORAGE_SERVED) | IN(STORAGE_FAILED) |
				IN(STORAGE_CONTENTS_LOST),
			    SAME},
    [REQUEST_SET_FILTERS] = {"given other options of its filters",
			     IN(STORAGE_SERVED) | IN(STORAGE_CONTENTS_LOST), SAME},
    [REQUEST_STAND_IN] = {"served by a stand-in", IN(STORAGE_OPENING), SAME},
    [REQUEST_CLOSE] = {"removed", ~0u, STORAGE_REMOVING},
};

const char *storage_status_name(enum storage_status status)
{
	static const char *const names[] = {
	    [STORAGE_CONFIGURED] = "configured",
	    [STORAGE_OPENING] = "opening",
	    [STORAGE_SERVED] = "served",
	    [STORAGE_FAILED] = "failed",
	    [STORAGE_CONTENTS_LOST] = "contents lost",
	    [STORAGE_REMOVING] = "removing",
	};

	return names[status];
}

void storage_set_status(struct storage *storage, enum storage_status status)
{
	if (storage->status == status)
		return;
	log_debug(storage->name, "%s, was %s", storage_status_name(status),
		  storage_status_name(storage->status));
	storage->status = status;
}

void storage_notify(struct storage *storage)
{
	if (storage->owner.changed)
		storage->owner.changed(storage->owner.arg, storage);
}

/*
 * Returns whether the request makes the running job superfluous: the result of a new attempt to open the
 * storage is not needed if the storage is replaced.
 */
static bool can_supersede(const struct storage *storage, enum storage_request request)
{
	return request == REQUEST_REPLACE && storage->job->request == REQUEST_RETRY;
}

/* Checks whether the request is accepted. Returns 0, or -errno with error set. */
int storage_admit(struct storage *storage, enum storage_request request, struct error *error)
{
	const struct rule *rule = &rules[request];

	if (!(rule->states & IN(storage->status)))
		return error_set(error, storage->status == STORAGE_OPENING ? EBUSY : EINVAL,
				 "%s cannot be %s in the state \"%s\"", storage->name, rule->verb,
				 storage_status_name(storage->status));
	if (request == REQUEST_CLOSE)
		return storage->closed ? error_set(error, EBUSY, "%s is being removed already", storage->name)
				       : 0;
	if (storage->job && !can_supersede(storage, request))
		return error_set(error, EBUSY, "%s cannot be %s while another change is in progress",
				 storage->name, rule->verb);
	return 0;
}

/* --- the logical unit that is served --- */

void storage_release(struct storage *storage, struct storage_lu *lu)
{
	if (!lu)
		return;
	storage_add_counters(storage, lu);
	if (storage->is_forgotten)
		storage_lu_forget(lu);
	if (storage->is_discarded)
		storage_lu_discard(lu);
	storage_lu_put(lu);
}

/* --- the start of jobs --- */

static struct storage_job *new_job(struct storage *storage, enum storage_request request,
				   const struct storage_settings *settings, struct error *error)
{
	int err = storage_admit(storage, request, error);
	struct storage_job *job = err ? NULL : calloc(1, sizeof(*job));

	if (job && (!settings || !storage_settings_copy(&job->settings, settings))) {
		job->storage = storage;
		job->request = request;
		return job;
	}
	free(job);
	errno = err ? -err : ENOMEM;
	if (!err)
		error_set(error, ENOMEM, "%s: out of memory", storage->name);
	return NULL;
}

static void start(struct storage_job *job)
{
	struct storage *storage = job->storage;
	int next = rules[job->request].next;

	if (storage->job)
		storage->job->is_superseded = true;
	storage->job = job;
	storage->njobs++;
	if (next != SAME) {
		storage_set_status(storage, (enum storage_status)next);
		storage_notify(storage);
	}
	storage_start_job(job);
}

void storage_open_replacement(struct storage *storage, struct storage_job *job)
{
	job->request = REQUEST_OPEN;
	job->patient = true;
	job->previous_has_lock = false;
	start(job);
	storage_wait_for_open(storage);
}

void storage_open(struct storage *storage, const struct storage_settings *settings, bool patient,
		  storage_done *done, void *arg)
{
	struct error error;
	struct storage_job *job = new_job(storage, REQUEST_OPEN, settings, &error);

	if (!job) {
		done(arg, -errno, &error);
		return;
	}
	job->patient = patient;
	job->done = done;
	job->arg = arg;
	start(job);
	if (patient)
		storage_wait_for_open(storage);
}

/* Returns 0, or -EINVAL with error set if the contents would be lost and nobody has permitted this. */
static int keep_contents(const struct storage *storage, struct error *error)
{
	if (storage->status != STORAGE_SERVED || !storage_lu_is_in_memory(storage->served))
		return 0;
	return error_set(error, EINVAL,
			 "%s is in memory and is served, and replacing it would empty it; nothing was "
			 "changed. To begin with an empty disk, delete it and create it again",
			 storage->name);
}

void storage_replace(struct storage *storage, const struct storage_settings *settings, storage_done *done,
		     void *arg)
{
	struct error error;
	int err = keep_contents(storage, &error);
	struct storage_job *job = err ? NULL : new_job(storage, REQUEST_REPLACE, settings, &error);

	if (!job) {
		done(arg, err ? err : -errno, &error);
		return;
	}
	job->done = done;
	job->arg = arg;
	job->target = storage_lu_get(storage->served);
	/*
	 * In other states, the administrator has not been told that the contents are lost, and therefore
	 * cannot have accepted the loss.
	 */
	job->is_loss_accepted = storage->status == STORAGE_CONTENTS_LOST;
	start(job);
}

void storage_resize(struct storage *storage, uint64_t size, storage_done *done, void *arg)
{
	struct error error;
	struct storage_job *job = new_job(storage, REQUEST_RESIZE, NULL, &error);

	if (!job) {
		done(arg, -errno, &error);
		return;
	}
	job->done = done;
	job->arg = arg;
	job->size = size;
	job->target = storage_lu_get(storage->served);
	start(job);
}

void storage_accept_loss(struct storage *storage, storage_done *done, void *arg)
{
	struct error error;
	struct storage_job *job = new_job(storage, REQUEST_ACCEPT_LOSS, NULL, &error);

	if (!job) {
		done(arg, -errno, &error);
		return;
	}
	job->done = done;
	job->arg = arg;
	job->target = storage_lu_get(storage->served);
	start(job);
}

void storage_set_serial(struct storage *storage, const char *serial, storage_done *done, void *arg)
{
	struct storage_settings settings = storage->settings;
	struct error error;

	settings.serial = serial;
	struct storage_job *job = new_job(storage, REQUEST_SET_SERIAL, &settings, &error);
	if (!job) {
		done(arg, -errno, &error);
		return;
	}
	job->done = done;
	job->arg = arg;
	job->target = storage->served ? storage_lu_get(storage->served) : NULL;
	start(job);
}

int storage_set_filters(struct storage *storage, const char *config, struct error *error)
{
	int err = storage_admit(storage, REQUEST_SET_FILTERS, error);
	char *copy = err ? NULL : strdup(config);

	if (!err && !copy)
		err = error_set(error, ENOMEM, "%s: out of memory", storage->name);
	if (!err && !storage_spec_has_same_chain(config, storage->settings.config))
		err =
		    error_set(error, EINVAL, "%s: only options of its filters can be changed", storage->name);
	if (!err && (err = storage_lu_set_filters(storage->served, config, error)))
		error_prefix(error, err, "%s", storage->name);
	if (err) {
		free(copy);
		return err;
	}
	free((char *)storage->settings.config);
	storage->settings.config = copy;
	return 0;
}

void storage_tick(struct storage *storage)
{
	struct storage_job *job;

	if (storage->status == STORAGE_FAILED && !storage->job) {
		job = new_job(storage, REQUEST_RETRY, &storage->settings, NULL);
		if (job)
			start(job);
	} else if (storage->served && !storage_lu_is_absent(storage->served)) {
		backstore_refresh(storage_lu_backstore(storage->served));
		if (storage_has_changed(storage))
			storage_notify(storage);
	}
}

/* --- creating objects, and reading their properties --- */

struct storage *storage_new(const struct storage_context *context, const char *name,
			    const struct storage_owner *owner)
{
	struct storage *storage = calloc(1, sizeof(*storage));

	if (!storage)
		return NULL;
	storage->context = *context;
	storage->owner = *owner;
	storage->status = STORAGE_CONFIGURED;
	storage_init_end(storage);
	storage_wait_init(storage);
	storage->name = strdup(name);
	if (storage->name)
		return storage;
	free(storage);
	return NULL;
}

struct storage_lu *storage_served(const struct storage *storage)
{
	return storage->served;
}

const char *storage_name(const struct storage *storage)
{
	return storage->name;
}

enum storage_status storage_status(const struct storage *storage)
{
	return storage->status;
}
