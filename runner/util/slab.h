/* SPDX-License-Identifier: Apache-2.0 */
/* A free list of objects of one size, which grows in chunks. It belongs to one thread, so it has no
 * lock. */
#ifndef UTIL_SLAB_H
#define UTIL_SLAB_H

#include <stddef.h>

struct slab {
	size_t size;   /* bytes of an object, rounded up to a multiple of 64 */
	size_t in_use; /* number of objects handed out */
	size_t total;  /* number of objects allocated */
	void *free;    /* next pointer in the first word */
	void *chunks;
};

void slab_init(struct slab *slab, size_t size);
/* Returns an object, 64-byte aligned and not zeroed, or NULL when memory is out. It allocates only
 * when the free list is empty. */
void *slab_get(struct slab *slab);
void slab_put(struct slab *slab, void *object);
/* Frees all chunks. All objects must have been put back. */
void slab_destroy(struct slab *slab);
#endif
