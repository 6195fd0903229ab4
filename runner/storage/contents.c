/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keeps the memory of disks over restarts, and records which disks were written, so that a loss is noticed.
 * The handler uses the memory, and the front ends decide what a loss means for initiators. The memory is a
 * memfd whose name and size say to which disk it belongs. written.c stores the record that a disk was
 * written.
 */
#include "storage/contents.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "storage/memfd.h"
#include "storage/registry.h"
#include "storage/written.h"
#include "util/cleanup.h"
#include "util/hash.h"
#include "util/log.h"

#define KIND "memory"
/* The time in seconds after the start in which a disk can request memory of the previous process. */
#define GRACE_S 60

/* registry->state_lock guards serial_key, lock and noted. */
struct storage_contents {
	struct storage_registry *registry;
	/* Links the structure into a bucket of registry->contents. */
	struct list node;
	char key[STATE_KEY_SIZE];
	/* The key of the same disk in an older version of the daemon. */
	char former_key[STATE_KEY_SIZE];
	/* The key of the serial number that the administrator has set, or "". */
	char serial_key[STATE_KEY_SIZE];
	/* The memory, of which the store keeps a duplicate. The descriptor is open while the disk is open. */
	struct fd_kept kept;
	/* Whether the previous process has left the memory. */
	bool found;
	/* The descriptor of the lock of the disk's file in the state folder, or -1 if it is not locked. */
	int lock;
	/* Whether the record says that the disk was written. */
	bool noted;
	/* Whether contents that were written before are lost, and nobody has accepted the loss. */
	bool is_lost;
	/* Whether the disk is in memory and there is a state folder. */
	bool is_memory;
	struct backstore_keeper keeper;
};

/* Memory of the previous process that no disk has requested yet. */
struct storage_memory {
	/* Links the structure into a bucket of registry->memories. */
	struct list node;
	struct fd_kept kept;
};

/* Returns the bucket of a key or a name. A daemon may have many thousands of disks. */
static struct list *bucket_of(struct list buckets[STORAGE_STATE_BUCKETS], const char *text)
{
	return &buckets[hash_bytes(HASH_INIT, text, strlen(text)) % STORAGE_STATE_BUCKETS];
}

/* --- memory of the previous process --- */

static bool is_ours(int fd, const void *arg)
{
	char name[MEMFD_NAME_SIZE];

	(void)arg;
	return memfd_read_name(fd, name) && !strncmp(name, MEMFD_PREFIX, strlen(MEMFD_PREFIX));
}

static time_t now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

void storage_contents_adopt(struct storage_registry *registry, const struct fd_store *store)
{
	registry->store = store;
	registry->adopted_s = now_s();
	for (;;) {
		struct storage_memory *memory = calloc(1, sizeof(*memory));

		char name[MEMFD_NAME_SIZE];

		if (!memory || !store->take(is_ours, NULL, &memory->kept)) {
			free(memory);
			return;
		}
		if (!memfd_read_name(memory->kept.fd, name))
			name[0] = '\0';
		list_add_tail(bucket_of(registry->memories, name), &memory->node);
	}
}

static void drop(struct storage_registry *registry, struct storage_memory *memory)
{
	registry->store->forget(&memory->kept);
	close(memory->kept.fd);
	free(memory);
}

/* Removes any memory from its list, and returns it. Returns NULL if there is none. */
static struct storage_memory *pop_memory(struct storage_registry *registry)
{
	struct list *node = NULL;

	for (unsigned i = 0; i < STORAGE_STATE_BUCKETS && !node; i++)
		node = list_pop(&registry->memories[i]);
	return node ? list_entry(node, struct storage_memory, node) : NULL;
}

void storage_contents_expire(struct storage_registry *registry)
{
	struct storage_memory *memory;

	if (now_s() < registry->adopted_s + GRACE_S)
		return;
	SCOPE_LOCK(&registry->state_lock);
	while ((memory = pop_memory(registry))) {
		log_info(NULL, "%s: no disk has asked for this memory since the start; it is freed",
			 memory->kept.name);
		drop(registry, memory);
	}
}

/* Closes the memory that no disk has requested. The store keeps it for the next process. */
void storage_contents_leave(struct storage_registry *registry)
{
	struct storage_memory *memory;

	while ((memory = pop_memory(registry))) {
		close(memory->kept.fd);
		free(memory);
	}
}

/*
 * Finds the memory of a disk by name and size. Memory of another size cannot have the contents of the disk.
 */
static bool find_memory(struct storage_contents *contents, const char *wanted, uint64_t size)
{
	struct storage_registry *registry = contents->registry;
	struct list *node, *tmp;

	SCOPE_LOCK(&registry->state_lock);
	list_for_each (bucket_of(registry->memories, wanted), node, tmp) {
		struct storage_memory *memory = list_entry(node, struct storage_memory, node);
		char name[MEMFD_NAME_SIZE];
		struct stat st;

		if (!memfd_read_name(memory->kept.fd, name) || strcmp(name, wanted))
			continue;
		list_del(&memory->node);
		if (!fstat(memory->kept.fd, &st) && (uint64_t)st.st_size == size) {
			contents->kept = memory->kept;
			free(memory);
			return true;
		}
		log_warn(contents->key, "its memory of %lld bytes is freed, because the disk must have %llu",
			 (long long)st.st_size, (unsigned long long)size);
		drop(registry, memory);
	}
	return false;
}

