/* SPDX-License-Identifier: Apache-2.0 */
/* Cleanup at the end of a scope. Code for objects that are only partly built uses goto instead. */
#ifndef UTIL_CLEANUP_H
#define UTIL_CLEANUP_H

#include <stdlib.h>
#include <unistd.h>

#include "util/lock.h"

static inline void cleanup_free_(void *p)
{
	free(*(void **)p);
}

static inline void cleanup_close_(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static inline void cleanup_unlock_(pthread_mutex_t **lock)
{
	if (*lock)
		lock_drop(*lock);
}

#define CLEANUP_FREE  __attribute__((cleanup(cleanup_free_)))
#define CLEANUP_CLOSE __attribute__((cleanup(cleanup_close_)))
/* Holds the mutex until the end of the enclosing scope. */
#define SCOPE_LOCK(mutex)                                                                \
	__attribute__((cleanup(cleanup_unlock_), unused)) pthread_mutex_t *scope_lock_ = \
	    (lock_take(mutex), (mutex))
#endif
