/* SPDX-License-Identifier: Apache-2.0 */
/* What the files storage*.c share: the object, and a job on the pool. README.md has the states. */
#ifndef STORAGE_PRIVATE_H
#define STORAGE_PRIVATE_H

#include "storage/deadline.h"
#include "storage/lu_private.h"
#include "storage/settings.h"
#include "storage/storage.h"

enum storage_request {
	REQUEST_OPEN,
	REQUEST_RETRY,
	REQUEST_REPLACE,
	REQUEST_RESIZE,
	REQUEST_ACCEPT_LOSS,
	REQUEST_CLOSE,
};

struct storage {
	struct storage_context context;
	struct storage_owner owner;
	char *name;
	enum storage_status status;
	/*
	 * The settings of the last storage_open() or storage_replace() that succeeded or will be tried again.
	 */
	struct storage_settings settings;
	/* The object's reference; NULL: nothing is served. */
	struct storage_lu *served;
	/* The job whose result changes the object; NULL: there is none. */
	struct storage_job *job;
	/* Jobs that have not returned, including those whose result is not used any more. */
	unsigned njobs;
	/* Logical units that are not closed. */
	unsigned nopen;

	/* --- the end --- */
	bool is_forgotten, is_discarded;
	struct deadline deadline;
	/* NULL: nobody waits for the end. */
	storage_done *closed;
	void *closed_arg;

	/* --- health: storage_health.c --- */
	/* Why the storage could not be opened, and when (CLOCK_REALTIME). */
	struct error error;
	time_t error_time;
	/* Of logical units that are not served any more. */
	struct storage_counters past;
	uint64_t seen_size, seen_flags;
};

/*
 * Something that may block. The main thread makes it, a thread of the pool runs it, and the main thread gets
 * the result.
 */
struct storage_job {
	struct pool_job pool;
	struct main_work work;
	struct storage *storage;
	enum storage_request request;
	storage_done *done;
	void *arg;
	/* OPEN, RETRY, REPLACE */
	struct storage_settings settings;
	/* OPEN: a stand-in serves the disk if the storage cannot be opened. */
	bool patient;
	/* RESIZE, ACCEPT_LOSS: a reference */
	struct storage_lu *target;
	/* RESIZE: bytes */
	uint64_t size;
	/* A later request has made the result useless. */
	bool is_superseded;

	/* --- the result --- */
	int err;
	struct error error;
	/* OPEN, RETRY, REPLACE: the new logical unit, or the stand-in; NULL: none */
	struct storage_lu *lu;
};

/* --- storage_job.c */

/* Main thread. Frees the job and what it still refers to. */
void storage_job_free(struct storage_job *job);
/* Main thread. finished() runs on the main thread when the job has ended. */
void storage_job_start(struct storage_job *job, void (*finished)(struct main_work *work));

/* --- storage.c, main thread */

/* Returns 0, or -errno with error set: the request is not accepted in this state. */
int storage_admit(struct storage *storage, enum storage_request request, struct error *error);
void storage_set_status(struct storage *storage, enum storage_status status);
/* Tells the owner. */
void storage_notify(struct storage *storage);
/*
 * Releases the object's reference to a logical unit that it does not serve any more; NULL: nothing happens.
 */
void storage_release(struct storage *storage, struct storage_lu *lu);

/* --- storage_end.c, main thread */

void storage_init_end(struct storage *storage);
/* To be called when a job has returned. */
void storage_end_if_closed(struct storage *storage);
/* A logical unit of the object, its owner, is closed. */
void storage_on_lu_closed(void *owner, struct storage_lu *lu);

/* --- storage_health.c */

/*
 * Main thread. Remembers why the storage could not be opened. Returns false if the last failure had the same
 * reason.
 */
bool storage_note_failure(struct storage *storage, const struct error *error);
/* Main thread. Adds what the logical unit has counted since the last call to the sum. */
void storage_add_counters(struct storage *storage, struct storage_lu *lu);
/* Main thread. Returns whether the size or the health of what is served has changed since the last call. */
bool storage_has_changed(struct storage *storage);
#endif
