/* SPDX-License-Identifier: Apache-2.0 */
/* A regular file as a disk. */
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
	/* As of file_open(); refresh() reports another size from the file. */
	struct tcmur_info info;
	/* Where the storage is memory. */
	struct map map;
	/* Where the storage is not memory. */
	struct tail tail;

	/* The bytes that initiators were told of; grows with the file, and does not shrink with
	 * it. */
	_Atomic uint64_t served;
	/* Whether the log says already that the file is shorter than that, or that the path leads
	 * elsewhere. */
	atomic_bool is_short, is_replaced;
};

/* watch.c: any thread; an I/O met the end of the file, which has size bytes. */
void file_note_end(const struct fdio *fdio, uint64_t size);
/* watch.c: any thread; whether the file certainly has end bytes, as far as that is known without a call. */
bool file_reaches(const struct fdio *fdio, uint64_t end);
/* watch.c: pool thread; compares the file with what is served, warns, and sets info's size and
 * flags. 0 or -errno. */
int file_refresh(void *handle, struct tcmur_info *info);

int file_open(struct tcmur_open *open);
#endif
