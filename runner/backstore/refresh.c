/* SPDX-License-Identifier: Apache-2.0 */
/* Follows changes of the storage's size, and enlarges storage, on threads of the pool. */
#include <errno.h>
#include <string.h>

#include "backstore/private.h"
#include "util/cleanup.h"
#include "util/log.h"

static void run(struct loop_pool_job *job);

void refresh_begin(struct backstore *bs)
{
	SCOPE_LOCK(&bs->refresh_lock);

	bs->opened = true;
}

/*
 * Waits for a refresh that is running. A refresh that is only queued will find that the backstore is closed.
 */
void refresh_end(struct backstore *bs)
{
	SCOPE_LOCK(&bs->refresh_lock);

	bs->opened = false;
	while (bs->refresh == REFRESH_RUNNING)
		pthread_cond_wait(&bs->refresh_ended, &bs->refresh_lock);
}

/* refresh_lock must be held. */
static void queue(struct backstore *bs)
{
	bs->refresh = REFRESH_QUEUED;
	bs->refresh_again = false;
	bs->refresh_job.fn = run;
	atomic_fetch_add_explicit(&bs->references, 1, memory_order_relaxed);
	loop_pool_submit(bs->set->pool, &bs->refresh_job);
}

void backstore_refresh(struct backstore *bs)
{
	SCOPE_LOCK(&bs->refresh_lock);

	if (!bs->opened || !bs->handler->api.refresh)
		return;
	if (bs->refresh == REFRESH_IDLE)
		queue(bs);
	else if (bs->refresh == REFRESH_RUNNING)
		bs->refresh_again = true;
}

void backstore_on_resize(struct backstore *bs, void (*fn)(void *arg, uint64_t new_size), void *arg)
{
	SCOPE_LOCK(&bs->refresh_lock);

	bs->resized = fn;
	bs->resized_arg = arg;
	/*
	 * When this call returns, the previous listener may be freed, so a refresh that uses it must have
	 * ended.
	 */
	while (!fn && bs->refresh == REFRESH_RUNNING)
		pthread_cond_wait(&bs->refresh_ended, &bs->refresh_lock);
}

static void announce(struct backstore *bs, uint64_t size)
{
	lock_take(&bs->refresh_lock);
	void (*resized)(void *, uint64_t) = bs->resized;
	void *arg = bs->resized_arg;
	lock_drop(&bs->refresh_lock);

	if (resized)
		resized(arg, size);
}

/* size_lock must be held. */
static void change_size(struct backstore *bs, uint64_t size)
{
	uint64_t old = backstore_size(bs);

	if (size == old)
		return;
	log_info(bs->name, "size changed from %llu to %llu bytes", (unsigned long long)old,
		 (unsigned long long)size);
	atomic_store_explicit(&bs->size, size, memory_order_relaxed);
	announce(bs, size);
}

/* Only the size may change: initiators have learned the other properties when they attached. */
static void update_size(struct backstore *bs)
{
	struct tcmur_info info = bs->info;

	SCOPE_LOCK(&bs->size_lock);
	int err = bs->handler->api.refresh(bs->handle, &info);
	uint64_t size = info.size - info.size % bs->info.block_size;

	if (err < 0)
		log_warn(bs->name, "cannot refresh: %s", strerror(-err));
	else if (info.block_size != bs->info.block_size || !size || size > INT64_MAX)
		log_err(bs->name, "ignoring a change to %llu bytes in blocks of %u",
			(unsigned long long)info.size, info.block_size);
	else if (!bs->keeps_size)
		change_size(bs, size);
	if (err == 0)
		atomic_store_explicit(&bs->flags, info.flags, memory_order_relaxed);
}

/* size_lock must be held. Returns true if the storage already has this size or a larger one. */
static bool has_grown(struct backstore *bs, uint64_t size)
{
	struct tcmur_info info = bs->info;

	return bs->handler->api.refresh && bs->handler->api.refresh(bs->handle, &info) == 0 &&
	       info.size >= size;
}

int backstore_resize(struct backstore *bs, uint64_t size, struct error *error)
{
	const struct tcmur_handler *api = &bs->handler->api;
	uint64_t wanted = size;

	size -= size % bs->info.block_size;
	SCOPE_LOCK(&bs->size_lock);
	if (size < backstore_size(bs))
		return error_set(error, EINVAL,
				 "%llu bytes are fewer than the disk has; a disk is never made smaller",
				 (unsigned long long)wanted);
	if (size > INT64_MAX)
		return error_set(error, EFBIG, "%llu bytes cannot be served", (unsigned long long)size);
	if (size > backstore_size(bs) && !has_grown(bs, size)) {
		if (bs->info.read_only)
			return error_set(error, EROFS,
					 "it is read-only, so its storage is not enlarged to %llu bytes; "
					 "enlarge the storage itself first, or create the disk without "
					 "read_only",
					 (unsigned long long)wanted);
		int err = api->resize ? api->resize(bs->handle, size) : -EOPNOTSUPP;

		if (err == -EOPNOTSUPP)
			return error_set(error, EOPNOTSUPP, "%s storage cannot be enlarged", api->name);
		if (err < 0)
			return error_set(error, -err, "cannot be enlarged to %llu bytes: %s",
					 (unsigned long long)size, strerror(-err));
	}
	change_size(bs, size);
	return 0;
}

static bool start(struct backstore *bs)
{
	SCOPE_LOCK(&bs->refresh_lock);

	bs->refresh = bs->opened ? REFRESH_RUNNING : REFRESH_IDLE;
	return bs->opened;
}

static void end(struct backstore *bs)
{
	SCOPE_LOCK(&bs->refresh_lock);

	bs->refresh = REFRESH_IDLE;
	if (bs->refresh_again && bs->opened)
		queue(bs);
	pthread_cond_broadcast(&bs->refresh_ended);
}

static void run(struct loop_pool_job *job)
{
	struct backstore *bs = container_of(job, struct backstore, refresh_job);

	if (start(bs)) {
		update_size(bs);
		end(bs);
	}
	backstore_unref(bs);
}
