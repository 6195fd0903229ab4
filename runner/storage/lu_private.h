/* SPDX-License-Identifier: Apache-2.0 */
/* What lu.c and lu_open.c share. */
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

	/* --- constant once it is served --- */
	struct storage_name *name;
	/* The name of the disk for the error if another disk has the same identity. */
	char *unit_name;
	void *owner;
	struct storage_contents *contents;
	/* The place in the list of units; NULL: it is not identified yet. */
	struct storage_unit *unit;
	char serial[STATE_SERIAL_SIZE];
	/* A stand-in: the storage was not asked who it is. */
	bool is_silent;
	char options[256];
	/* Atomic: the contents were lost, and nobody has accepted that yet. */
	bool is_lost;

	/* --- set before the last reference is released --- */
	bool is_forgotten, is_discarded;

	/* --- the end --- */
	struct loop_pool_job close_job;
	struct main_work closed_work;
	struct main_queue *main;
	void (*closed)(void *owner, struct storage_lu *lu);
	/* Set by the thread that closes it; then counters has the last values. */
	bool is_closed;
	struct storage_counters counters;
	/* For the owner: the part of counters that is already in the sum of all its logical units. */
	struct storage_counters counted;
};

#endif
