/* SPDX-License-Identifier: Apache-2.0 */
/* Free list of objects of one size, grown in chunks. One owner thread; no locking. */
#ifndef UTIL_SLAB_H
#define UTIL_SLAB_H

#include <stddef.h>

struct slab {
	size_t size;   /* bytes an object, rounded up to 64 */
	size_t in_use; /* objects handed out */
	size_t total;  /* objects allocated */
	void *free;    /* next pointer in the first word */
	void *chunks;
};

void slab_init(struct slab *slab, size_t size);
/* 64-byte aligned, not zeroed; NULL when memory is out. Allocates only when the free list is empty. */
void *slab_get(struct slab *slab);
void slab_put(struct slab *slab, void *object);
/* Frees all chunks. Every object must have been put back (asserted). */
void slab_destroy(struct slab *slab);
#endif
