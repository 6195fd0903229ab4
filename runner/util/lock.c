/* SPDX-License-Identifier: Apache-2.0 */
/* The number of locks that each thread holds and has taken, in debug builds (lock.h). */
#include "util/lock.h"

#ifdef TCMUR_DEBUG
_Thread_local unsigned lock_depth_now;
_Thread_local unsigned long lock_taken_total;
#endif
