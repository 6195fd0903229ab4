/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each object has pages of its own, because MADV_DONTDUMP concerns whole pages. The kernel merges
 * neighbouring mappings, so thousands of objects are few mappings. How long a secret stays in
 * registers and on stacks is left to its users.
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
