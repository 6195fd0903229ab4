/* SPDX-License-Identifier: Apache-2.0 */
/* Declarations that lu.c and lu_open.c share. */
#ifndef STORAGE_LU_PRIVATE_H
#define STORAGE_LU_PRIVATE_H

#include <stdatomic.h>

#include "storage/contents.h"
#include "storage/identity.h"
#include "storage/lu.h"
#include "storage/names.h"

struct storage_lu {
	atomic_uint references;
	struct backstore *bs;
	struct scsi_lu *scsi;
	struct storage_registry *registry;

	/* --- these members do not change while the logical unit is served --- */
	struct storage_name *name;
	/* The name of the disk, for the error if another disk has the same identity. */
	char *unit_name;
	void *owner;
	struct storage_contents *contents;
	/* The entry in the list of units, or NULL if the logical unit is not identified yet. */
	struct storage_unit *unit;
	char serial[STATE_SERIAL_SIZE];
	/* For a stand-in: whether the storage hangs, so that the handler was not called to identify it. */
	bool is_hanging;
	/* Copied from the request. */
	const atomic_bool *is_cancelled;
	char options[256];
	/* Whether the contents were lost, and an administrator has not accepted the loss yet. */
	atomic_bool is_lost;

	/* --- these members are set before the last reference is released --- */
	bool is_forgotten, is_discarded;

	/* --- the end --- */
	struct loop_pool_job close_job;
	struct main_work closed_work;
	struct main_queue *main;
	void (*closed)(void *owner, struct storage_lu *lu);
	/* Set by the thread that closes the logical unit. From then on, counters has the last values. */
	bool is_closed;
	struct storage_counters counters;
	/*
	 * For the owner: the part of the counters that was already added to the sum of all logical units of
	 * the object.
	 */
	struct storage_counters counted;
};

#endif
