/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Backstores with filters, for example those of scripted_filter.c, and I/O that a test submits and cancels
 * step by step.
 */
#ifndef TEST_FILTERED_H
#define TEST_FILTERED_H

#include <semaphore.h>

#include "filter_script.h"
#include "backstore_fixture.h"

#define FILTERED_SIZE (64u << 10)

/* One filter of a chain: "everything" or "writes". */
struct filter_of_test {
	const char *name;
	struct filter_script *script;
};

/* Opens the script through a handler and these filters. If that fails, the test fails. */
struct backstore *filtered_open_specs(const char *handler, struct script *script,
				      const struct backstore_filter_spec *filters, unsigned nfilters);
/* Does the same with scripted filters. */
struct backstore *filtered_open(const char *handler, struct script *script,
				const struct filter_of_test *filters, unsigned nfilters);

/* Changes one option of the filter with this number or, with value NULL, removes the option. */
int filtered_set_option(struct backstore *bs, unsigned number, const char *name, const char *value,
			struct error *error);

/* An I/O on loop 0 that the test does not wait for at once. */
struct pending {
	struct loop_work work;
	void (*fn)(struct pending *pending);
	sem_t passed;
	struct backstore_io bio;
	struct iovec iov;
	uint8_t data[4 * BLOCK];
	enum tcmur_status status;
	unsigned ended; /* Atomic: how often done() was called. */
};
/* Submits a READ or WRITE of nblocks blocks, and returns when backstore_submit() has returned. */
void pending_submit(struct pending *pending, struct backstore *bs, enum backstore_op op, unsigned block,
		    unsigned nblocks);
/* Calls backstore_cancel() twice, and checks that the I/O does not end inside the calls. */
void pending_cancel(struct pending *pending);
bool pending_is_over(const struct pending *pending);
/* Waits for the end of the I/O, and checks its status. */
void pending_await(const struct pending *pending, enum tcmur_status status);
#endif
