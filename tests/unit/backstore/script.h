/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a test sets for its handler. The configuration of the backstore is the address of this structure,
 * printed with %p.
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
	bool twice;               /* Completes each I/O twice. */
	bool lends;
	/* Atomic. In the handlers stuck_*, a write that begins below this byte does not continue. */
	uint64_t stuck_below;
	uint64_t fail_offset;   /* An I/O that covers this byte … */
	enum tcmur_status fail; /* … ends with this status, unless it is TCMUR_OK. */
	/* In the handler cancelling: an I/O stays with the handler until it is cancelled. */
	bool parks;
	unsigned cancels; /* Result, atomic. */
	/* Results, atomic. */
	unsigned calls[SCRIPT_NCALLS];
	unsigned running, most_running, closes, refreshes;
	uint64_t longest;
	uint32_t flags; /* The flags of the last call that writes. */
};
#endif
