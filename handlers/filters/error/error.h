/* SPDX-License-Identifier: Apache-2.0 */
/* The parameters of the filter error. options.c fills them from the options, and error.c uses them. */
#ifndef FILTER_ERROR_H
#define FILTER_ERROR_H

#include <stdatomic.h>

#include "values.h"

/* probability= is stored in millionths. */
#define PROBABILITY_PARTS 1000000u

struct params {
	/*
	 * Set by status= or sense=. TCMUR_OK means a read error or a write error, depending on the operation.
	 */
	enum tcmur_status status;
	/* Set by sense=, in the form of struct tcmur_io. */
	uint32_t sense;
	/* The bits of the operations that fail; 0 means all. */
	uint32_t operations;
	/* Set by lba= in blocks or by range= in bytes: the range from first up to but not including end. */
	uint64_t first, end;
	bool in_blocks;
	/* Set by every=; 0 if it is not given. */
	uint64_t every;
	/* Set by probability=. */
	uint32_t probability;
	bool has_probability;
	/* Set by count=; 0 means no limit. */
	uint64_t count;
	/*
	 * The number of I/O that every= has counted, and the number of errors that count= has counted. All
	 * loops use these counters.
	 */
	_Atomic uint64_t seen, failed;
};

/* The callback set() of the filter. */
int error_set_option(void *params, const char *name, const char *value, char *text, size_t len);
/* The options for --dump-handlers. */
extern const struct tcmur_option error_options[];
#endif
