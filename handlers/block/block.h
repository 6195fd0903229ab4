/* SPDX-License-Identifier: Apache-2.0 */
/* A block device as a disk. */
#ifndef BLOCK_BLOCK_H
#define BLOCK_BLOCK_H

#include "fdio.h"

/* All of it is written by block_open() and only read afterwards, by any thread. */
struct block {
	struct fdio fdio;
	struct tcmur_info info; /* as of open(); refresh() reports another size from the device */
};

/* Pool thread, as the callback. */
int block_open(struct tcmur_open *open);
/* Pool thread. Bytes of the device, or -errno. */
int block_size_of(int fd, uint64_t *bytes);
#endif
