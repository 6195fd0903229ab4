/* SPDX-License-Identifier: Apache-2.0 */
/* Opens and closes backstores. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backstore/filters.h"
#include "util/cleanup.h"
#include "util/contract.h"
#include "util/log.h"

static bool is_declared(const struct tcmur_handler *api, const char *name)
{
	for (const struct tcmur_option *option = api->options; option && option->name; option++)
		if (!strcmp(option->name, name))
			return true;
	return false;
}

int backstore_check_options(const struct tcmur_handler *api, const struct tcmur_option_value *options,
			    uint32_t noptions, struct error *error)
{
	for (uint32_t i = 0; i < noptions; i++)
		if (!is_declared(api, options[i].name))
			return error_set(error, EINVAL, "handler %s has no option \"%s\"", api->name,
					 options[i].name);
	return 0;
}

/* Checks everything that can be checked without touching the storage. */
static int check_spec(const struct tcmur_handler *api, const struct backstore_spec *spec, struct error *error)
{
	const char *config = strchr(spec->config, '/') + 1;
	char reason[256] = "";
	int err = backstore_check_options(api, spec->options, spec->noptions, error);

	if (!err)
		err = backstore_check_filters(spec->filters, spec->nfilters, error);
	if (err)
		return err;
	if (spec->block_size && spec->block_size != 512 && spec->block_size != 4096)
		return error_set(error, EINVAL, "block size %u is neither 512 nor 4096", spec->block_size);
	if (api->check_config && (err = api->check_config(config, reason, sizeof(reason))) < 0)
		return error_set(error, -err, "%s", *reason ? reason : strerror(-err));
	return 0;
}

/* Removes the storage that open() has created, if it has created any. The caller closes the handler next. */
static void discard_storage(struct backstore *bs)
{
	const struct tcmur_handler *api = &bs->handler->api;

	if (bs->info.flags & TCMUR_INFO_CREATED && api->discard)
		api->discard(bs->handle);
}

static struct tcmur_open open_of_spec(const struct backstore_spec *spec)
{
	return (struct tcmur_open){
	    .config = strchr(spec->config, '/') + 1,
	    .state_dir = spec->state_dir,
	    .options = spec->options,
	    .noptions = spec->noptions,
	    .size = spec->size,
	    .block_size = spec->block_size,
	    .read_only = spec->read_only,
	    .existing = spec->existing,
	    .create = spec->create,
	};
}

/* A handler without identify() is identified by its configuration. */
static int call_identify(const struct tcmur_handler *api, const struct tcmur_open *open,
			 struct tcmur_identity *identity)
{
	int err;

	*identity = (struct tcmur_identity){.own = ""};
	if (!api->identify) {
		snprintf(identity->place, sizeof(identity->place), "%s", open->config);
		return 0;
	}
	err = api->identify(open, identity);
	/* The handler may have filled the arrays to their last byte. */
	identity->own[sizeof(identity->own) - 1] = identity->place[sizeof(identity->place) - 1] = '\0';
	return err;
}

int backstore_identify(const struct backstore_spec *spec, struct tcmur_identity *identity,
		       struct error *error)
{
	struct handler *handler = handler_of_config(spec->config, error);
	int err = handler ? check_spec(&handler->api, spec, error) : -ENOENT;

	if (err < 0)
		return err;
	struct tcmur_open open = open_of_spec(spec);
	err = call_identify(&handler->api, &open, identity);
	return err < 0 ? error_set(error, -err, "%s: %s", spec->config, strerror(-err)) : 0;
}

static int call_open(struct backstore *bs, const struct backstore_spec *spec, struct error *error)
{
	const struct tcmur_handler *api = &bs->handler->api;
	struct tcmur_open open = open_of_spec(spec);

	open.config = strchr(bs->config, '/') + 1;
	open.lun = (struct tcmur_lun *)bs;
	bs->replaced = spec->replaced;
	int err = api->open(&open);

	bs->replaced = NULL;

	if (err < 0)
		return error_set(error, -err, "%s", *open.error ? open.error : strerror(-err));
	bs->handle = open.handle;
	bs->info = open.info;
	err = info_normalize(bs->handler, spec, &bs->info, error);
	if (!err && (err = call_identify(api, &open, &bs->identity)) < 0)
		error_set(error, -err, "%s: its identity cannot be read: %s", spec->config, strerror(-err));
	if (!err)
		err = filters_open(bs, spec, error);
	if (err) {
		discard_storage(bs);
		api->close(open.handle);
	}
	return err;
}

