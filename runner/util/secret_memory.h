/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory for objects that hold secrets: core dumps do not contain it, and it is overwritten before it is
 * freed.
 */
#ifndef UTIL_SECRET_MEMORY_H
#define UTIL_SECRET_MEMORY_H

#include <stddef.h>

/* Returns zeroed memory that shares no page with other memory, or NULL if there is no memory. */
void *secret_alloc(size_t size);
/* Overwrites and frees the memory, which may be NULL. size is the value that was passed to secret_alloc(). */
void secret_free(void *memory, size_t size);
#endif
