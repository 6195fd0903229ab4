/* SPDX-License-Identifier: Apache-2.0 */
/* The behaviour that a test gives to a disk of the handler "staged". The configuration of the disk is the
 * address of a struct stage, printed with %p. */
#ifndef STAGED_H
#define STAGED_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct stage {
	/* The errno of open(); 0 means that it succeeds. */
	atomic_int open_error;
	/* While hangs_in_open is set, open() does not return; hangs_in_close does the same for close(). */
	atomic_bool hangs_in_open, hangs_in_close;
	/* The values that open() and refresh() report. */
	_Atomic uint64_t size, flags;
	/* The errno of resize(); 0 means that it changes the size. */
	atomic_int resize_error;
	/* The enum tcmur_status of each read() and flush(). */
	atomic_int status;
	/* Results: how often the functions were called. */
	atomic_uint opens, closes, flushes, refreshes;
};
#endif
