/* SPDX-License-Identifier: Apache-2.0 */
/* What a test tells its handler. The backstore's configuration is the address of one, printed with %p. */
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
	uint8_t *media;           /* info.size bytes */
	struct tcmur_info info;   /* what open() reports, and refresh() */
	int open_error;           /* errno, 0: opens */
	struct tcmur_usage usage; /* what usage() tells, … */
	int usage_error;          /* … or this errno */
	int resize_error;         /* errno of resize(), 0: changes info.size */
	unsigned delay_us;        /* before completion: on the pool where the handler is ASYNC */
	bool twice;               /* completes each I/O twice */
	bool lends;
	uint64_t
	    stuck_below; /* atomic; handlers stuck_*: a write that begins below this byte does not get on */
	uint64_t fail_offset;   /* an I/O that covers this byte … */
	enum tcmur_status fail; /* … ends so, unless TCMUR_OK */
	/* Handler cancelling: an I/O stays with the handler until it is cancelled. */
	bool parks;
	unsigned cancels; /* result, atomic */
	/* results, atomic */
	unsigned calls[SCRIPT_NCALLS];
	unsigned running, most_running, closes, refreshes;
	uint64_t longest;
	uint32_t flags; /* of the last write-like call */
};
#endif
