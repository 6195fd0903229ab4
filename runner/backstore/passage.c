/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Takes an I/O through the filters of its backstore to the handler, and back. The I/O itself is never copied:
 * a struct passage records which layer has the I/O, and which layer continues when the I/O comes back.
 * filters.c defines the layers.
 */
#include <string.h>

#include "backstore/filters.h"
#include "util/contract.h"

/* The parent of a layer if no filter further outside waits for the completion. */
#define OUTSIDE UINT8_MAX

/*
 * One I/O between the submission to the outermost filter and its completion. It comes from the loop's slab.
 */
struct passage {
	/* The index of the layer that has the I/O; filters.n means the handler. */
	uint8_t holder;
	struct {
		/* The layer whose done() is called when this layer completes the I/O, or OUTSIDE. */
		uint8_t parent;
		tcmur_done *done;
	} levels[TCMUR_FILTERS_MAX + 1];
	/* The scratch space of all filters, one after the other. */
	_Alignas(16) uint8_t scratch[];
};

static struct backstore_io *bio_of(struct tcmur_io *io)
{
	return container_of(io, struct backstore_io, io);
}

static struct tcmur_queue *queue_of(const struct backstore_io *bio)
{
	return (struct tcmur_queue *)bio->loop;
}

static struct layer *layer_of(struct tcmur_layer *api)
{
	return container_of(api, struct layer, api);
}

static filter_call *call_of(const struct tcmur_filter *filter, enum tcmur_operation operation)
{
	filter_call *const calls[TCMUR_OPERATIONS] = {
	    [TCMUR_OPERATION_READ] = filter->read,
	    [TCMUR_OPERATION_WRITE] = filter->write,
	    [TCMUR_OPERATION_FLUSH] = filter->flush,
	    [TCMUR_OPERATION_UNMAP] = filter->unmap,
	    [TCMUR_OPERATION_WRITE_ZEROES] = filter->write_zeroes,
	    [TCMUR_OPERATION_WRITE_SAME] = filter->write_same,
	    [TCMUR_OPERATION_COMPARE_AND_WRITE] = filter->compare_and_write,
	    [TCMUR_OPERATION_EXTENTS] = filter->extents,
	};

	return calls[operation];
}

/* --- from the outermost filter to the handler --- */

/* Records that the filter has the I/O. The caller then calls one of the filter's functions with the I/O. */
static void give_to_filter(struct backstore_io *bio, const struct layer *layer)
{
	bio->passage->holder = (uint8_t)layer->index;
	bio->place = BIO_AT_FILTER;
	bio->io.scratch = bio->passage->scratch + layer->scratch;
	completion_arm(bio);
}

static void call_handler(struct backstore_io *bio, enum tcmur_operation operation)
{
	const struct filters *filters = bio->bs->filters;

	bio->passage->holder = (uint8_t)filters->n;
	if (filters->handler_calls[operation]) {
		backstore_io_call_handler(bio, filters->handler_calls[operation]);
	} else {
		completion_arm(bio);
		tcmur_io_complete(&bio->io, TCMUR_NOT_SUPPORTED);
	}
}

/*
 * Calls the layer with this index. When it has completed the I/O, the layer with the index parent continues.
 */
static void go_to(struct backstore_io *bio, unsigned index, uint8_t parent, enum tcmur_operation operation)
{
	struct filters *filters = bio->bs->filters;

	bio->passage->levels[index].parent = parent;
	if (index == filters->n) {
		call_handler(bio, operation);
		return;
	}
	struct layer *layer = &filters->layers[index];
	give_to_filter(bio, layer);
#ifdef TCMUR_DEBUG /* A filter must not read its scratch space before it has written to it. */
	memset(bio->io.scratch, 0xa5, layer->filter->api.io_size);
#endif
	call_of(&layer->filter->api, operation)(&layer->api, queue_of(bio), &bio->io);
}

void tcmur_next(struct tcmur_layer *api, struct tcmur_io *io, enum tcmur_operation operation,
		tcmur_done *done)
{
	const struct layer *layer = layer_of(api);
	struct backstore_io *bio = bio_of(io);
	struct passage *passage = bio->passage;

	contract(loop_current() == bio->loop);
	contract(passage && passage->holder == layer->index);
	passage->levels[layer->index].done = done;
	uint8_t parent = done ? (uint8_t)layer->index : passage->levels[layer->index].parent;
	if (!backstore_io_is_expired(bio)) {
		go_to(bio, layer->next[operation], parent, operation);
		return;
	}
	/* The previous layer continues as if the next layer had completed the I/O with this status. */
	passage->holder = layer->next[operation];
	passage->levels[passage->holder].parent = parent;
	tcmur_io_complete(io, TCMUR_TIMEOUT);
}

