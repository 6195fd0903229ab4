/* SPDX-License-Identifier: Apache-2.0 */
/* What all storage objects of a daemon share; only this folder knows what is in it. */
#ifndef STORAGE_REGISTRY_H
#define STORAGE_REGISTRY_H

#include "loop/loop.h"
#include "storage/units.h"
#include "util/fd_store.h"

#define STORAGE_FILE_LOCKS   64
#define STORAGE_NAME_BUCKETS 1024

struct storage_registry {
	/* A descriptor of the state folder; -1: there is none. */
	int folder;
	/* Its path, where relative paths of storage begin. */
	char *path;
	/* The derived ID of this machine, machine.h. */
	char machine[DIGEST_HEX_SIZE];
	struct storage_units units;
	/* Threads that open and close storage, one for each object that has something to do. */
	struct loop_pool *jobs;
	/* Keeps the memory of disks; NULL: nobody does. */
	const struct fd_store *store;
	/* When the memory of the process before was taken over, in seconds of CLOCK_MONOTONIC. */
	long adopted_s;
	/* Guards memories, contents and names. */
	pthread_mutex_t state_lock;
	/*
	 * Held while a file of the state folder is read, changed and written: one of them for each key, so
	 * that disks that are opened at the same time also wait for the disk at the same time. Leaves.
	 */
	pthread_mutex_t file_locks[STORAGE_FILE_LOCKS];
	/* storage_contents.node of the disks that are open. */
	struct list contents;
	/* storage_name.node of the disks that are open. */
	struct list names[STORAGE_NAME_BUCKETS];
	/* Memory of the process before that no disk has asked for yet. */
	struct list memories;
};

/*
 * Main thread, at the end: closes the memory that no disk has asked for; the store keeps it for the next
 * process.
 */
void storage_contents_leave(struct storage_registry *registry);

/* The lock of the file of this key. */
pthread_mutex_t *storage_file_lock(struct storage_registry *registry, const char *key);

/* Names the object for the state folder. */
void storage_object_key(const struct storage_object *object, char *key, size_t size);
#endif