/* --- the record that the disk was written --- */

/*
 * registry->state_lock must be held. Writes the record of the disk, and the record of its serial number. The
 * latter is needed because initiators take any disk with this serial number for this one.
 */
static int write_notes(struct storage_contents *contents, bool is_written, struct error *error)
{
	int err = storage_written_note(contents->registry, contents->key, is_written, error);

	if (!err && contents->serial_key[0])
		err = storage_written_note(contents->registry, contents->serial_key, is_written, error);
	return err;
}

/* Pool thread. The first WRITE waits for this. */
static void note_written(void *arg)
{
	struct storage_contents *contents = arg;
	struct error error;

	SCOPE_LOCK(&contents->registry->state_lock);
	if (contents->noted || contents->registry->folder < 0)
		return;
	contents->noted = true;
	if (write_notes(contents, true, &error))
		log_err(contents->key,
			"%s; if the daemon ends without a stop, the loss of the contents is "
			"not noticed",
			error.text);
}

/*
 * Returns whether the disk, or another disk with its serial number, was written since the boot of the host,
 * by this process or an earlier one.
 */
static bool was_written(const struct storage_contents *contents)
{
	const struct storage_registry *registry = contents->registry;

	if (registry->folder < 0)
		return false;
	SCOPE_LOCK(&contents->registry->state_lock);
	return storage_written_is_noted(registry, contents->key) ||
	       (contents->serial_key[0] && storage_written_is_noted(registry, contents->serial_key));
}

static bool is_volatile(const struct backstore *bs)
{
	return backstore_info(bs)->flags & TCMUR_INFO_VOLATILE;
}

bool storage_contents_are_new(const struct storage_contents *contents, const struct backstore *bs)
{
	return is_volatile(bs) && !contents->found;
}

bool storage_contents_are_lost(struct storage_contents *contents, const struct backstore *bs)
{
	contents->is_lost = storage_contents_are_new(contents, bs) && was_written(contents);
	return contents->is_lost;
}

void storage_contents_accept_loss(struct storage_contents *contents)
{
	struct error error;

	if (contents->registry->folder < 0)
		return;
	SCOPE_LOCK(&contents->registry->state_lock);
	contents->noted = false;
	contents->is_lost = false;
	if (contents->kept.fd >= 0 && !contents->kept.name[0])
		contents->registry->store->keep(&contents->kept, KIND);
	if (write_notes(contents, false, &error))
		log_err(contents->key, "%s; the contents count as lost again at the next start", error.text);
}

/* --- one daemon for each disk --- */

/*
 * registry->state_lock must be held. Shares the lock of another logical unit of the same disk that is not
 * closed yet. Returns a duplicate of its descriptor, or -1 if there is no such logical unit.
 */
static int share_lock(const struct storage_contents *contents)
{
	struct list *node, *tmp;

	list_for_each (bucket_of(contents->registry->contents, contents->key), node, tmp) {
		const struct storage_contents *other = list_entry(node, struct storage_contents, node);

		if (other->lock >= 0 && !strcmp(other->key, contents->key))
			return fcntl(other->lock, F_DUPFD_CLOEXEC, 0);
	}
	return -1;
}

static int take_lock(struct storage_contents *contents, struct error *error)
{
	const struct storage_registry *registry = contents->registry;
	struct error reason;
	SCOPE_LOCK(&contents->registry->state_lock);

	if (registry->folder < 0 || contents->lock >= 0)
		return 0;
	contents->lock = share_lock(contents);
	if (contents->lock >= 0)
		return 0;
	int fd = storage_state_lock(registry->folder, contents->key, &reason);
	if (fd == -EBUSY)
		return error_set(
		    error, EBUSY,
		    "%s serves a disk in memory under this name, and remembers it in the same state "
		    "folder, %s; rename one of the two disks, or give this daemon another folder with "
		    "--state-dir",
		    reason.text, registry->path);
	contents->lock = fd < 0 ? -1 : fd;
	if (fd < 0)
		log_warn(contents->key,
			 "%s; it is not noticed if another daemon serves a disk in memory "
			 "under this name",
			 reason.text);
	return 0;
}

int storage_contents_lock(struct storage_contents *contents, const struct backstore *bs, struct error *error)
{
	contents->is_memory = is_volatile(bs) && contents->registry->folder >= 0;
	return contents->is_memory ? take_lock(contents, error) : 0;
}

/* --- memory for a handler --- */

/*
 * Creates memory, and asks the store to keep it. If the contents of the disk are lost and nobody has accepted
 * the loss, the store does not get the empty memory, because the next process would take it for the contents.
 */