/* Calls the first layer. bs->api contains this function in place of the handler's callback. */
static void enter(struct tcmur_io *io, enum tcmur_operation operation)
{
	struct backstore_io *bio = bio_of(io);
	const struct filters *filters = bio->bs->filters;

	if (filters->first[operation] == filters->n) {
		backstore_io_call_handler(bio, filters->handler_calls[operation]);
		return;
	}
	bio->passage = slab_get(&loop_of(bio)->passages);
	if (bio->passage)
		go_to(bio, filters->first[operation], OUTSIDE, operation);
	else
		tcmur_io_complete(io, TCMUR_NO_RESOURCE);
}

#define ENTER(name, operation)                                                                 \
	static void enter_##name(void *handle, struct tcmur_queue *queue, struct tcmur_io *io) \
	{                                                                                      \
		(void)handle;                                                                  \
		(void)queue;                                                                   \
		enter(io, operation);                                                          \
	}
ENTER(read, TCMUR_OPERATION_READ)
ENTER(write, TCMUR_OPERATION_WRITE)
ENTER(flush, TCMUR_OPERATION_FLUSH)
ENTER(unmap, TCMUR_OPERATION_UNMAP)
ENTER(write_zeroes, TCMUR_OPERATION_WRITE_ZEROES)
ENTER(write_same, TCMUR_OPERATION_WRITE_SAME)
ENTER(compare_and_write, TCMUR_OPERATION_COMPARE_AND_WRITE)
ENTER(extents, TCMUR_OPERATION_EXTENTS)

/* --- from the handler back to the caller --- */

bool passage_return(struct backstore_io *bio)
{
	struct passage *passage = bio->passage;
	uint8_t parent = passage->levels[passage->holder].parent;

	if (parent == OUTSIDE) {
		slab_put(&loop_of(bio)->passages, passage);
		bio->passage = NULL;
		return false;
	}
	struct layer *layer = &bio->bs->filters->layers[parent];
	give_to_filter(bio, layer);
	passage->levels[parent].done(&layer->api, queue_of(bio), &bio->io, bio->status);
	return true;
}

void passage_cancel(struct backstore_io *bio)
{
	struct layer *layer = &bio->bs->filters->layers[bio->passage->holder];

	if (!layer->filter->api.cancel)
		return;
	bio->place = BIO_BEING_CANCELLED;
	layer->filter->api.cancel(&layer->api, &bio->io);
}

/* --- the route --- */

/*
 * Returns the layer that follows the layer with this index for the operation. The index -1 means the
 * submitter.
 */
static uint8_t next_layer(const struct filters *filters, int index, enum tcmur_operation operation)
{
	unsigned next = (unsigned)(index + 1);

	while (next < filters->n && !call_of(&filters->layers[next].filter->api, operation))
		next++;
	return (uint8_t)next;
}

void passage_route(struct backstore *bs)
{
	struct filters *filters = bs->filters;
	const struct {
		backstore_call **call;
		backstore_call *enter;
	} entries[TCMUR_OPERATIONS] = {
	    [TCMUR_OPERATION_READ] = {&bs->api.read, enter_read},
	    [TCMUR_OPERATION_WRITE] = {&bs->api.write, enter_write},
	    [TCMUR_OPERATION_FLUSH] = {&bs->api.flush, enter_flush},
	    [TCMUR_OPERATION_UNMAP] = {&bs->api.unmap, enter_unmap},
	    [TCMUR_OPERATION_WRITE_ZEROES] = {&bs->api.write_zeroes, enter_write_zeroes},
	    [TCMUR_OPERATION_WRITE_SAME] = {&bs->api.write_same, enter_write_same},
	    [TCMUR_OPERATION_COMPARE_AND_WRITE] = {&bs->api.compare_and_write, enter_compare_and_write},
	    [TCMUR_OPERATION_EXTENTS] = {&bs->api.extents, enter_extents},
	};
	size_t size = sizeof(struct passage);

	for (unsigned i = 0; i < filters->n; i++) {
		struct layer *layer = &filters->layers[i];

		layer->scratch = size - sizeof(struct passage);
		size += (layer->filter->api.io_size + 15u) & ~15u;
	}
	for (enum tcmur_operation op = 0; op < TCMUR_OPERATIONS; op++) {
		filters->handler_calls[op] = *entries[op].call;
		filters->first[op] = next_layer(filters, -1, op);
		for (unsigned i = 0; i < filters->n; i++)
			filters->layers[i].next[op] = next_layer(filters, (int)i, op);
		if (*entries[op].call)
			*entries[op].call = entries[op].enter;
	}
	if (filters->first[TCMUR_OPERATION_READ] < filters->n)
		bs->api.data = NULL;
	for (unsigned i = 0; i < bs->set->nloops; i++)
		slab_init(&bs->loops[i].passages, size);
}
