/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Declarations that the source files of the handler block share. The handler serves a block device as a disk.
 */
#ifndef BLOCK_BLOCK_H
#define BLOCK_BLOCK_H

#include "fdio.h"

/* block_open() writes all members, and any thread reads them afterwards. */
struct block {
	struct fdio fdio;
	/* What open() found. If the device changes its size later, refresh() reports the new size. */
	struct tcmur_info info;
};

/* The handler's callback open(). It runs on a thread of the pool. */
int block_open(struct tcmur_open *open);
/* Sets *bytes to the size of the device. It runs on a thread of the pool. Returns 0 or -errno. */
int block_size_of(int fd, uint64_t *bytes);
#endif
