/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The end of a storage object. It is freed when its jobs have returned and its logical units are closed. If
 * this takes too long, the caller is notified. Main thread.
 */
#include <errno.h>
#include <stdlib.h>

#include "storage/storage_private.h"
#include "util/contract.h"
#include "util/log.h"

#define DISCARD_S 30

static void free_storage(struct storage *storage)
{
	contract(!storage->njobs && !storage->nopen);
	storage_settings_clear(&storage->settings);
	free(storage->name);
	free(storage);
}

/* If everything is closed, ends the time limit. The object is freed after that. */
void storage_end_if_closed(struct storage *storage)
{
	if (storage->closed && !storage->njobs && !storage->nopen && !storage->wait_runs &&
	    !deadline_is_stopping(&storage->deadline))
		deadline_stop(&storage->deadline);
}

bool storage_has_job(const struct storage *storage)
{
	return storage->njobs;
}

void storage_on_lu_closed(void *owner, struct storage_lu *lu)
{
	struct storage *storage = owner;

	storage_add_counters(storage, lu);
	storage->nopen--;
	if (lu == storage->previous)
		storage_continue_replacement(storage);
	storage_end_if_closed(storage);
}

static void on_stopped(struct deadline *deadline)
{
	struct storage *storage = container_of(deadline, struct storage, deadline);
	storage_done *closed = storage->closed;
	void *arg = storage->closed_arg;
	const struct error none = {""};

	free_storage(storage);
	closed(arg, 0, &none);
}

static void on_expired(struct deadline *deadline)
{
	struct storage *storage = container_of(deadline, struct storage, deadline);
	storage_done *closed = storage->closed;
	struct error error;

	storage->closed = NULL;
	error_set(&error, EBUSY, "%s is not closed after %u seconds: %s", storage->name, deadline->seconds,
		  storage->njobs ? "its storage does not answer"
				 : "commands are in flight, or its storage does not answer");
	closed(storage->closed_arg, -EBUSY, &error);
}

void storage_close(struct storage *storage, bool forget, unsigned timeout_s, storage_done *done, void *arg)
{
	struct storage_lu *served = storage->served;
	struct error error;
	int err = storage_admit(storage, REQUEST_CLOSE, &error);

	if (err) {
		done(arg, err, &error);
		return;
	}
	storage->is_forgotten |= forget;
	storage->closed = done;
	storage->closed_arg = arg;
	deadline_start(&storage->deadline, timeout_s);
	if (storage->status != STORAGE_REMOVING) {
		storage->served = NULL;
		storage_set_status(storage, STORAGE_REMOVING);
		atomic_store_explicit(&storage->is_closing, true, memory_order_relaxed);
		storage_wait_cancel(storage);
		storage_release(storage, served);
		storage_notify(storage);
	}
	storage_end_if_closed(storage);
}

static void on_discarded(void *arg, int err, const struct error *error)
{
	if (err)
		log_err(NULL, "%s", error->text);
	*(bool *)arg = true;
}

void storage_discard(struct storage *storage)
{
	struct main_queue *main = storage->context.main;
	bool is_over = false;

	storage->is_discarded = true;
	storage_close(storage, false, DISCARD_S, on_discarded, &is_over);
	while (!is_over)
		main_queue_wait(main, 1000);
}

void storage_init_end(struct storage *storage)
{
	storage->deadline = (struct deadline){.loop = storage->context.loops->loops[0],
					      .main = storage->context.main,
					      .expired = on_expired,
					      .stopped = on_stopped};
}