/* Creates a backstore without a handle. Returns NULL if there is no memory. */
struct backstore *backstore_allocate(struct loop_set *set, struct handler *handler,
				     const struct backstore_spec *spec)
{
	size_t len = sizeof(struct backstore) + set->nloops * sizeof(struct backstore_loop);
	struct backstore *bs = aligned_alloc(_Alignof(struct backstore), len);

	if (!bs)
		return NULL;
	memset(bs, 0, len);
	bs->handler = handler;
	bs->api = handler->api;
	bs->set = set;
	bs->keeper = spec->keeper;
	bs->references = 1;
	loop_lane_init(&bs->lane);
	pthread_mutex_init(&bs->size_lock, NULL);
	pthread_mutex_init(&bs->refresh_lock, NULL);
	pthread_cond_init(&bs->refresh_ended, NULL);
	for (unsigned i = 0; i < set->nloops; i++) {
		list_init(&bs->loops[i].inflight);
		slab_init(&bs->loops[i].chains, sizeof(struct backstore_chain));
		list_init(&bs->loops[i].long_chains);
		bs->loops[i].next_chain = (struct loop_work){.fn = backstore_chain_next_turn};
	}
	bs->keeps_size = spec->keeps_size;
	int err = backstore_range_init(bs);
	bs->config = strdup(spec->config);
	bs->name = strdup(spec->name ? spec->name : spec->config);
	if (err == 0 && bs->name && bs->config)
		return bs;
	backstore_unref(bs);
	return NULL;
}

void backstore_unref(struct backstore *bs)
{
	if (atomic_fetch_sub_explicit(&bs->references, 1, memory_order_acq_rel) != 1)
		return;
	for (unsigned i = 0; i < bs->set->nloops; i++) {
		slab_destroy(&bs->loops[i].chains);
		slab_destroy(&bs->loops[i].passages);
	}
	backstore_range_destroy(bs);
	pthread_cond_destroy(&bs->refresh_ended);
	pthread_mutex_destroy(&bs->refresh_lock);
	pthread_mutex_destroy(&bs->size_lock);
	loop_lane_destroy(&bs->lane);
	free(bs->config);
	free(bs->name);
	free(bs);
}

struct backstore *
backstore_build(struct loop_set *set, struct handler *handler, const struct backstore_spec *spec,
		int (*open)(struct backstore *bs, const struct backstore_spec *spec, struct error *error),
		struct error *error)
{
	struct backstore *bs = backstore_allocate(set, handler, spec);
	int err = bs ? open(bs, spec, error) : error_set(error, ENOMEM, "%s: out of memory", spec->config);

	if (err < 0) {
		if (bs)
			backstore_unref(bs);
		errno = -err;
		return NULL;
	}
	atomic_store_explicit(&bs->size, bs->info.size, memory_order_relaxed);
	atomic_store_explicit(&bs->flags, bs->info.flags, memory_order_relaxed);
	refresh_begin(bs);
	return bs;
}

int backstore_check(const struct backstore_spec *spec, struct error *error)
{
	const struct handler *handler = handler_of_config(spec->config, error);

	return handler ? check_spec(&handler->api, spec, error) : -ENOENT;
}

struct backstore *backstore_open(struct loop_set *set, const struct backstore_spec *spec, struct error *error)
{
	int err = backstore_check(spec, error);

	if (err < 0) {
		errno = -err;
		return NULL;
	}
	return backstore_build(set, handler_of_config(spec->config, error), spec, call_open, error);
}

void backstore_discard(struct backstore *bs)
{
	discard_storage(bs);
	backstore_close(bs);
}

void backstore_close(struct backstore *bs)
{
	refresh_end(bs);
	backstore_wait_for_pool_calls(bs);
	contract(range_tree_is_empty(&bs->range.entries));
	for (unsigned i = 0; i < bs->set->nloops; i++)
		contract(list_empty(&bs->loops[i].inflight));
	filters_close(bs);
	bs->api.close(bs->handle);
	backstore_unref(bs);
}

const struct tcmur_identity *backstore_identity(const struct backstore *bs)
{
	return &bs->identity;
}

const char *backstore_name(const struct backstore *bs)
{
	return bs->name;
}

const char *backstore_config(const struct backstore *bs)
{
	return bs->config;
}

const struct tcmur_info *backstore_info(const struct backstore *bs)
{
	return &bs->info;
}

uint64_t backstore_size(const struct backstore *bs)
{
	return atomic_load_explicit(&bs->size, memory_order_relaxed);
}

uint64_t backstore_flags(const struct backstore *bs)
{
	return atomic_load_explicit(&bs->flags, memory_order_relaxed);
}

bool backstore_has_taken_over(const struct backstore *bs)
{
	return bs->info.flags & TCMUR_INFO_TAKEN_OVER;
}

bool backstore_has_flush(const struct backstore *bs)
{
	return bs->api.flush;
}

bool backstore_has_unmap(const struct backstore *bs)
{
	return bs->info.thin;
}

bool backstore_has_scsi(const struct backstore *bs)
{
	return bs->api.scsi;
}

bool backstore_has_usage(const struct backstore *bs)
{
	return bs->api.usage;
}

bool backstore_can_lend(struct backstore *bs)
{
	struct iovec piece;

	return bs->api.data && bs->api.data(bs->handle, 0, bs->info.block_size, &piece, 1);
}
