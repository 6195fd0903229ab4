/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Remembers the inventories that initiators know, and keeps them in the file "inventories" of the state
 * folder. A change is written at once, but not more often than once a second, and never for more than a
 * twentieth of the time, so that initiators that log in all the time do not keep the daemon busy. If the
 * process is killed before that, an initiator may miss a change, or be told of one that it knows.
 *
 * Several daemons can share a state folder. Each of them therefore adds what it knows to the current contents
 * of the file, under a lock.
 */
#include "storage/inventories.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "storage/inventory_table.h"
#include "storage/registry.h"
#include "storage/small_file.h"
#include "storage/state.h"
#include "util/bytes.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/log.h"

#define NAME "inventories"
/* The size of a file whose sets are all full is 5 MiB. */
#define FILE_MAX (8 << 20)
/* The shortest interval between two writes. After a long write it is longer: IDLE_FACTOR times the write. */
#define INTERVAL_NS NS_PER_S
#define IDLE_FACTOR 20
/* How often the daemon tries, when it stops, to get the lock that another daemon holds for milliseconds. */
#define LAST_TRIES 50
#define TRY_NS     10000000

struct storage_inventories {
	struct storage_registry *registry;
	/* Guards the members below. */
	pthread_mutex_t lock;
	struct inventory_table table;
	/* Whether a thread of the pool writes the file, or waits until it may write it again. */
	bool is_saving;
	/* Whether the table has changed since that thread copied it. */
	bool is_changed;
	/* Whether the daemon stops, so that the thread must not wait. */
	bool is_closing;
	/* Wakes the thread when is_closing is set, and wakes the main thread when is_saving is cleared. */
	pthread_cond_t changed;
	struct loop_pool_job job;
	/* Used by the thread that writes: whether the last write has failed, which is in the log. */
	bool is_failing;
};

/* --- the file --- */

/* Returns how many bytes the text of the file needs with its NUL, but at most FILE_MAX + 1. */
static size_t room_for(int folder, const char *name)
{
	struct stat st;

	return fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) ? 1 : (size_t)MIN(st.st_size, FILE_MAX) + 1;
}

static int read_copy(int folder, const char *name, struct inventory_table *table, struct error *error)
{
	size_t room = room_for(folder, name);
	CLEANUP_FREE char *text = malloc(room);
	struct error reason;

	if (!text)
		return error_set(error, ENOMEM, "out of memory");
	ssize_t n = small_file_read(folder, name, text, room, error);
	if (n < 0)
		return (int)n;
	int err = inventory_table_parse(table, text, &reason);
	if (!err)
		return 0;
	inventory_table_clear(table);
	return small_file_refuse(folder, -err, error, "%s: %s", name, reason.text);
}

/* Returns whether the error says nothing about the file, because the process lacks memory or descriptors. */
static bool is_shortage(int err)
{
	return err == -ENOMEM || err == -EMFILE || err == -ENFILE;
}

/*
 * Reads the file into the empty table. If the file is damaged, reads its previous copy. Returns 0 if the file
 * was read or does not exist. Otherwise returns -errno and sets error to what is wrong with the file, even if
 * the previous copy could be read.
 */
static int read_file(int folder, struct inventory_table *table, bool *has_copy, struct error *error)
{
	struct error reason;
	int err = read_copy(folder, NAME, table, error);

	*has_copy = false;
	if (err == -ENOENT)
		return 0;
	if (err && !is_shortage(err))
		*has_copy = !read_copy(folder, NAME ".old", table, &reason);
	return err;
}

static void read_at_start(int folder, struct inventory_table *table)
{
	struct error error;
	bool has_copy;

	if (read_file(folder, table, &has_copy, &error))
		log_warn(NULL, "%s; %s", error.text,
			 has_copy ? "the previous copy is used"
				  : "initiators are not told that their LUNs have changed while they were "
				    "logged out");
}

/* Adds an inventory to another table, or replaces the one that this table has. Returns 0 or -ENOMEM. */
static int copy_one(const struct inventory *inventory, struct inventory_table *to, uint64_t used_s)
{
	struct inventory *copy = inventory_find(to, inventory->id);

	if (copy)
		inventory_use(to, copy, used_s);
	else
		copy = inventory_add(to, inventory->id, used_s);
	if (!copy)
		return -ENOMEM;
	copy->luns = inventory->luns;
	inventory_limit(to, inventory->id);
	return 0;
}

