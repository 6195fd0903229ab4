/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Allocates pages for each object, because MADV_DONTDUMP applies to whole pages. The kernel merges
 * neighbouring mappings, so thousands of objects are only a few mappings. The users must keep secrets out of
 * registers and stacks as far as possible.
 */
#include "util/secret_memory.h"

#include <string.h>
#include <sys/mman.h>

void *secret_alloc(size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		return NULL;
	madvise(memory, size, MADV_DONTDUMP);
	return memory;
}

void secret_free(void *memory, size_t size)
{
	if (!memory)
		return;
	explicit_bzero(memory, size);
	munmap(memory, size);
}
