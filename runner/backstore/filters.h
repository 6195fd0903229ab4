/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Declarations about the filters of a backstore for the files of this folder. filters.c opens and closes the
 * filters and changes their parameters. passage.c takes I/O through them.
 */
#ifndef BACKSTORE_FILTERS_H
#define BACKSTORE_FILTERS_H

#include <pthread.h>
#include <stdatomic.h>

#include "backstore/private.h"

/* --- filter_registry.c --- */

struct filter {
	struct plugin plugin;
	/* A copy of the filter's table. Members that an older plug-in does not have are zero. */
	struct tcmur_filter api;
};
/* Any thread. Returns NULL with error set if no filter of this name is loaded. */
const struct filter *filter_find(const char *name, struct error *error);

/* --- the layers --- */

typedef void filter_call(struct tcmur_layer *layer, struct tcmur_queue *queue, struct tcmur_io *io);

/*
 * One version of a layer's parameters. Nobody changes it, except that the filter may keep counters in the
 * member bytes.
 */
struct filter_params {
	/* The options that the administrator has set. The texts belong to this structure. */
	struct tcmur_option_value options[BACKSTORE_OPTIONS_MAX];
	uint32_t noptions;
	/* The parameters that the filter's set() has made of the options. */
	_Alignas(16) uint8_t bytes[];
};

/* One filter of a backstore. */
struct layer {
	struct tcmur_layer api;
	const struct filter *filter;
	struct filters *filters;
	/* Written under filters.lock. Loops read it without the lock; see backstore_set_filters(). */
	_Atomic(struct filter_params *) params;
	/* 0 is the outermost filter. */
	unsigned index;
	/* The offset of the filter's scratch space in struct passage.scratch. */
	size_t scratch;
	/*
	 * For each operation, the index of the next layer that has a callback for it; filters.n means the
	 * handler.
	 */
	uint8_t next[TCMUR_OPERATIONS];
};

struct filters {
	unsigned n;
	/* Is held while parameters are replaced or shown. I/O does not take this lock. */
	pthread_mutex_t lock;
	/*
	 * For each operation, the index of the first layer that has a callback for it; filters.n means the
	 * handler.
	 */
	uint8_t first[TCMUR_OPERATIONS];
	/* The callbacks of the handler itself. */
	backstore_call *handler_calls[TCMUR_OPERATIONS];
	struct layer layers[TCMUR_FILTERS_MAX];
};

/*
 * Pool thread; may block. To be called after the handler's open(). Opens the filters of spec, if there are
 * any, from the innermost to the outermost. Returns 0, or -errno with error set and no filter open.
 */
int filters_open(struct backstore *bs, const struct backstore_spec *spec, struct error *error);
/* Closes the filters. To be called before the handler's close(). */
void filters_close(struct backstore *bs);

/* --- passage.c --- */

/* Finds out through which layers each operation goes, and sets the callbacks in bs->api accordingly. */
void passage_route(struct backstore *bs);
/*
 * To be called on the I/O's loop after the layer that has the I/O has completed it with bio->status. Returns
 * true if a filter further outside continues with the I/O, and false if the I/O has left the filters.
 */
bool passage_return(struct backstore_io *bio);
/* On the I/O's loop. If a filter has the I/O and can cancel it, this asks the filter to do so. */
void passage_cancel(struct backstore_io *bio);
#endif
