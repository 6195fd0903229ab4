/* SPDX-License-Identifier: Apache-2.0 */
/* The handler that serves a regular file as a disk: declarations that its source files share. */
#ifndef FILE_FILE_H
#define FILE_FILE_H

#include <stdatomic.h>

#include "fdio.h"
#include "map.h"
#include "tail.h"

struct file {
	/* file_open() writes these, and any thread reads them. */
	struct fdio fdio;
	struct tcmur_lun *lun;
	char *path;
	/* Whether file_open() has created the file. */
	bool is_created;
	/* The lock is a shared one. */
	bool is_shared;
	/*
	 * The properties that file_open() has found. refresh() reports the size of the file at that time
	 * instead.
	 */
	struct tcmur_info info;
	/* The mapping, if the storage is memory. */
	struct map map;
	/* Used if the storage is not memory. */
	struct tail tail;

	/* The size in bytes that was reported to initiators. It grows with the file, but never shrinks. */
	_Atomic uint64_t served;
	/*
	 * True if the log already has the warning that the file is shorter than served, or the warning that
	 * the path leads to another file. Each warning is written once.
	 */
	atomic_bool is_short, is_replaced;
};

/* --- watch.c */
/* Any thread. To be called when an I/O has met the end of the file, which has size bytes. */
void file_note_end(const struct fdio *fdio, uint64_t size);
/*
 * Any thread. Returns true if the file certainly has at least end bytes, as far as this can be known without
 * a system call.
 */
bool file_reaches(const struct fdio *fdio, uint64_t end);
/*
 * Pool thread. Compares the file with what is served, logs a warning, and sets the size and flags of info.
 * Returns 0 or -errno.
 */
int file_refresh(void *handle, struct tcmur_info *info);

int file_open(struct tcmur_open *open);
#endif
