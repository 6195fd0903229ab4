/* SPDX-License-Identifier: Apache-2.0 */
/* The handler for a block device as a disk: what its source files share. */
#ifndef BLOCK_BLOCK_H
#define BLOCK_BLOCK_H

#include "fdio.h"

/* block_open() writes all members, and any thread reads them afterwards. */
struct block {
	struct fdio fdio;
	struct tcmur_info info; /* As of open(); refresh() reports another size from the device. */
};

/* Pool thread. The handler's callback open(). */
int block_open(struct tcmur_open *open);
/* Pool thread. Returns the bytes of the device, or -errno. */
int block_size_of(int fd, uint64_t *bytes);
#endif
