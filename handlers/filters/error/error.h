/* SPDX-License-Identifier: Apache-2.0 */
/* The parameters of the filter error: options.c makes them of the options, and error.c uses them. */
#ifndef FILTER_ERROR_H
#define FILTER_ERROR_H

#include <stdatomic.h>

#include "values.h"

/* probability= counts in parts of a million. */
#define PROBABILITY_PARTS 1000000u

struct params {
	/* status= or sense=; TCMUR_OK: a read error or a write error, as the operation is. */
	enum tcmur_status status;
	/* sense=, as in struct tcmur_io. */
	uint32_t sense;
	/* The bits of the operations that fail; 0: all. */
	uint32_t operations;
	/* lba= in blocks, or range= in bytes: [first, end). */
	uint64_t first, end;
	bool in_blocks;
	/* every=; 0: not given. */
	uint64_t every;
	/* probability= */
	uint32_t probability;
	bool has_probability;
	/* count=; 0: no limit. */
	uint64_t count;
	/* How much I/O every= has seen, and how many errors count= has. All loops count here. */
	_Atomic uint64_t seen, failed;
};

/* The set() of the filter. */
int error_set_option(void *params, const char *name, const char *value, char *text, size_t len);
/* The options as --dump-handlers shows them. */
extern const struct tcmur_option error_options[];
#endif
