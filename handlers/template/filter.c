/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A filter to start from: it logs reads and writes that take longer than a limit. docs/writing-a-handler.md
 * explains it step by step. It needs nothing but the installed headers.
 */
#define TCMUR_API_VERSION 1 /* the API version for which this was written; must precede the include */
#include <tcmur/filter.h>

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* The options that the administrator has set. The daemon zeroes this structure, so zero is the default. */
struct params {
	unsigned slower_ms;
};

/* The data of the filter for one LUN. Several event loops count here at the same time. */
struct counts {
	atomic_ulong all, slow;
};

/* The data of the filter for one I/O, in the scratch space of the I/O. */
struct started {
	enum tcmur_operation operation;
	struct timespec at;
};

/* Any thread. Writes the value of one option into params, and changes nothing else. */
static int template_set(void *params, const char *name, const char *value, char *reason, size_t reason_len)
{
	char *end;
	unsigned long ms = strtoul(value, &end, 10);

	(void)name; /* there is only one option */
	if (end == value || *end || ms > 3600000) {
		snprintf(reason, reason_len, "this is not a number of milliseconds; use for example 100");
		return -EINVAL;
	}
	((struct params *)params)->slower_ms = (unsigned)ms;
	return 0;
}

/* Called on a pool thread, so it may block. */
static int template_open(struct tcmur_layer *layer, char *error, size_t error_len)
{
	layer->handle = calloc(1, sizeof(struct counts));
	if (layer->handle)
		return 0;
	snprintf(error, error_len, "there is no memory for the counts");
	return -ENOMEM;
}

/* Called on a pool thread after the last I/O. */
static void template_close(struct tcmur_layer *layer)
{
	struct counts *counts = layer->handle;

	tcmur_log(layer->lun, TCMUR_LOG_INFO, "%lu of %lu reads and writes were slow", counts->slow,
		  counts->all);
	free(counts);
}

static uint64_t milliseconds_since(const struct timespec *then)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)((now.tv_sec - then->tv_sec) * 1000 + (now.tv_nsec - then->tv_nsec) / 1000000);
}

/*
 * Is called when the next layer has completed the I/O. The filter completes it, too, and must not use it
 * afterwards.
 */
static void template_done(struct tcmur_layer *layer, struct tcmur_queue *queue, struct tcmur_io *io,
			  enum tcmur_status status)
{
	/* The present parameters. The pointer is valid only during this call. */
	const struct params *params = tcmur_layer_params(layer);
	const struct started *started = io->scratch;
	struct counts *counts = layer->handle;
	uint64_t ms = milliseconds_since(&started->at);

	(void)queue; /* for filters that need a timer or do I/O of their own */
	counts->all++;
	if (ms > params->slower_ms) {
		counts->slow++;
		tcmur_log(layer->lun, TCMUR_LOG_INFO, "a %s of %llu bytes took %llu ms",
			  started->operation == TCMUR_OPERATION_READ ? "read" : "write",
			  (unsigned long long)io->len, (unsigned long long)ms);
	}
	tcmur_io_complete(io, status);
}

/* Gives the I/O to the next layer. template_done() is called when that layer has completed it. */
static void begin(struct tcmur_layer *layer, struct tcmur_io *io, enum tcmur_operation operation)
{
	struct started *started = io->scratch;

	started->operation = operation;
	clock_gettime(CLOCK_MONOTONIC, &started->at);
	tcmur_next(layer, io, operation, template_done);
}

/* A data callback. It is called on an event loop, so it must never block. */
static void template_read(struct tcmur_layer *layer, struct tcmur_queue *queue, struct tcmur_io *io)
{
	(void)queue;
	begin(layer, io, TCMUR_OPERATION_READ);
}

static void template_write(struct tcmur_layer *layer, struct tcmur_queue *queue, struct tcmur_io *io)
{
	(void)queue;
	begin(layer, io, TCMUR_OPERATION_WRITE);
}

static const struct tcmur_option template_options[] = {
    {"slower", "MILLISECONDS: reads and writes that take longer are logged (0)"},
    {NULL, NULL},
};

/* Operations that are not named here go directly to the next layer. */
static struct tcmur_filter template_filter = {
    .io_size = sizeof(struct started),
    .params_size = sizeof(struct params),
    .name = "template",
    .summary = "Logs reads and writes that take long, to start a filter from",
    .options = template_options,
    .set = template_set,
    .open = template_open,
    .close = template_close,
    .read = template_read,
    .write = template_write,
};

TCMUR_REGISTER_FILTER(template_filter)
