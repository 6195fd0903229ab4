/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The filter that delays I/O before it reaches the storage: by a fixed time, by a random time, or by an
 * individual time for each operation. It changes neither the data nor the result of the I/O.
 */
#include <string.h>

#include "values.h"

/* The shortest and the longest time that an I/O waits. */
struct wait {
	uint64_t least_ns, most_ns;
};

struct params {
	/* The values of delay= and delay-random=. Their sum is used. */
	uint64_t fixed_ns;
	struct wait random;
	/*
	 * The values of the options that have the name of an operation. They replace both values above for
	 * this operation.
	 */
	struct wait own[TCMUR_OPERATIONS];
	bool has_own[TCMUR_OPERATIONS];
};

/* A delayed I/O. The structure is in the scratch space of the I/O. */
struct delayed {
	/* This must be the first member, because time_is_over() finds the structure from its timer. */
	struct tcmur_timer timer;
	struct tcmur_layer *layer;
	struct tcmur_io *io;
	enum tcmur_operation operation;
};

/* --- options --- */

static int delay_set(void *params, const char *name, const char *value, char *text, size_t len)
{
	struct params *p = params;
	struct reason reason = {text, len};

	if (!strcmp(name, "delay"))
		return value_time(value, &p->fixed_ns, reason);
	if (!strcmp(name, "delay-random"))
		return value_times(value, &p->random.least_ns, &p->random.most_ns, reason);
	for (enum tcmur_operation op = 0; op < TCMUR_OPERATIONS; op++) {
		if (strcmp(name, value_operation_name(op)) != 0)
			continue;
		p->has_own[op] = true;
		return value_times(value, &p->own[op].least_ns, &p->own[op].most_ns, reason);
	}
	return value_refuse(reason, "the filter declares this option, but does not handle it");
}

/* --- I/O --- */

static uint64_t pick(const struct wait *wait)
{
	uint64_t range = wait->most_ns - wait->least_ns;

	return wait->least_ns + (range ? value_random() % (range + 1) : 0);
}

static uint64_t choose_wait(const struct params *p, enum tcmur_operation operation)
{
	return p->has_own[operation] ? pick(&p->own[operation]) : p->fixed_ns + pick(&p->random);
}

static void time_is_over(struct tcmur_timer *timer)
{
	struct delayed *delayed = (struct delayed *)(void *)timer;

	tcmur_next(delayed->layer, delayed->io, delayed->operation, NULL);
}

static void delay(struct tcmur_layer *layer, struct tcmur_queue *queue, struct tcmur_io *io,
		  enum tcmur_operation operation)
{
	struct delayed *delayed = io->scratch;
	uint64_t wait_ns = choose_wait(tcmur_layer_params(layer), operation);

	if (!wait_ns) {
		tcmur_next(layer, io, operation, NULL);
		return;
	}
	*delayed =
	    (struct delayed){.timer.fn = time_is_over, .layer = layer, .io = io, .operation = operation};
	tcmur_queue_timer_start(queue, &delayed->timer, wait_ns);
}

/* As long as the filter has the I/O, its timer runs. */
static void delay_cancel(struct tcmur_layer *layer, struct tcmur_io *io)
{
	struct delayed *delayed = io->scratch;

	(void)layer;
	tcmur_queue_timer_stop(&delayed->timer);
	tcmur_io_complete(io, TCMUR_ABORTED);
}

static void delay_read(struct tcmur_layer *layer, struct tcmur_queue *queue, struct tcmur_io *io)
{
	delay(layer, queue, io, TCMUR_OPERATION_READ);
}

static void delay_write(struct tcmur_layer *layer, struct tcmur_queue *queue, struct tcmur_io *io)
{
	delay(layer, queue, io, TCMUR_OPERATION_WRITE);
}

static void delay_flush(struct tcmur_layer *layer, struct tcmur_queue *queue, struct tcmur_io *io)
{
	delay(layer, queue, io, TCMUR_OPERATION_FLUSH);
}

static void delay_unmap(struct tcmur_layer *layer, struct tcmur_queue *queue, struct tcmur_io *io)
{
	delay(layer, queue, io, TCMUR_OPERATION_UNMAP);
}

static void delay_write_zeroes(struct tcmur_layer *layer, struct tcmur_queue *queue, struct tcmur_io *io)
{
	delay(layer, queue, io, TCMUR_OPERATION_WRITE_ZEROES);
}

static void delay_write_same(struct tcmur_layer *layer, struct tcmur_queue *queue, struct tcmur_io *io)
{
	delay(layer, queue, io, TCMUR_OPERATION_WRITE_SAME);
}

static void delay_compare_and_write(struct tcmur_layer *layer, struct tcmur_queue *queue, struct tcmur_io *io)
{
	delay(layer, queue, io, TCMUR_OPERATION_COMPARE_AND_WRITE);
}

static void delay_extents(struct tcmur_layer *layer, struct tcmur_queue *queue, struct tcmur_io *io)
{
	delay(layer, queue, io, TCMUR_OPERATION_EXTENTS);
}

static const struct tcmur_option delay_options[] = {
    {"delay", "TIME: how long each I/O waits, for example 10ms (0)"},
    {"delay-random", "MIN-MAX: a random time that is added, for example 0-50ms (0)"},
    {"read", "TIME or MIN-MAX: how long a read waits, in place of delay and delay-random"},
    {"write", "TIME or MIN-MAX: the same for writes"},
    {"flush", "TIME or MIN-MAX: the same for flushes of the write cache"},
    {"unmap", "TIME or MIN-MAX: the same for deallocation (UNMAP)"},
    {"write-zeroes", "TIME or MIN-MAX: the same for writes of zeros"},
    {"write-same", "TIME or MIN-MAX: the same for WRITE SAME"},
    {"compare-and-write", "TIME or MIN-MAX: the same for COMPARE AND WRITE"},
    {"extents", "TIME or MIN-MAX: the same for GET LBA STATUS"},
    {NULL, NULL},
};

static struct tcmur_filter delay_filter = {
    .io_size = sizeof(struct delayed),
    .params_size = sizeof(struct params),
    .name = "delay",
    .summary = "Delays I/O before it reaches the storage",
    .options = delay_options,
    .set = delay_set,
    .read = delay_read,
    .write = delay_write,
    .flush = delay_flush,
    .unmap = delay_unmap,
    .write_zeroes = delay_write_zeroes,
    .write_same = delay_write_same,
    .compare_and_write = delay_compare_and_write,
    .extents = delay_extents,
    .cancel = delay_cancel,
};

TCMUR_REGISTER_FILTER(delay_filter)