static int make_kept_memory(struct storage_contents *contents, const char *name, uint64_t size)
{
	int fd = memfd_make(name, size);

	if (fd < 0)
		return fd;
	contents->kept = (struct fd_kept){.fd = fd};
	if (was_written(contents))
		return 0;
	contents->registry->store->keep(&contents->kept, KIND);
	if (contents->kept.name[0])
		return 0;
	/* Memory that the store does not keep has no advantage here, and another kind of memory is faster. */
	close(fd);
	contents->kept.fd = -1;
	return -EOPNOTSUPP;
}

/* Pool or main thread, in the handler's open(). */
static int get_memory(void *arg, uint64_t size, bool *found)
{
	struct storage_contents *contents = arg;
	char name[MEMFD_NAME_SIZE], former[MEMFD_NAME_SIZE];
	int err = 0;

	if (!contents->registry->store || contents->kept.fd >= 0)
		return -EOPNOTSUPP;
	/* If the disk will be refused after this, the store must not get memory for it. */
	if (take_lock(contents, NULL))
		return -EBUSY;
	memfd_name_of_key(contents->key, name);
	memfd_name_of_key(contents->former_key, former);
	*found = contents->found = find_memory(contents, name, size) || find_memory(contents, former, size);
	if (!contents->found)
		err = make_kept_memory(contents, name, size);
	return err ? err : fcntl(contents->kept.fd, F_DUPFD_CLOEXEC, 0);
}

/* --- new and free --- */

static void set_serial_key(struct storage_contents *contents, const char *serial)
{
	contents->serial_key[0] = '\0';
	if (serial && *serial)
		storage_written_serial_key(serial, contents->serial_key, sizeof(contents->serial_key));
}

static void make_key(const char *config, const char *name, char *key)
{
	static const struct tcmur_identity own_memory = {.own = ""};
	const struct storage_object object = {.config = config, .storage = &own_memory, .name = name};

	storage_object_key(&object, key, STATE_KEY_SIZE);
}

struct storage_contents *storage_contents_new(struct storage_registry *registry, const char *config,
					      const char *name, const char *former, const char *serial)
{
	struct storage_contents *contents = calloc(1, sizeof(*contents));

	if (!contents)
		return NULL;
	contents->registry = registry;
	contents->kept.fd = contents->lock = -1;
	contents->keeper =
	    (struct backstore_keeper){.memory = get_memory, .written = note_written, .arg = contents};
	make_key(config, name, contents->key);
	make_key(config, former, contents->former_key);
	set_serial_key(contents, serial);
	SCOPE_LOCK(&registry->state_lock);
	list_add_tail(bucket_of(registry->contents, contents->key), &contents->node);
	return contents;
}

const struct backstore_keeper *storage_contents_keeper(const struct storage_contents *contents)
{
	return &contents->keeper;
}

bool storage_contents_set_serial(struct storage_contents *contents, const char *serial)
{
	struct error error;
	char before[STATE_KEY_SIZE];

	if (!contents->is_memory)
		return false;
	SCOPE_LOCK(&contents->registry->state_lock);
	strcpy(before, contents->serial_key);
	set_serial_key(contents, serial);
	if (!strcmp(before, contents->serial_key))
		return false;
	if (contents->serial_key[0] && !contents->found && !contents->noted &&
	    storage_written_is_noted(contents->registry, contents->serial_key)) {
		contents->is_lost = true;
		return true;
	}
	if (contents->noted &&
	    (write_notes(contents, true, &error) ||
	     (before[0] && storage_written_note(contents->registry, before, false, &error))))
		log_err(contents->key, "%s; the loss of the contents may not be noticed", error.text);
	return false;
}

/* registry->state_lock must be held. Returns whether another logical unit has the same disk in memory. */
static bool is_replaced(const struct storage_contents *contents)
{
	struct list *node, *tmp;

	list_for_each (bucket_of(contents->registry->contents, contents->key), node, tmp) {
		const struct storage_contents *other = list_entry(node, struct storage_contents, node);

		if (other != contents && !strcmp(other->key, contents->key))
			return true;
	}
	return false;
}

static void forget_disk(struct storage_contents *contents)
{
	struct error error;

	if (contents->kept.fd >= 0)
		contents->registry->store->forget(&contents->kept);
	SCOPE_LOCK(&contents->registry->state_lock);
	/*
	 * The record stays in three cases: the disk was not served by this daemon, so another daemon may
	 * serve it; nobody has accepted the loss; or another logical unit serves the same disk.
	 */
	if (!contents->is_memory || contents->is_lost || is_replaced(contents))
		return;
	if (write_notes(contents, false, &error))
		log_err(contents->key, "%s; a disk that is created under this name counts as lost",
			error.text);
}

void storage_contents_free(struct storage_contents *contents, bool forget)
{
	if (!contents)
		return;
	if (forget)
		forget_disk(contents);
	lock_take(&contents->registry->state_lock);
	list_del(&contents->node);
	if (contents->lock >= 0)
		storage_state_unlock(contents->registry->folder, contents->key, contents->lock,
				     !is_replaced(contents));
	lock_drop(&contents->registry->state_lock);
	if (contents->kept.fd >= 0)
		close(contents->kept.fd);
	free(contents);
}
