/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A filter that does what a test's script says. It is built twice: with EVERYTHING it has all callbacks, and
 * otherwise only those that write, and no cancel().
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "filter_script.h"

struct params {
	struct filter_script *script;
	/* One option sets both, and they must never be seen with different values. */
	uint64_t pair[2];
};

/* The scratch space of one I/O. */
struct scratch {
	union {
		struct tcmur_timer timer; /* The first member: waited() finds this from its timer. */
		struct tcmur_op op;
	};
	struct tcmur_layer *layer;
	struct tcmur_io *io;
	enum tcmur_operation operation;
	enum tcmur_status status;
	uint64_t offset;
	unsigned repeats;
	bool waits;
};

static struct filter_script *script_of(const struct tcmur_layer *layer)
{
	const struct params *params = tcmur_layer_params(layer);
	uint64_t first = params->pair[0];

	/* A change of the parameters must never be visible in part. */
	if (first != params->pair[1])
		__builtin_trap();
	return params->script;
}

static void trace(struct filter_script *script, char direction)
{
	__atomic_store_n(&script->thread, pthread_self(), __ATOMIC_RELAXED);
	if (script->trace && script->trace->len + 2 < sizeof(script->trace->text)) {
		script->trace->text[script->trace->len++] = script->letter;
		script->trace->text[script->trace->len++] = direction;
	}
}

static int complete_on_pool(struct tcmur_op *op)
{
	struct scratch *scratch = (struct scratch *)(void *)op;

	tcmur_io_complete(scratch->io, scratch->status);
	return 0;
}

static void over(struct tcmur_op *op, int result)
{
	(void)result;
	free(op);
}

static void complete(struct tcmur_queue *queue, struct scratch *scratch, enum tcmur_status status)
{
	struct tcmur_io *io = scratch->io;

	if (!script_of(scratch->layer)->completes_elsewhere) {
		tcmur_io_complete(io, status);
		return;
	}
	/*
	 * The request outlives the I/O, so it cannot lie in the scratch space of the I/O. It also
	 * outlives the call of complete_on_pool(), so the next I/O needs another one.
	 */
	struct scratch *elsewhere = malloc(sizeof(*elsewhere));

	if (!elsewhere)
		__builtin_trap();
	*elsewhere = (struct scratch){.op = {.done = over}, .io = io, .status = status};
	tcmur_queue_blocking(queue, &elsewhere->op, complete_on_pool);
}

static void came_back(struct tcmur_layer *layer, struct tcmur_queue *queue, struct tcmur_io *io,
		      enum tcmur_status status)
{
	struct filter_script *script = script_of(layer);
	struct scratch *scratch = io->scratch;

	if (scratch->io != io || scratch->layer != layer)
		__builtin_trap();
	trace(script, '<');
	if (scratch->repeats++ < script->repeats) {
		tcmur_next(layer, io, scratch->operation, came_back);
		return;
	}
	io->offset = scratch->offset;
	complete(queue, scratch, script->final_status ? script->final_status : status);
}

static void pass_on(struct scratch *scratch)
{
	const struct filter_script *script = script_of(scratch->layer);
	struct tcmur_io *io = scratch->io;

	if (script->early_status) {
		tcmur_io_complete(io, script->early_status);
		return;
	}
	scratch->offset = io->offset;
	if (io->len)
		io->offset += script->shift;
	tcmur_next(scratch->layer, io, scratch->operation, script->passes_only ? NULL : came_back);
}

static void waited(struct tcmur_timer *timer)
{
	struct scratch *scratch = (struct scratch *)(void *)timer;

	scratch->waits = false;
	pass_on(scratch);
}

static void begin(struct tcmur_layer *layer, struct tcmur_queue *queue, struct tcmur_io *io,
		  enum tcmur_operation operation)
{
	struct filter_script *script = script_of(layer);
	struct scratch *scratch = io->scratch;

	*scratch = (struct scratch){.timer.fn = waited, .layer = layer, .io = io, .operation = operation};
	__atomic_add_fetch(&script->calls[operation], 1, __ATOMIC_RELAXED);
	trace(script, '>');
	scratch->waits = script->wait_ns;
	if (script->wait_ns)
		tcmur_queue_timer_start(queue, &scratch->timer, script->wait_ns);
	else
		pass_on(scratch);
}

#define CALLBACK(name, operation)                                                         \
	static void scripted_##name(struct tcmur_layer *layer, struct tcmur_queue *queue, \
				    struct tcmur_io *io)                                  \
	{                                                                                 \
		begin(layer, queue, io, operation);                                       \
	}
CALLBACK(write, TCMUR_OPERATION_WRITE)
CALLBACK(write_zeroes, TCMUR_OPERATION_WRITE_ZEROES)
#ifdef EVERYTHING
CALLBACK(read, TCMUR_OPERATION_READ)
CALLBACK(flush, TCMUR_OPERATION_FLUSH)
CALLBACK(unmap, TCMUR_OPERATION_UNMAP)
CALLBACK(write_same, TCMUR_OPERATION_WRITE_SAME)
CALLBACK(compare_and_write, TCMUR_OPERATION_COMPARE_AND_WRITE)
CALLBACK(extents, TCMUR_OPERATION_EXTENTS)

static void scripted_cancel(struct tcmur_layer *layer, struct tcmur_io *io)
{
	struct scratch *scratch = io->scratch;

	__atomic_add_fetch(&script_of(layer)->cancels, 1, __ATOMIC_RELAXED);
	if (!scratch->waits)
		return;
	tcmur_queue_timer_stop(&scratch->timer);
	tcmur_io_complete(io, TCMUR_ABORTED);
}
#endif

static int scripted_set(void *params, const char *name, const char *value, char *reason, size_t reason_len)
{
	struct params *p = params;
	void *address;

	if (!strcmp(name, "script") && sscanf(value, "%p", &address) == 1) {
		p->script = address;
		return 0;
	}
	if (!strcmp(name, "pair") && sscanf(value, "%" SCNu64, &p->pair[0]) == 1) {
		p->pair[1] = p->pair[0];
		return 0;
	}
	snprintf(reason, reason_len, "this is wrong; use for example 7");
	return -EINVAL;
}

static int scripted_open(struct tcmur_layer *layer, char *error, size_t error_len)
{
	struct filter_script *script = script_of(layer);

	if (layer->info->block_size != 512)
		return -EIO;
	if (script->open_error) {
		snprintf(error, error_len, "it does not open");
		return -script->open_error;
	}
	layer->handle = script;
	script->opens++;
	if (script->trace)
		trace(script, '(');
	return 0;
}

static void scripted_close(struct tcmur_layer *layer)
{
	struct filter_script *script = layer->handle;

	script->closes++;
	if (script->trace)
		trace(script, ')');
}

static const struct tcmur_option options[] = {
    {"script", "the address of a script"}, {"pair", "a number"}, {NULL, NULL}};

static struct tcmur_filter scripted = {
    .io_size = sizeof(struct scratch),
    .params_size = sizeof(struct params),
    .name = FILTER,
    .summary = "Behaves as a test demands",
    .options = options,
    .set = scripted_set,
    .open = scripted_open,
    .close = scripted_close,
    .write = scripted_write,
    .write_zeroes = scripted_write_zeroes,
#ifdef EVERYTHING
    .read = scripted_read,
    .flush = scripted_flush,
    .unmap = scripted_unmap,
    .write_same = scripted_write_same,
    .compare_and_write = scripted_compare_and_write,
    .extents = scripted_extents,
    .cancel = scripted_cancel,
#endif
};

TCMUR_REGISTER_FILTER(scripted)
