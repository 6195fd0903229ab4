/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Declarations that the files storage*.c share: the object, and a job on the pool. README.md describes the
 * states.
 */
#ifndef STORAGE_PRIVATE_H
#define STORAGE_PRIVATE_H

#include <stdatomic.h>

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
	REQUEST_SET_SERIAL,
	/* This request is carried out at once, without a job. */
	REQUEST_SET_FILTERS,
	/* The object makes this request itself when OPEN takes long, so that a stand-in serves the disk. */
	REQUEST_STAND_IN,
	REQUEST_CLOSE,
};

struct storage {
	struct storage_context context;
	struct storage_owner owner;
	char *name;
	enum storage_status status;
	/* Whether the object is being removed, so that jobs need not open storage any more. */
	atomic_bool is_closing;
	/*
	 * The settings of the last storage_open() or storage_replace() that has succeeded or will be tried
	 * again.
	 */
	struct storage_settings settings;
	/* A reference to the logical unit that serves the disk, or NULL. */
	struct storage_lu *served;
	/* The job whose result will change the object, or NULL. */
	struct storage_job *job;
	/* The number of jobs that have not returned, including those whose result is not needed any more. */
	unsigned njobs;
	/* The number of logical units that are not closed. */
	unsigned nopen;

	/* --- waiting: storage_wait.c --- */
	/* The time limit for a job that takes long. wait_s is 0 if no limit is needed. */
	struct deadline wait;
	unsigned wait_s;
	bool wait_runs;
	/*
	 * A REPLACE that continues when the logical unit previous is closed. previous is not a reference: its
	 * address is only compared.
	 */
	struct storage_job *replacement;
	const struct storage_lu *previous;

	/* --- the end --- */
	bool is_forgotten, is_discarded;
	struct deadline deadline;
	/* Is called at the end of the object; NULL if nobody waits for it. */
	storage_done *closed;
	void *closed_arg;

	/* --- health: storage_health.c --- */
	/* Why the storage could not be opened, and when (CLOCK_REALTIME). */
	struct error error;
	time_t error_time;
	/* The sum of the counters of logical units that are not served any more. */
	struct storage_counters past;
	uint64_t seen_size, seen_flags;
};

/*
 * Work that may block. The main thread creates a job, a thread of the pool runs it, and the main thread gets
 * the result.
 */
struct storage_job {
	struct loop_pool_job pool;
	struct main_work work;
	struct storage *storage;
	enum storage_request request;
	storage_done *done;
	void *arg;
	/* For OPEN, RETRY, REPLACE and SET_SERIAL */
	struct storage_settings settings;
	/* For OPEN: whether a stand-in serves the disk if the storage cannot be opened. */
	bool patient;
	/* For OPEN: whether an administrator knows that the contents may have changed. */
	bool is_loss_accepted;
	/* For OPEN after a REPLACE: whether initiators have switched the write cache, and to which state. */
	bool keeps_write_cache, write_cache;
	/*
	 * For RESIZE, ACCEPT_LOSS and SET_SERIAL: a reference to the logical unit, or NULL if nothing is
	 * served. For REPLACE: a reference to the logical unit that is replaced, until the job returns.
	 */
	struct storage_lu *target;
	/* For RESIZE: the size in bytes */
	uint64_t size;
	/* Whether a later request has made the result superfluous. */
	bool is_superseded;

	/* --- the result --- */
	/* For SET_SERIAL */
	struct storage_naming naming;
	int err;
	struct error error;
	/* For OPEN, RETRY and REPLACE: the new logical unit, or the stand-in, or NULL */
	struct storage_lu *lu;
	/*
	 * For REPLACE: whether the previous logical unit has the lock of the same storage, and must therefore
	 * be closed before the new one is opened. In this case lu is a stand-in.
	 */
	bool previous_has_lock;
};

/* --- storage_job.c */

/* Main thread. Frees the job and the references that it still has. */
void storage_job_free(struct storage_job *job);
/* Main thread. Starts the job. finished() is called on the main thread when the job has ended. */
void storage_job_start(struct storage_job *job, void (*finished)(struct main_work *work));

/* --- storage_wait.c, main thread */

void storage_wait_init(struct storage *storage);
/* To be called when a patient OPEN has started. Starts the time limit. */
void storage_wait_for_open(struct storage *storage);
/* Ends the time limit. */
void storage_wait_end(struct storage *storage);
/* Handles the result of a STAND_IN. */
void storage_stand_in_made(struct storage *storage, struct storage_job *job);
/*
 * Keeps a REPLACE, whose result is already served, until the previous logical unit is closed. The caller
 * releases the previous logical unit after this call.
 */
void storage_wait_for_previous(struct storage *storage, struct storage_job *job,
			       const struct storage_lu *previous);
/* To be called when storage->previous is closed. */
void storage_continue_replacement(struct storage *storage);
/* To be called when the object is being removed. Cancels the replacement and ends the time limit. */
void storage_wait_cancel(struct storage *storage);

/* --- storage.c, storage_result.c, main thread */

/* Returns 0, or -errno with error set if the request is not accepted in this state. */
int storage_admit(struct storage *storage, enum storage_request request, struct error *error);
void storage_set_status(struct storage *storage, enum storage_status status);
/* Sets the status according to the logical unit that is served. */
void storage_set_served_status(struct storage *storage);
/* Makes a thread of the pool run a job. The caller has counted the job in njobs. */
void storage_start_job(struct storage_job *job);
/*
 * Continues a REPLACE after the previous logical unit was closed: opens the storage, which nobody holds any
 * more.
 */
void storage_open_replacement(struct storage *storage, struct storage_job *job);
/* Calls the owner's changed(). */
void storage_notify(struct storage *storage);
/*
 * Releases the object's reference to a logical unit that it does not serve any more. If lu is NULL, nothing
 * happens.
 */
void storage_release(struct storage *storage, struct storage_lu *lu);

/* --- storage_end.c, main thread */

void storage_init_end(struct storage *storage);
/* To be called when a job has returned. */
void storage_end_if_closed(struct storage *storage);
/* To be called when a logical unit of the object is closed. owner is the object. */
void storage_on_lu_closed(void *owner, struct storage_lu *lu);

/* --- storage_health.c */

/*
 * Main thread. Records why the storage could not be opened. Returns false if the last failure had the same
 * reason.
 */
bool storage_note_failure(struct storage *storage, const struct error *error);
/* Main thread. Adds to the sum what the logical unit has counted since the last call. */
void storage_add_counters(struct storage *storage, struct storage_lu *lu);
/*
 * Main thread. Returns whether the size or the health of the served logical unit has changed since the last
 * call.
 */
bool storage_has_changed(struct storage *storage);
#endif
