/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A free list of objects of one size. With AddressSanitizer, objects on the list are poisoned, so that a use
 * after free is found.
 */
#include "util/slab.h"

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
#ifdef SLAB_POISON /* free objects are off limits, so that a use after slab_put() is seen */
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(address, size)   ((void)(address), (void)(size))
#define ASAN_UNPOISON_MEMORY_REGION(address, size) ((void)(address), (void)(size))
#endif

#define SLAB_ALIGN 64          /* a cache line: neighbours that live on different loops share none */
#define SLAB_CHUNK (32u << 10) /* bytes to grow by */

/* Objects follow at SLAB_ALIGN. */
struct chunk {
	struct chunk *next;
	size_t bytes;
};

void slab_init(struct slab *slab, size_t size)
{
	*slab = (struct slab){.size = (MAX(size, 1u) + SLAB_ALIGN - 1) / SLAB_ALIGN * SLAB_ALIGN};
}

static void add_free(struct slab *slab, void *object)
{
	*(void **)object = slab->free;
	slab->free = object;
	ASAN_POISON_MEMORY_REGION(object, slab->size);
}

static int grow(struct slab *slab)
{
	size_t n = MAX(SLAB_CHUNK / slab->size, 1u);
	size_t bytes = SLAB_ALIGN + n * slab->size;
	struct chunk *chunk = aligned_alloc(SLAB_ALIGN, bytes);

	if (!chunk)
		return -1;
	chunk->next = slab->chunks;
	chunk->bytes = bytes;
	slab->chunks = chunk;
	for (size_t i = n; i-- > 0;) /* backwards: handed out in ascending order */
		add_free(slab, (char *)chunk + SLAB_ALIGN + i * slab->size);
	slab->total += n;
	return 0;
}

void *slab_get(struct slab *slab)
{
	void *object;

	if (!slab->free && grow(slab) < 0)
		return NULL;
	object = slab->free;
	ASAN_UNPOISON_MEMORY_REGION(object, slab->size);
	slab->free = *(void **)object;
	slab->in_use++;
	return object;
}

void slab_put(struct slab *slab, void *object)
{
	contract(slab->in_use > 0);
	slab->in_use--;
	add_free(slab, object);
}

void slab_destroy(struct slab *slab)
{
	struct chunk *chunk = slab->chunks;

	contract(slab->in_use == 0);
	while (chunk) {
		struct chunk *next = chunk->next;

		ASAN_UNPOISON_MEMORY_REGION(chunk, chunk->bytes);
		free(chunk);
		chunk = next;
	}
	slab_init(slab, slab->size);
}