static int merge_into(const struct inventory_table *fresh, struct inventory_table *merged,
		      struct error *error)
{
	const struct inventory *inventory = inventory_next(fresh, NULL);

	for (; inventory; inventory = inventory_next(fresh, inventory))
		if (copy_one(inventory, merged, inventory->used_s))
			return error_set(error, ENOMEM, "out of memory");
	return 0;
}

static int write_table(int folder, const struct inventory_table *table, struct error *error)
{
	CLEANUP_FREE char *text = inventory_table_format(table);

	return text ? small_file_replace(folder, NAME, text, error)
		    : error_set(error, ENOMEM, "out of memory");
}

/* Replaces the file by its contents and the inventories in fresh. The file is locked. */
static int add_to_file(int folder, const struct inventory_table *fresh, struct error *error)
{
	struct inventory_table merged;
	struct error damage;
	bool has_copy;

	inventory_table_init(&merged);
	int read_err = read_file(folder, &merged, &has_copy, &damage);
	/* A file that may be good must not be replaced by less than it has. */
	int err = is_shortage(read_err) ? error_set(error, -read_err, "%s", damage.text)
					: merge_into(fresh, &merged, error);
	if (!err)
		err = write_table(folder, &merged, error);
	/* If the file cannot be written either, this would be logged again and again. */
	if (!err && read_err)
		log_warn(NULL, "%s; it is replaced", damage.text);
	inventory_table_clear(&merged);
	return err;
}

/*
 * Adds the inventories in fresh to the file. Returns 0, -EBUSY if another daemon is writing it, or another
 * -errno with error set.
 */
static int save(int folder, const struct inventory_table *fresh, struct error *error)
{
	int lock = storage_state_lock(folder, NAME, error);

	if (lock < 0)
		return lock;
	int err = add_to_file(folder, fresh, error);
	storage_state_unlock(folder, NAME, lock, true);
	return err;
}

/* --- the thread that writes, with the lock held --- */

/*
 * Copies what the file must get: the inventories that it does not have, and those of sessions, which count as
 * used now. Returns whether the file lacks any of them.
 */
static bool take_unsaved(struct storage_inventories *inventories, struct inventory_table *fresh)
{
	uint64_t now_s = (uint64_t)time(NULL);
	struct inventory *inventory = inventory_next(&inventories->table, NULL);
	bool found = false;

	for (; inventory; inventory = inventory_next(&inventories->table, inventory)) {
		if (!inventory->is_unsaved && !inventory->nsessions)
			continue;
		found |= inventory->is_unsaved;
		if (!copy_one(inventory, fresh, inventory->nsessions ? now_s : inventory->used_s))
			inventory->is_unsaved = false;
	}
	return found;
}

/* Marks the inventories again, because they were not written. */
static void give_back(struct storage_inventories *inventories, const struct inventory_table *fresh)
{
	const struct inventory *copy = inventory_next(fresh, NULL);

	for (; copy; copy = inventory_next(fresh, copy)) {
		struct inventory *inventory = inventory_find(&inventories->table, copy->id);

		if (inventory)
			inventory->is_unsaved = true;
	}
}

static void log_result(struct storage_inventories *inventories, int err, const struct error *error)
{
	if (err && err != -EBUSY && !inventories->is_failing)
		log_warn(NULL, "%s; after a restart, initiators may not be told that their LUNs have changed",
			 error->text);
	if (err != -EBUSY)
		inventories->is_failing = err;
}

/* Writes what the file does not have. Releases the lock meanwhile. */
static int save_unsaved(struct storage_inventories *inventories)
{
	struct inventory_table fresh;
	struct error error;
	int err = 0;

	inventory_table_init(&fresh);
	inventories->is_changed = false;
	if (take_unsaved(inventories, &fresh)) {
		lock_drop(&inventories->lock);
		err = save(inventories->registry->folder, &fresh, &error);
		log_result(inventories, err, &error);
		lock_take(&inventories->lock);
	}
	if (err)
		give_back(inventories, &fresh);
	inventory_table_clear(&fresh);
	return err;
}

/* Waits until the next write may begin. */
static void wait_interval(struct storage_inventories *inventories, uint64_t write_ns)
{
	uint64_t until_ns = clock_now_ns() + MAX(INTERVAL_NS, IDLE_FACTOR * write_ns);
	const struct timespec until = {.tv_sec = (time_t)(until_ns / NS_PER_S),
				       .tv_nsec = (long)(until_ns % NS_PER_S)};

	while (!inventories->is_closing &&
	       !pthread_cond_timedwait(&inventories->changed, &inventories->lock, &until))
		;
}

