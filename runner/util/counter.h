/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Counters that one thread writes and any thread reads. Because there is only one writer, adding needs no
 * atomic read-modify-write instruction. The counters are atomic so that no reader sees half of a value.
 */
#ifndef UTIL_COUNTER_H
#define UTIL_COUNTER_H

#include <stdatomic.h>
#include <stdint.h>

/* Any thread. */
static inline uint64_t counter_read(const _Atomic uint64_t *counter)
{
	return atomic_load_explicit(counter, memory_order_relaxed);
}
/* The thread that writes this counter. */
static inline void counter_add(_Atomic uint64_t *counter, uint64_t n)
{
	atomic_store_explicit(counter, counter_read(counter) + n, memory_order_relaxed);
}
#endif
