/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Objects of one size, allocated in chunks. A chunk is returned to the system when all its objects are free.
 * A chunk is aligned to its length, so the address of an object leads to its chunk. With AddressSanitizer,
 * free objects are poisoned, so that a use after slab_put() is detected.
 */
#include "util/slab.h"

#include <stdint.h>
#include <stdlib.h>

#include "util/bytes.h"
#include "util/contract.h"

#if defined(__SANITIZE_ADDRESS__)
#define SLAB_POISON 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SLAB_POISON 1
#endif
#endif
#ifdef SLAB_POISON
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(address, size)   ((void)(address), (void)(size))
#define ASAN_UNPOISON_MEMORY_REGION(address, size) ((void)(address), (void)(size))
#endif

/* The size of a cache line, so that objects of different loops never share a line. */
#define SLAB_ALIGN 64u
/* In bytes. iscsi/server.c makes malloc() map each piece of this length separately. */
#define SLAB_CHUNK (128u << 10)
/* Leaves room for the data that malloc() puts before the next aligned piece. */
#define SLAB_TAIL SLAB_ALIGN
/*
 * The number of chunks without an object in use that are kept, so that a burst of commands in each turn of a
 * loop does not map and unmap memory again and again.
 */
#define SLAB_SPARE 4u

/* The objects begin at the next multiple of SLAB_ALIGN. */
struct chunk {
	/* Links the chunk into slab.usable while it has a free object. Otherwise it is an empty list. */
	struct list node;
	/* A list of the objects that were put back. The first word of each object points to the next one. */
	void *free;
	size_t in_use;
	/* Objects from here on were never used, so their pages do not take memory yet. */
	size_t fresh;
};

#define CHUNK_HEADER ((sizeof(struct chunk) + SLAB_ALIGN - 1) / SLAB_ALIGN * SLAB_ALIGN)

void slab_init(struct slab *slab, size_t size)
{
	size_t rounded = (MAX(size, 1u) + SLAB_ALIGN - 1) / SLAB_ALIGN * SLAB_ALIGN;
	size_t chunk = SLAB_CHUNK;

	while (chunk < CHUNK_HEADER + rounded + SLAB_TAIL)
		chunk *= 2;
	*slab = (struct slab){
	    .size = rounded,
	    .chunk = chunk,
	    .per_chunk = (chunk - CHUNK_HEADER - SLAB_TAIL) / rounded,
	};
	list_init(&slab->usable);
}

static struct chunk *chunk_of(const struct slab *slab, void *object)
{
	return (struct chunk *)((uintptr_t)object & ~(uintptr_t)(slab->chunk - 1));
}

static struct chunk *chunk_new(struct slab *slab)
{
	void *memory;
	struct chunk *chunk;

	if (posix_memalign(&memory, slab->chunk, slab->chunk - SLAB_TAIL) != 0)
		return NULL;
	chunk = memory;
	*chunk = (struct chunk){0};
	ASAN_POISON_MEMORY_REGION((char *)chunk + CHUNK_HEADER, slab->chunk - SLAB_TAIL - CHUNK_HEADER);
	list_add_head(&slab->usable, &chunk->node);
	slab->total += slab->per_chunk;
	slab->spare++;
	return chunk;
}

static void chunk_free(struct slab *slab, struct chunk *chunk)
{
	list_del(&chunk->node);
	slab->total -= slab->per_chunk;
	slab->spare--;
	ASAN_UNPOISON_MEMORY_REGION(chunk, slab->chunk - SLAB_TAIL);
	free(chunk);
}

static void *take_object(const struct slab *slab, struct chunk *chunk)
{
	void *object = chunk->free;

	if (!object) {
		object = (char *)chunk + CHUNK_HEADER + chunk->fresh++ * slab->size;
		ASAN_UNPOISON_MEMORY_REGION(object, slab->size);
		return object;
	}
	ASAN_UNPOISON_MEMORY_REGION(object, slab->size);
	chunk->free = *(void **)object;
	return object;
}

void *slab_get(struct slab *slab)
{
	struct chunk *chunk =
	    list_empty(&slab->usable) ? chunk_new(slab) : list_entry(slab->usable.next, struct chunk, node);

	if (!chunk)
		return NULL;
	slab->spare -= chunk->in_use == 0;
	slab->in_use++;
	if (++chunk->in_use == slab->per_chunk)
		list_del(&chunk->node);
	return take_object(slab, chunk);
}

void slab_put(struct slab *slab, void *object)
{
	struct chunk *chunk = chunk_of(slab, object);

	contract(chunk->in_use > 0);
	*(void **)object = chunk->free;
	chunk->free = object;
	ASAN_POISON_MEMORY_REGION(object, slab->size);
	slab->in_use--;
	if (chunk->in_use-- == slab->per_chunk)
		list_add_head(&slab->usable, &chunk->node);
	if (chunk->in_use == 0 && ++slab->spare > SLAB_SPARE)
		chunk_free(slab, chunk);
}

void slab_destroy(struct slab *slab)
{
	struct list *node, *tmp;

	contract(slab->in_use == 0);
	if (!slab->usable.next)
		return;
	list_for_each (&slab->usable, node, tmp)
		chunk_free(slab, list_entry(node, struct chunk, node));
}
