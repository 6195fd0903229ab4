/* SPDX-License-Identifier: Apache-2.0 */
/* The handler for a regular file as a disk: what its source files share. */
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
	/* As of file_open(); refresh() reports another size from the file. */
	struct tcmur_info info;
	/* The mapping, if the storage is memory. */
	struct map map;
	/* Used if the storage is not memory. */
	struct tail tail;

	/* The size in bytes that was reported to initiators. It grows with the file, but never shrinks. */
	_Atomic uint64_t served;
	/*
	 * Whether the log already says that the file is shorter than served, and that the path leads to
	 * another file.
	 */
	atomic_bool is_short, is_replaced;
};

/* In watch.c; any thread. An I/O met the end of the file, which has size bytes. */
void file_note_end(const struct fdio *fdio, uint64_t size);
/*
 * In watch.c; any thread. Returns whether the file certainly has at least end bytes, as far as this is known
 * without a system call.
 */
bool file_reaches(const struct fdio *fdio, uint64_t end);
/*
 * In watch.c; pool thread. Compares the file with what is served, logs a warning, and sets the size and flags
 * of info. Returns 0 or -errno.
 */
int file_refresh(void *handle, struct tcmur_info *info);

int file_open(struct tcmur_open *open);
#endif
