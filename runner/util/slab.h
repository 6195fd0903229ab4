/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Objects of one size, allocated in chunks. A chunk whose objects are all free is given back, except for a
 * few. A slab belongs to one thread, so it has no lock.
 */
#ifndef UTIL_SLAB_H
#define UTIL_SLAB_H

#include <stddef.h>

#include "util/list.h"

struct slab {
	/* Bytes of an object, rounded up to a multiple of 64. */
	size_t size;
	/* Numbers of objects handed out, and of all objects. */
	size_t in_use, total;
	/* Bytes of a chunk, a power of two, and the number of its objects. */
	size_t chunk, per_chunk;
	/* Number of chunks without an object in use. */
	size_t spare;
	/* Chunks with a free object. */
	struct list usable;
};

void slab_init(struct slab *slab, size_t size);
/* Returns an object, 64-byte aligned and not zeroed, or NULL if there is no memory. It allocates only
 * when no chunk has a free object. */
void *slab_get(struct slab *slab);
/* Takes an object back, and gives its chunk back to the system if enough chunks are free without it. */
void slab_put(struct slab *slab, void *object);
/* Frees all chunks. All objects must have been put back. A slab of zeros has no chunks. */
void slab_destroy(struct slab *slab);
#endif
