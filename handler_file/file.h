/* SPDX-License-Identifier: Apache-2.0 */
/* A regular file as a disk. */
#ifndef FILE_FILE_H
#define FILE_FILE_H

#include "fdio.h"
#include "map.h"

/* All of it but the map's marks is written by file_open() and only read afterwards, by any thread. */
struct file {
	struct fdio fdio;
	struct map map;         /* where the storage is memory */
	struct tcmur_info info; /* as of open(); refresh() reports another size from the file */
	/* The path, if open() has created the file; NULL: the file was there before. */
	char *created;
};

int file_open(struct tcmur_open *open);
#endif
