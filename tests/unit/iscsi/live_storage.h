/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Real logical units on memory whose I/O takes some time, for tests with real loops; fake_storage.h has the
 * storage objects. All bytes of a disk have the same value, and WRITEs must write this value, so that I/O
 * that reaches the wrong disk is noticed.
 */
#ifndef TESTS_LIVE_STORAGE_H
#define TESTS_LIVE_STORAGE_H

#include "fake_storage.h"

#define LIVE_BLOCKS 64u

/* The time limit of commands of logical units that are made from now on. Main thread only. */
extern uint64_t live_time_limit_ns;
/* For fake_unit_ops. */
extern const struct fake_unit_ops live_unit_ops;
/* Returns the number of I/Os that are in flight in all units together. Any thread. */
unsigned live_io_in_flight(void);
/* While this is set, I/O hangs. It ends when this is cleared. Any thread. */
void live_storage_hang(bool hang);
#endif
