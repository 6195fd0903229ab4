/* SPDX-License-Identifier: Apache-2.0 */
/* What a test tells the handler "staged". The configuration is the address of one stage, printed with %p. */
#ifndef STAGED_H
#define STAGED_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct stage {
	/* errno of open(); 0: it opens. */
	atomic_int open_error;
	/* While set, open(), close() or read() does not return. */
	atomic_bool hangs_in_open, hangs_in_close;
	/* What open() and refresh() report. */
	_Atomic uint64_t size, flags;
	/* errno of resize(); 0: it changes size. */
	atomic_int resize_error;
	/* enum tcmur_status of each read() and flush(). */
	atomic_int status;
	/* Results. */
	atomic_uint opens, closes, flushes, refreshes;
};
#endif
