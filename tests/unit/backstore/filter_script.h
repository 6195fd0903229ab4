/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tells a filter of scripted_filter.c what to do. A test fills this structure, and gives its address as the
 * value of the filter's option "script".
 */
#ifndef TEST_FILTER_SCRIPT_H
#define TEST_FILTER_SCRIPT_H

#include <pthread.h>

#define TCMUR_API_VERSION 1
#include <tcmur/filter.h>

/*
 * The order in which filters were called, on one loop. "a>b>b<a<": an I/O went down through the filters a and
 * b, and its completion went up through b and a.
 */
struct filter_trace {
	char text[256];
	size_t len;
};

struct filter_script {
	char letter;                /* The name of the filter in the trace. */
	struct filter_trace *trace; /* NULL if the order is not recorded. */
	int open_error;             /* The errno of open(); 0 means that it succeeds. */
	/* How long an I/O waits here, in nanoseconds. */
	uint64_t wait_ns;
	/*
	 * If this is not TCMUR_OK, the filter ends each I/O with it, and the next layer does not get the I/O.
	 */
	enum tcmur_status early_status;
	/*
	 * If this is not TCMUR_OK, the filter completes I/O with it after the next layer has completed the
	 * I/O.
	 */
	enum tcmur_status final_status;
	/* The filter adds this number of bytes to the offset of each I/O. */
	uint64_t shift;
	/* The filter passes I/O on without a callback for its completion. */
	bool passes_only;
	/* The filter completes I/O on a thread of the pool. */
	bool completes_elsewhere;
	/* How many more times the filter gives each I/O to the next layer after its first completion. */
	unsigned repeats;
	/* Results, atomic. */
	unsigned calls[TCMUR_OPERATIONS];
	unsigned opens, closes, cancels;
	pthread_t thread; /* The thread of the last callback. */
};
#endif
