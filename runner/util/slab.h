/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Objects of one size, allocated in chunks. A chunk whose objects are all free is returned to the system,
 * except for a few chunks. A slab belongs to one thread, so it has no lock.
 */
#ifndef UTIL_SLAB_H
#define UTIL_SLAB_H

#include <stddef.h>

#include "util/list.h"

struct slab {
	/* The size of an object in bytes, rounded up to a multiple of 64. */
	size_t size;
	/* The number of objects in use, and the number of all objects. */
	size_t in_use, total;
	/* The size of a chunk in bytes, which is a power of two, and the number of objects in it. */
	size_t chunk, per_chunk;
	/* The number of chunks without an object in use. */
	size_t spare;
	/* A list of the chunks that have a free object. */
	struct list usable;
};

void slab_init(struct slab *slab, size_t size);
/*
 * Returns an object, 64-byte aligned and not zeroed, or NULL if there is no memory. Memory is allocated only
 * if no chunk has a free object.
 */
void *slab_get(struct slab *slab);
/*
 * Frees an object. Returns its chunk to the system if there are enough other chunks without an object in use.
 */
void slab_put(struct slab *slab, void *object);
/* Frees all chunks. All objects must have been put back. A slab that is all zero has no chunks. */
void slab_destroy(struct slab *slab);
#endif