static void run(struct loop_pool_job *job)
{
	struct storage_inventories *inventories = container_of(job, struct storage_inventories, job);
	SCOPE_LOCK(&inventories->lock);
	int err;

	do {
		uint64_t began_ns = clock_now_ns();

		err = save_unsaved(inventories);
		wait_interval(inventories, clock_now_ns() - began_ns);
	} while ((inventories->is_changed || err == -EBUSY) && !inventories->is_closing);
	inventories->is_saving = false;
	pthread_cond_broadcast(&inventories->changed);
}

/* Marks an inventory that the file does not have, and starts to write it. */
static void save_soon(struct storage_inventories *inventories, struct inventory *inventory)
{
	inventory->is_unsaved = true;
	inventories->is_changed = true;
	if (inventories->is_saving || inventories->registry->folder < 0)
		return;
	inventories->is_saving = true;
	loop_pool_submit(inventories->registry->jobs, &inventories->job);
}

/* --- sessions --- */

struct inventory *storage_inventories_begin(struct storage_inventories *inventories, const char *target_port,
					    const char *initiator_port, struct digest_set luns,
					    bool *has_changed)
{
	uint8_t id[INVENTORY_ID_SIZE];

	*has_changed = false;
	if (!inventories)
		return NULL;
	inventory_id(target_port, initiator_port, id);
	SCOPE_LOCK(&inventories->lock);
	struct inventory *known = inventory_find(&inventories->table, id);
	if (!known) {
		known = inventory_add(&inventories->table, id, (uint64_t)time(NULL));
		if (!known)
			return NULL;
		known->luns = luns;
		save_soon(inventories, known);
	}
	known->nsessions++;
	*has_changed = !digest_set_is_same(known->luns, luns);
	return known;
}

void storage_inventories_report(struct storage_inventories *inventories, struct inventory *known,
				struct digest_set luns)
{
	if (!known)
		return;
	SCOPE_LOCK(&inventories->lock);
	if (digest_set_is_same(known->luns, luns))
		return;
	known->luns = luns;
	save_soon(inventories, known);
}

void storage_inventories_end(struct storage_inventories *inventories, struct inventory *known)
{
	if (!known)
		return;
	SCOPE_LOCK(&inventories->lock);
	known->nsessions--;
	inventory_use(&inventories->table, known, (uint64_t)time(NULL));
	save_soon(inventories, known);
	inventory_limit(&inventories->table, known->id);
}

/* --- start and stop --- */

struct storage_inventories *storage_inventories_open(struct storage_registry *registry)
{
	struct storage_inventories *inventories = calloc(1, sizeof(*inventories));

	if (!inventories)
		return NULL;
	inventories->registry = registry;
	inventories->job.fn = run;
	inventory_table_init(&inventories->table);
	pthread_mutex_init(&inventories->lock, NULL);
	lock_init_condition(&inventories->changed);
	if (registry->folder >= 0)
		read_at_start(registry->folder, &inventories->table);
	return inventories;
}

static void save_last(struct storage_inventories *inventories)
{
	int err = inventories->registry->folder < 0 ? 0 : save_unsaved(inventories);

	for (unsigned i = 1; err == -EBUSY && i < LAST_TRIES; i++) {
		nanosleep(&(struct timespec){.tv_nsec = TRY_NS}, NULL);
		err = save_unsaved(inventories);
	}
	if (err == -EBUSY)
		log_warn(NULL,
			 "another process keeps the file %s of the state folder locked; after a restart, "
			 "initiators may not be told that their LUNs have changed",
			 NAME);
}

void storage_inventories_close(struct storage_inventories *inventories)
{
	if (!inventories)
		return;
	lock_take(&inventories->lock);
	inventories->is_closing = true;
	pthread_cond_broadcast(&inventories->changed);
	/* The job may wait for a thread of the pool, and all threads may wait for storage that hangs. */
	if (inventories->is_saving && loop_pool_cancel(inventories->registry->jobs, &inventories->job))
		inventories->is_saving = false;
	while (inventories->is_saving)
		pthread_cond_wait(&inventories->changed, &inventories->lock);
	save_last(inventories);
	lock_drop(&inventories->lock);
	inventory_table_clear(&inventories->table);
	pthread_cond_destroy(&inventories->changed);
	pthread_mutex_destroy(&inventories->lock);
	free(inventories);
}
