/* SPDX-License-Identifier: Apache-2.0 */
/*
 * I/O that outlives its process. What a killed daemon gave to the kernel through io_uring goes on after the
 * last of its threads has ended, into and out of the rings' buffers; those can be used for other commands
 * only when it is over.
 *
 * Each daemon locks a byte of one file, of those that are free, and its event loops hold the descriptor
 * (loop_options.hold) for as long as their I/O lasts, however the daemon ends. There is one daemon at a time,
 * so another's lock is a dead one's I/O.
 */
#ifndef KERNEL_STRAY_IO_H
#define KERNEL_STRAY_IO_H

#include <stdbool.h>

#include "util/error.h"

/* Main, before any I/O. Opens and locks; the descriptor, or -errno with error set. */
int tcmu_stray_io_lock(const char *run_dir, struct error *error);
/* Any thread. fd: what tcmu_stray_io_lock() returned. */
bool tcmu_stray_io(int fd);
#endif
