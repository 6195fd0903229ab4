/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mutexes that debug builds count, so that a loop can assert that a callback has dropped all its
 * locks, and a test can count the locks that a command takes. docs/locks.md lists the locks and the
 * order in which they nest.
 */
#ifndef UTIL_LOCK_H
#define UTIL_LOCK_H

#include <pthread.h>

#ifdef TCMUR_DEBUG
extern _Thread_local unsigned lock_depth_now;
extern _Thread_local unsigned long lock_taken_total;
#endif

/* Initializes a condition whose time limits are times of CLOCK_MONOTONIC. */
void lock_init_condition(pthread_cond_t *condition);

static inline void lock_take(pthread_mutex_t *mutex)
{
	pthread_mutex_lock(mutex);
#ifdef TCMUR_DEBUG
	lock_depth_now++;
	lock_taken_total++;
#endif
}

static inline void lock_drop(pthread_mutex_t *mutex)
{
#ifdef TCMUR_DEBUG
	lock_depth_now--;
#endif
	pthread_mutex_unlock(mutex);
}

/* The number of locks that the calling thread holds; always 0 in release builds. */
static inline unsigned lock_depth(void)
{
#ifdef TCMUR_DEBUG
	return lock_depth_now;
#else
	return 0;
#endif
}

/* The number of locks that the calling thread has taken since it started; always 0 in release builds. */
static inline unsigned long lock_taken(void)
{
#ifdef TCMUR_DEBUG
	return lock_taken_total;
#else
	return 0;
#endif
}
#endif
