/* SPDX-License-Identifier: Apache-2.0 */
/*
 * I/O that lasts longer than its process. I/O that a killed daemon has given to the kernel through io_uring
 * continues after the last thread of the daemon has ended. It reads from and writes to the buffers of the
 * rings, which can be used for other commands only after this I/O has ended.
 *
 * Each daemon locks a free byte of one file. Its event loops hold the descriptor (loop_options.hold) as long
 * as their I/O lasts, in whatever way the daemon ends. There is only one daemon at a time, so a lock of
 * another process belongs to I/O of a daemon that has ended.
 */
#ifndef KERNEL_STRAY_IO_H
#define KERNEL_STRAY_IO_H

#include <stdbool.h>

#include "util/error.h"

/*
 * Main thread, before any I/O. Opens the file and locks a byte. Returns the descriptor, or -errno with error
 * set.
 */
int tcmu_stray_io_lock(const char *run_dir, struct error *error);
/*
 * Any thread. Returns whether I/O of a daemon that has ended is in progress. fd is the result of
 * tcmu_stray_io_lock().
 */
bool tcmu_stray_io(int fd);
#endif
