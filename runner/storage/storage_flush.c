/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Flushes a storage object on a loop, and reports the result on the main thread. The caller decides how
 * long to wait.
 */
#include <errno.h>
#include <stdlib.h>

#include "storage/storage_private.h"

/* The reference keeps the logical unit, and thereby the object, from being freed. */
struct flush {
	struct storage *storage;
	struct storage_lu *lu;
	struct loop_work start;
	struct main_work over;
	struct backstore_io bio;
	enum tcmur_status status;
	storage_done *done;
	void *arg;
};

/* Called on the main thread. */
static void on_over(struct main_work *work)
{
	struct flush *flush = container_of(work, struct flush, over);
	struct error error = {""};
	int err = flush->status == TCMUR_OK
		      ? 0
		      : error_set(&error, EIO, "%s: what was written is not on stable storage",
				  storage_name(flush->storage));

	flush->done(flush->arg, err, &error);
	storage_lu_put(flush->lu);
	free(flush);
}

/* Called on the loop. */
static void on_flushed(struct backstore_io *bio, enum tcmur_status status)
{
	struct flush *flush = bio->owner;

	flush->status = status;
	main_queue_post(flush->storage->context.main, &flush->over);
}

/* Called on the loop. */
static void start(struct loop_work *work)
{
	backstore_submit(&container_of(work, struct flush, start)->bio);
}

void storage_flush(struct storage *storage, storage_done *done, void *arg)
{
	struct backstore *bs = storage->served ? storage_lu_backstore(storage->served) : NULL;
	bool has_cache = bs && !backstore_is_absent(bs) && backstore_has_flush(bs);
	struct flush *flush = has_cache ? calloc(1, sizeof(*flush)) : NULL;
	struct error error = {""};

	if (!flush) {
		int err = has_cache ? error_set(&error, ENOMEM, "%s: out of memory", storage->name) : 0;
		done(arg, err, &error);
		return;
	}
	struct loop *loop = storage->context.loops->loops[0];
	*flush = (struct flush){
	    .storage = storage,
	    .lu = storage_lu_get(storage->served),
	    .start.fn = start,
	    .over.fn = on_over,
	    .bio = {.op = BACKSTORE_FLUSH, .bs = bs, .loop = loop, .owner = flush, .done = on_flushed},
	    .done = done,
	    .arg = arg,
	};
	loop_post(loop, &flush->start);
}
