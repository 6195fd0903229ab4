/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Storage objects with real logical units on memory whose I/O takes a while, for tests with real loops. The
 * memory of a disk is filled with one byte, and WRITEs must write this byte, so that I/O that reaches the
 * wrong disk is seen.
 */
#ifndef TESTS_LIVE_STORAGE_H
#define TESTS_LIVE_STORAGE_H

#include "storage/storage.h"

#define LIVE_BLOCKS 64u

/* The time limit of commands of logical units that are made from now on. Main thread. */
extern uint64_t live_time_limit_ns;
/* Logical units that are not closed yet. Main thread. */
extern unsigned live_units;
/* Another logical unit, with the same byte, serves the disk from now on. */
void live_storage_swap(struct storage *storage);
/* I/O that is in flight in all units together; any thread. */
unsigned live_io_in_flight(void);
/* While this is set, I/O hangs; it ends when it is cleared. Any thread. */
void live_storage_hang(bool hang);
#endif
