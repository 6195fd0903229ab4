/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a test tells a filter of scripted_filter.c. The address of one is the value of the filter's option
 * "script".
 */
#ifndef TEST_FILTER_SCRIPT_H
#define TEST_FILTER_SCRIPT_H

#include <pthread.h>

#define TCMUR_API_VERSION 1
#include <tcmur/filter.h>

/* The order in which filters were called, on one loop: "a>b>b<a<". */
struct filter_trace {
	char text[256];
	size_t len;
};

struct filter_script {
	char letter;
	struct filter_trace *trace; /* NULL: none */
	int open_error;             /* errno; 0: opens */
	/* An I/O waits here for so long. */
	uint64_t wait_ns;
	/* Unless TCMUR_OK, the filter ends each I/O so, and the next layer does not get it. */
	enum tcmur_status answer;
	/* Unless TCMUR_OK, the filter completes so what the next layer has completed. */
	enum tcmur_status instead;
	/* Bytes by which I/O is moved on the medium. */
	uint64_t shift;
	/* The filter does not ask for the completion. */
	bool passes_only;
	/* The filter completes on a thread of the pool. */
	bool completes_elsewhere;
	/* How often the filter gives an I/O to the next layer again. */
	unsigned repeats;
	/* results, atomic */
	unsigned calls[TCMUR_OPERATIONS];
	unsigned opens, closes, cancels;
	pthread_t thread; /* of the last callback */
};
#endif
