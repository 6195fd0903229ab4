/* SPDX-License-Identifier: Apache-2.0 */
/* From a disk of SCST or tgt to a storage object. */
#ifndef IMPORT_DISK_H
#define IMPORT_DISK_H

#include <stdbool.h>
#include <stdint.h>

#include "import/report.h"
#include "import/saved.h"

/* The settings of a disk in the other program. */
struct disk {
	/* The wanted name of the storage object. */
	const char *name;
	/* The absolute path of a file or a block device. NULL: a disk that stores nothing. */
	const char *path;
	/* Bytes; only for a disk that stores nothing. */
	uint64_t size;
	/* Bytes; 0: not given. */
	unsigned block_size;
	/* Reads and writes bypass the page cache. */
	bool is_direct;
	/* A write is stable when it completes. */
	bool is_write_through;
	bool is_read_only;
	/* The unit serial number; NULL: not given. */
	const char *serial;
	/* What INQUIRY reports; NULL: not given. */
	const char *vendor, *product, *revision;
	struct place place;
};

/*
 * Adds a storage object for the disk. Returns NULL, after a remark, if the disk cannot be carried
 * over. The size is that of the file or device if it exists on this machine. Without a serial
 * number, the object gets one that is derived from this machine's ID, the path and the name, so a
 * second import gives the same one.
 */
struct saved_object *disk_save(struct saved_config *config, const struct disk *disk, struct report *report);
#endif
