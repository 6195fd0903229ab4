/* SPDX-License-Identifier: Apache-2.0 */
/* Conditions, and the number of locks that each thread holds and has taken in debug builds (lock.h). */
#include "util/lock.h"

#include <time.h>

#ifdef TCMUR_DEBUG
_Thread_local unsigned lock_depth_now;
_Thread_local unsigned long lock_taken_total;
#endif

void lock_init_condition(pthread_cond_t *condition)
{
	pthread_condattr_t monotonic;

	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(condition, &monotonic);
	pthread_condattr_destroy(&monotonic);
}
