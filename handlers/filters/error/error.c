/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The filter that makes I/O fail before it reaches the storage. Its options say which I/O fails, how often,
 * and with which error; options.c reads them. All other I/O passes unchanged.
 */
#include "error.h"

static uint64_t next_count(_Atomic uint64_t *counter)
{
	return atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
}

/* Finds the first byte of the I/O that is in the range of the options. Returns false if there is none. */
static bool find_first_bad_byte(const struct params *p, const struct tcmur_layer *layer,
				const struct tcmur_io *io, uint64_t *index)
{
	uint64_t unit = p->in_blocks ? layer->info->block_size : 1;
	uint64_t first = p->first * unit, end = p->end * unit;

	*index = io->offset < first ? first - io->offset : 0;
	if (!p->end)
		return true;
	return io->offset < end && *index < io->len;
}

/*
 * Decides with every=, probability= and count= whether this I/O fails. All other options have selected it
 * already.
 */
static bool is_its_turn(struct params *p)
{
	if (p->every && (next_count(&p->seen) + 1) % p->every)
		return false;
	if (p->has_probability && value_random() % PROBABILITY_PARTS >= p->probability)
		return false;
	return !p->count || next_count(&p->failed) < p->count;
}

static enum tcmur_status status_of(const struct params *p, enum tcmur_operation operation)
{
	if (p->status)
		return p->status;
	return operation == TCMUR_OPERATION_READ || operation == TCMUR_OPERATION_EXTENTS ? TCMUR_READ_ERROR
											 : TCMUR_WRITE_ERROR;
}

static void fail_or_pass(struct tcmur_layer *layer, struct tcmur_io *io, enum tcmur_operation operation)
{
	struct params *p = tcmur_layer_params(layer);
	bool is_meant = !p->operations || p->operations & 1u << operation;
	uint64_t index;

	if (!is_meant || !find_first_bad_byte(p, layer, io, &index) || !is_its_turn(p)) {
		tcmur_next(layer, io, operation, NULL);
		return;
	}
	if (index < io->len)
		io->miscompare_offset = index;
	io->sense = p->sense;
	tcmur_io_complete(io, status_of(p, operation));
}

static void error_read(struct tcmur_layer *layer, struct tcmur_queue *queue, struct tcmur_io *io)
{
	(void)queue;
	fail_or_pass(layer, io, TCMUR_OPERATION_READ);
}

static void error_write(struct tcmur_layer *layer, struct tcmur_queue *queue, struct tcmur_io *io)
{
	(void)queue;
	fail_or_pass(layer, io, TCMUR_OPERATION_WRITE);
}

static void error_flush(struct tcmur_layer *layer, struct tcmur_queue *queue, struct tcmur_io *io)
{
	(void)queue;
	fail_or_pass(layer, io, TCMUR_OPERATION_FLUSH);
}

static void error_unmap(struct tcmur_layer *layer, struct tcmur_queue *queue, struct tcmur_io *io)
{
	(void)queue;
	fail_or_pass(layer, io, TCMUR_OPERATION_UNMAP);
}

static void error_write_zeroes(struct tcmur_layer *layer, struct tcmur_queue *queue, struct tcmur_io *io)
{
	(void)queue;
	fail_or_pass(layer, io, TCMUR_OPERATION_WRITE_ZEROES);
}

static void error_write_same(struct tcmur_layer *layer, struct tcmur_queue *queue, struct tcmur_io *io)
{
	(void)queue;
	fail_or_pass(layer, io, TCMUR_OPERATION_WRITE_SAME);
}

static void error_compare_and_write(struct tcmur_layer *layer, struct tcmur_queue *queue, struct tcmur_io *io)
{
	(void)queue;
	fail_or_pass(layer, io, TCMUR_OPERATION_COMPARE_AND_WRITE);
}

static void error_extents(struct tcmur_layer *layer, struct tcmur_queue *queue, struct tcmur_io *io)
{
	(void)queue;
	fail_or_pass(layer, io, TCMUR_OPERATION_EXTENTS);
}

static struct tcmur_filter error_filter = {
    .params_size = sizeof(struct params),
    .name = "error",
    .summary = "Lets I/O fail before it reaches the storage",
    .options = error_options,
    .set = error_set_option,
    .read = error_read,
    .write = error_write,
    .flush = error_flush,
    .unmap = error_unmap,
    .write_zeroes = error_write_zeroes,
    .write_same = error_write_same,
    .compare_and_write = error_compare_and_write,
    .extents = error_extents,
};

TCMUR_REGISTER_FILTER(error_filter)
