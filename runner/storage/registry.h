/* SPDX-License-Identifier: Apache-2.0 */
/* The data that all storage objects of a daemon share. Only the files of this folder know its members. */
#ifndef STORAGE_REGISTRY_H
#define STORAGE_REGISTRY_H

#include "loop/loop.h"
#include "storage/units.h"
#include "util/fd_store.h"

#define STORAGE_FILE_LOCKS    64
#define STORAGE_NAME_BUCKETS  1024
#define STORAGE_STATE_BUCKETS 1024

struct storage_registry {
	/* A descriptor of the state folder, or -1 if there is none. */
	int folder;
	/* The path of the state folder, from which relative paths of storage begin. */
	char *path;
	/* The derived ID of this machine; see machine.h. */
	char machine[DIGEST_HEX_SIZE];
	struct storage_units units;
	/*
	 * The pool of threads that open and close storage, with one thread for each object that has something
	 * to do.
	 */
	struct loop_pool *jobs;
	/* The store that keeps the memory of disks, or NULL if there is none. */
	const struct fd_store *store;
	/* The time when the memory of the previous process was taken over, in seconds of CLOCK_MONOTONIC. */
	long adopted_s;
	/* Guards memories, contents and names. */
	pthread_mutex_t state_lock;
	/*
	 * Held while a file of the state folder is read, changed and written. There are several locks, and
	 * the key of the file selects one of them, so that disks that are opened at the same time need not
	 * wait for each other's files. No other lock is taken while one of them is held.
	 */
	pthread_mutex_t file_locks[STORAGE_FILE_LOCKS];
	/* Lists of struct storage_contents (member node) of the open disks, by key. */
	struct list contents[STORAGE_STATE_BUCKETS];
	/* Lists of struct storage_name (member node) of the open disks. */
	struct list names[STORAGE_NAME_BUCKETS];
	/* Lists of memory of the previous process that no disk has requested yet, by its name. */
	struct list memories[STORAGE_STATE_BUCKETS];
};

/*
 * Main thread, at the end. Closes the memory that no disk has requested. The store keeps it for the next
 * process.
 */
void storage_contents_leave(struct storage_registry *registry);

/* Returns the lock for the file of this key. */
pthread_mutex_t *storage_file_lock(struct storage_registry *registry, const char *key);

/* Writes the name of the object in the state folder. */
void storage_object_key(const struct storage_object *object, char *key, size_t size);
#endif
