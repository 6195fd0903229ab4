/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The life of a logical unit after it was opened: references, the loss of contents, counters, and closing on
 * a thread of the pool. lu_open.c opens it.
 */
#include "storage/lu_private.h"

#include <stdlib.h>

#include "storage/registry.h"
#include "util/contract.h"

/* --- properties --- */

struct scsi_lu *storage_lu_scsi(const struct storage_lu *lu)
{
	return lu->scsi;
}

struct backstore *storage_lu_backstore(const struct storage_lu *lu)
{
	return lu->bs;
}

bool storage_lu_is_absent(const struct storage_lu *lu)
{
	return backstore_is_absent(lu->bs);
}

bool storage_lu_has_taken_over(const struct storage_lu *lu)
{
	return backstore_has_taken_over(lu->bs);
}

bool storage_lu_is_in_memory(const struct storage_lu *lu)
{
	return backstore_info(lu->bs)->flags & TCMUR_INFO_VOLATILE;
}

const char *storage_lu_options(const struct storage_lu *lu)
{
	return lu->options;
}

const char *storage_lu_serial(const struct storage_lu *lu)
{
	return lu->unit ? lu->serial : "";
}

const char *storage_lu_problem(const struct storage_lu *lu)
{
	uint64_t flags = backstore_flags(lu->bs);

	if (flags & TCMUR_INFO_SHORT)
		return "the storage is shorter than the disk; blocks beyond its end cannot be used";
	if (flags & TCMUR_INFO_REPLACED)
		return "the path leads to other storage now, but the old storage is still served";
	return "";
}

bool storage_lu_is_lost(const struct storage_lu *lu)
{
	return atomic_load_explicit(&lu->is_lost, memory_order_acquire);
}

void storage_lu_accept_loss(struct storage_lu *lu)
{
	if (!storage_lu_is_lost(lu))
		return;
	/*
	 * The record must be removed before the first write, because otherwise that write would not be
	 * recorded.
	 */
	storage_contents_accept_loss(lu->contents);
	atomic_store_explicit(&lu->is_lost, false, memory_order_release);
	scsi_lu_set_blocked(lu->scsi, false);
}

/* --- counters --- */

void storage_lu_counters(const struct storage_lu *lu, struct storage_counters *counters)
{
	if (lu->is_closed) {
		*counters = lu->counters;
		return;
	}
	backstore_stats(lu->bs, &counters->io);
	scsi_lu_errors(lu->scsi, &counters->errors);
}

/* --- references and the end --- */

bool storage_lu_was_created(const struct storage_lu *lu)
{
	return backstore_info(lu->bs)->flags & TCMUR_INFO_CREATED && !storage_lu_is_in_memory(lu);
}

/* Removes storage that was created and that nobody has used, and the record that it was served. */
static void discard(struct storage_lu *lu)
{
	const struct storage_object object = {
	    .config = backstore_config(lu->bs),
	    .storage = backstore_identity(lu->bs),
	    .name = storage_name_text(lu->name),
	};

	if (storage_lu_was_created(lu))
		storage_identity_forget(lu->registry, &object);
	backstore_discard(lu->bs);
}

/* May block. Frees everything except the structure itself. Parts that were not created are NULL. */
static void free_parts(struct storage_lu *lu)
{
	storage_unit_leave(lu->unit);
	scsi_lu_free(lu->scsi);
	if (lu->bs && lu->is_discarded)
		discard(lu);
	else if (lu->bs)
		backstore_close(lu->bs);
	storage_contents_free(lu->contents, lu->is_forgotten);
	storage_name_leave(lu->name);
	free(lu->unit_name);
}

void storage_lu_close(struct storage_lu *lu)
{
	if (!lu)
		return;
	contract(atomic_load_explicit(&lu->references, memory_order_acquire) == 1);
	free_parts(lu);
	free(lu);
}

/* Called on the main thread. */
static void on_closed(struct main_work *work)
{
	struct storage_lu *lu = container_of(work, struct storage_lu, closed_work);

	lu->closed(lu->owner, lu);
	free(lu);
}

static void close_on_pool(struct loop_pool_job *job)
{
	struct storage_lu *lu = container_of(job, struct storage_lu, close_job);

	storage_lu_counters(lu, &lu->counters);
	free_parts(lu);
	lu->is_closed = true;
	lu->closed_work.fn = on_closed;
	main_queue_post(lu->main, &lu->closed_work);
}

struct storage_lu *storage_lu_get(struct storage_lu *lu)
{
	atomic_fetch_add_explicit(&lu->references, 1, memory_order_relaxed);
	return lu;
}

void storage_lu_put(struct storage_lu *lu)
{
	/*
	 * The thread that closes the logical unit must see everything that other threads have done with it.
	 */
	if (!lu || atomic_fetch_sub_explicit(&lu->references, 1, memory_order_acq_rel) != 1)
		return;
	lu->close_job.fn = close_on_pool;
	loop_pool_submit(lu->registry->jobs, &lu->close_job);
}

void storage_lu_forget(struct storage_lu *lu)
{
	lu->is_forgotten = true;
}

void storage_lu_discard(struct storage_lu *lu)
{
	lu->is_discarded = true;
}
