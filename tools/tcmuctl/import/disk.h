/* SPDX-License-Identifier: Apache-2.0 */
/* Makes storage objects from disks of SCST or tgt. */
#ifndef IMPORT_DISK_H
#define IMPORT_DISK_H

#include <stdbool.h>
#include <stdint.h>

#include "import/report.h"
#include "import/saved.h"

/* The settings of a disk in the other program. */
struct disk {
	/* The name that the storage object should get. */
	const char *name;
	/* The absolute path of a file or a block device, or NULL for a disk that stores nothing. */
	const char *path;
	/* In bytes; only for a disk that stores nothing. */
	uint64_t size;
	/* In bytes; 0 if not given. */
	unsigned block_size;
	/* Reads and writes bypass the page cache. */
	bool is_direct;
	/* A write is stable when it completes. */
	bool is_write_through;
	bool is_read_only;
	/* The unit serial number, or NULL if not given. */
	const char *serial;
	/* The names for INQUIRY, or NULL if not given. */
	const char *vendor, *product, *revision;
	struct place place;
};

/*
 * Adds a storage object for the disk. If the disk cannot be carried over, reports this and returns NULL. The
 * size is that of the file or device if it exists on this machine. Without a serial number, the object gets
 * one that is derived from this machine's ID, the path and the name, so that a second import gives the same
 * result.
 */
struct saved_object *disk_save(struct saved_config *config, const struct disk *disk, struct report *report);
#endif
