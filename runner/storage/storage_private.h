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
	REQUEST_SET_SERIAL,
	/* Carried out at once, without a job. */
	REQUEST_SET_FILTERS,
	/* The object's own: a stand-in, while OPEN takes long. */
	REQUEST_STAND_IN,
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

	/* --- waiting: storage_wait.c --- */
	/* The time limit of a job that takes long; wait_s is 0 when it is not needed any more. */
	struct deadline wait;
	unsigned wait_s;
	bool wait_runs;
	/* A REPLACE that goes on when the logical unit leaving, which is only compared, is closed. */
	struct storage_job *replacement;
	const struct storage_lu *leaving;

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
	struct loop_pool_job pool;
	struct main_work work;
	struct storage *storage;
	enum storage_request request;
	storage_done *done;
	void *arg;
	/* OPEN, RETRY, REPLACE, SET_SERIAL */
	struct storage_settings settings;
	/* OPEN: a stand-in serves the disk if the storage cannot be opened. */
	bool patient;
	/* OPEN: an administrator knows that the contents may be other ones. */
	bool is_loss_accepted;
	/* OPEN after a REPLACE: the write cache as initiators have switched it. */
	bool keeps_write_cache, write_cache;
	/*
	 * RESIZE, ACCEPT_LOSS, SET_SERIAL: a reference; NULL: nothing is served. REPLACE: what is replaced,
	 * a reference until the job returns.
	 */
	struct storage_lu *target;
	/* RESIZE: bytes */
	uint64_t size;
	/* A later request has made the result useless. */
	bool is_superseded;

	/* --- the result --- */
	/* SET_SERIAL */
	struct storage_naming naming;
	int err;
	struct error error;
	/* OPEN, RETRY, REPLACE: the new logical unit, or the stand-in; NULL: none */
	struct storage_lu *lu;
	/*
	 * REPLACE: the old logical unit has the lock of the same storage and must be closed first; lu is a
	 * stand-in.
	 */
	bool lets_go;
};

/* --- storage_job.c */

/* Main thread. Frees the job and what it still refers to. */
void storage_job_free(struct storage_job *job);
/* Main thread. finished() runs on the main thread when the job has ended. */
void storage_job_start(struct storage_job *job, void (*finished)(struct main_work *work));

/* --- storage_wait.c, main thread */

void storage_wait_init(struct storage *storage);
/* A patient OPEN has started. */
void storage_wait_for_open(struct storage *storage);
/* Nothing is waited for any more. */
void storage_wait_end(struct storage *storage);
/* The result of a STAND_IN. */
void storage_stand_in_made(struct storage *storage, struct storage_job *job);
/*
 * Keeps the job, a REPLACE whose result is served, until old is closed. The caller releases old after this
 * call.
 */
void storage_wait_for_old(struct storage *storage, struct storage_job *job, const struct storage_lu *old);
/* storage->leaving is closed: the replacement goes on. */
void storage_old_is_closed(struct storage *storage);
/* The object is being removed. */
void storage_wait_cancel(struct storage *storage);

/* --- storage.c, storage_result.c, main thread */

/* Returns 0, or -errno with error set: the request is not accepted in this state. */
int storage_admit(struct storage *storage, enum storage_request request, struct error *error);
void storage_set_status(struct storage *storage, enum storage_status status);
/* Sets the status that follows from what is served. */
void storage_set_served_status(struct storage *storage);
/* Has a thread of the pool run a job that the caller has counted. */
void storage_start_job(struct storage_job *job);
/* Continues a REPLACE that lets go: opens the storage, which nobody holds now. */
void storage_open_after_old(struct storage *storage, struct storage_job *job);
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
