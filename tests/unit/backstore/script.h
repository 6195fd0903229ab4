/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tells the handlers of scripted.c and stuck.c what to do. A test fills this structure, and gives its
 * address, printed with %p, as the configuration of the backstore.
 */
#ifndef TEST_SCRIPT_H
#define TEST_SCRIPT_H

#include <stdbool.h>
#include <stdint.h>

#define TCMUR_API_VERSION 1
#include <tcmur/handler.h>

enum script_call {
	SCRIPT_READ,
	SCRIPT_WRITE,
	SCRIPT_FLUSH,
	SCRIPT_UNMAP,
	SCRIPT_WRITE_ZEROES,
	SCRIPT_WRITE_SAME,
	SCRIPT_COMPARE_AND_WRITE,
	SCRIPT_EXTENTS,
	SCRIPT_NCALLS,
};

struct script {
	uint8_t *media;           /* The medium; it has info.size bytes. */
	struct tcmur_info info;   /* The values that open() and refresh() report. */
	int open_error;           /* The errno of open(); 0 means that it succeeds. */
	struct tcmur_usage usage; /* The values that usage() reports. */
	int usage_error;          /* The errno of usage(), if not 0. */
	int resize_error;         /* The errno of resize(); 0 means that it changes info.size. */
	unsigned delay_us;        /* The delay before the completion, on the pool if the handler is ASYNC. */
	bool twice;               /* The handler completes each I/O twice. */
	bool lends;               /* data() gives access to the medium. */
	/* Atomic. In the handlers stuck_*, a write that begins below this byte hangs. */
	uint64_t stuck_below;
	/* If fail is not TCMUR_OK, each I/O that covers the byte fail_offset ends with fail. */
	uint64_t fail_offset;
	enum tcmur_status fail;
	/* In the handler "cancelling", an I/O stays with the handler until it is cancelled. */
	bool parks;
	unsigned cancels; /* Result, atomic. */
	/* Results, atomic. */
	unsigned calls[SCRIPT_NCALLS];
	unsigned running, most_running, closes, refreshes;
	uint64_t longest, bytes; /* The longest call, and the sum of all calls, in bytes. */
	uint32_t flags;          /* The flags of the last call that writes. */
};
#endif
