/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Opens, closes and shows the filters of a backstore, and changes their parameters while I/O is in flight.
 * The path of an I/O through the filters is in passage.c, and the list of loaded filters is in
 * filter_registry.c.
 */
#include "backstore/filters.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/cleanup.h"
#include "util/contract.h"
#include "util/log.h"

/* --- parameters --- */

static bool declares(const struct tcmur_filter *filter, const char *name)
{
	for (const struct tcmur_option *option = filter->options; option && option->name; option++)
		if (!strcmp(option->name, name))
			return true;
	return false;
}

static int refuse_option(const struct tcmur_filter *filter, const char *name, struct error *error)
{
	char known[256] = "";
	size_t at = 0;

	for (const struct tcmur_option *option = filter->options;
	     option && option->name && at < sizeof(known); option++)
		at += (size_t)snprintf(known + at, sizeof(known) - at, " %s", option->name);
	return error_set(error, EINVAL, "filter %s has no option \"%s\"; its options are:%s", filter->name,
			 name, at ? known : " none");
}

static void params_free(struct filter_params *params)
{
	for (uint32_t i = 0; i < params->noptions; i++) {
		free((char *)params->options[i].name);
		free((char *)params->options[i].value);
	}
	free(params);
}

static int params_set(struct filter_params *params, const struct tcmur_filter *filter,
		      const struct tcmur_option_value *option, struct error *error)
{
	struct tcmur_option_value *copy = &params->options[params->noptions];
	char reason[256] = "";

	if (!declares(filter, option->name))
		return refuse_option(filter, option->name, error);
	if (params->noptions == BACKSTORE_OPTIONS_MAX)
		return error_set(error, EINVAL, "filter %s: there are more than %d options", filter->name,
				 BACKSTORE_OPTIONS_MAX);
	int err = filter->set(params->bytes, option->name, option->value, reason, sizeof(reason));
	if (err < 0)
		return error_set(error, -err, "filter %s: %s=%s: %s", filter->name, option->name,
				 option->value, *reason ? reason : strerror(-err));
	*copy = (struct tcmur_option_value){strdup(option->name), strdup(option->value)};
	params->noptions++;
	return copy->name && copy->value ? 0 : error_set(error, ENOMEM, "out of memory");
}

/* Returns NULL with errno and error set if an option is wrong, or if there is no memory. */
static struct filter_params *params_new(const struct tcmur_filter *filter,
					const struct tcmur_option_value *options, uint32_t noptions,
					struct error *error)
{
	size_t size = sizeof(struct filter_params) + filter->params_size;
	/* A multiple of the alignment, as aligned_alloc() requires. */
	size_t rounded = (size + _Alignof(struct filter_params) - 1) & ~(_Alignof(struct filter_params) - 1);
	struct filter_params *params = aligned_alloc(_Alignof(struct filter_params), rounded);
	int err = params ? 0 : error_set(error, ENOMEM, "out of memory");

	if (params)
		memset(params, 0, rounded);
	for (uint32_t i = 0; i < noptions && !err; i++)
		err = params_set(params, filter, &options[i], error);
	if (!err)
		return params;
	if (params)
		params_free(params);
	errno = -err;
	return NULL;
}

void *tcmur_layer_params(const struct tcmur_layer *api)
{
	const struct layer *layer = container_of(api, const struct layer, api);

	return atomic_load_explicit(&layer->params, memory_order_acquire)->bytes;
}

/* --- check and open --- */

static int check_filter(const struct backstore_filter_spec *spec, struct error *error)
{
	const struct filter *filter = filter_find(spec->name, error);
	struct filter_params *params =
	    filter ? params_new(&filter->api, spec->options, spec->noptions, error) : NULL;

	/* ENOENT must not be returned, because it would mean that the storage is missing. */
	if (!filter)
		return -EINVAL;
	if (!params)
		return -errno;
	params_free(params);
	return 0;
}

int backstore_check_filters(const struct backstore_filter_spec *filters, uint32_t nfilters,
			    struct error *error)
{
	int err = 0;

	if (nfilters > TCMUR_FILTERS_MAX)
		return error_set(error, EINVAL, "there are more than %d filters", TCMUR_FILTERS_MAX);
	for (uint32_t i = 0; i < nfilters && !err; i++)
		err = check_filter(&filters[i], error);
	return err;
}

static int layer_open(struct backstore *bs, struct layer *layer, const struct backstore_filter_spec *spec,
		      struct error *error)
{
	const struct tcmur_filter *filter = &layer->filter->api;
	char reason[256] = "";

	layer->api = (struct tcmur_layer){.lun = (struct tcmur_lun *)bs, .info = &bs->info};
	struct filter_params *params = params_new(filter, spec->options, spec->noptions, error);
	if (!params)
		return -errno;
	atomic_store_explicit(&layer->params, params, memory_order_release);
	int err = filter->open ? filter->open(&layer->api, reason, sizeof(reason)) : 0;
	if (err < 0) {
		error_set(error, -err, "filter %s: %s", filter->name, *reason ? reason : strerror(-err));
		params_free(params);
	}
	return err;
}

static void layer_close(struct layer *layer)
{
	if (layer->filter->api.close)
		layer->filter->api.close(&layer->api);
	params_free(atomic_load_explicit(&layer->params, memory_order_relaxed));
}

/* Closes the layers from this index on, from the outermost to the innermost. */
static void close_from(struct filters *filters, unsigned first)
{
	for (unsigned i = first; i < filters->n; i++)
		layer_close(&filters->layers[i]);
	pthread_mutex_destroy(&filters->lock);
	free(filters);
}

static int open_layers(struct backstore *bs, struct filters *filters, const struct backstore_spec *spec,
		       struct error *error)
{
	for (unsigned i = filters->n; i-- > 0;) {
		struct layer *layer = &filters->layers[i];

		layer->filter = filter_find(spec->filters[i].name, error);
		layer->filters = filters;
		layer->index = i;
		int err = layer->filter ? layer_open(bs, layer, &spec->filters[i], error) : -EINVAL;
		if (err) {
			close_from(filters, i + 1);
			return err;
		}
	}
	return 0;
}

int filters_open(struct backstore *bs, const struct backstore_spec *spec, struct error *error)
{
	if (!spec->nfilters)
		return 0;
	struct filters *filters = calloc(1, sizeof(*filters));
	if (!filters)
		return error_set(error, ENOMEM, "out of memory");
	pthread_mutex_init(&filters->lock, NULL);
	filters->n = spec->nfilters;
	int err = open_layers(bs, filters, spec, error);
	if (err)
		return err;
	bs->filters = filters;
	passage_route(bs);
	return 0;
}

void filters_close(struct backstore *bs)
{
	if (bs->filters)
		close_from(bs->filters, 0);
}

/* --- changes --- */

static bool is_same(const struct filter_params *params, const struct backstore_filter_spec *spec)
{
	if (params->noptions != spec->noptions)
		return false;
	for (uint32_t i = 0; i < spec->noptions; i++)
		if (strcmp(params->options[i].name, spec->options[i].name) != 0 ||
		    strcmp(params->options[i].value, spec->options[i].value) != 0)
			return false;
	return true;
}

/* filters->lock must be held. */
static bool are_same(const struct filters *filters, const struct backstore_filter_spec *specs)
{
	for (unsigned i = 0; i < filters->n; i++)
		if (!is_same(atomic_load_explicit(&filters->layers[i].params, memory_order_relaxed),
			     &specs[i]))
			return false;
	return true;
}

/*
 * filters->lock must be held. Makes new parameters for the layers that change. Sets the changes of the other
 * layers to NULL.
 */
static int make_changes(struct filters *filters, const struct backstore_filter_spec *specs,
			struct filter_params *changes[TCMUR_FILTERS_MAX], struct error *error)
{
	bool is_repeated = are_same(filters, specs);

	for (unsigned i = 0; i < filters->n; i++) {
		struct layer *layer = &filters->layers[i];

		changes[i] = NULL;
		if (!is_repeated &&
		    is_same(atomic_load_explicit(&layer->params, memory_order_relaxed), &specs[i]))
			continue;
		changes[i] = params_new(&layer->filter->api, specs[i].options, specs[i].noptions, error);
		if (changes[i])
			continue;
		int err = -errno;
		while (i-- > 0)
			if (changes[i])
				params_free(changes[i]);
		return err;
	}
	return 0;
}

/* Makes the new parameters effective. Afterwards, changes contains the previous parameters. */
static int change_all(struct filters *filters, const struct backstore_filter_spec *specs,
		      struct filter_params *changes[TCMUR_FILTERS_MAX], struct error *error)
{
	SCOPE_LOCK(&filters->lock);
	int err = make_changes(filters, specs, changes, error);

	for (unsigned i = 0; i < filters->n && !err; i++)
		if (changes[i])
			changes[i] = atomic_exchange_explicit(&filters->layers[i].params, changes[i],
							      memory_order_acq_rel);
	return err;
}

static bool is_same_chain(const struct filters *filters, const struct backstore_filter_spec *specs,
			  uint32_t nspecs)
{
	if ((filters ? filters->n : 0) != nspecs)
		return false;
	for (uint32_t i = 0; i < nspecs; i++)
		if (strcmp(filters->layers[i].filter->api.name, specs[i].name) != 0)
			return false;
	return true;
}

int backstore_set_filters(struct backstore *bs, const struct backstore_filter_spec *specs, uint32_t nspecs,
			  struct error *error)
{
	struct filter_params *changes[TCMUR_FILTERS_MAX];
	char now[512];

	contract(!loop_current());
	if (!is_same_chain(bs->filters, specs, nspecs))
		return error_set(error, EINVAL, "%s has other filters; only their options can be changed",
				 bs->name);
	if (!nspecs)
		return 0;
	int err = change_all(bs->filters, specs, changes, error);
	if (err)
		return err;
	/*
	 * A callback that is running may still use the previous parameters. Each loop passes the barrier
	 * after its callbacks have returned.
	 */
	loop_set_barrier(bs->set);
	for (uint32_t i = 0; i < nspecs; i++)
		if (changes[i])
			params_free(changes[i]);
	backstore_print_filters(bs, now, sizeof(now));
	log_info(bs->name, "filters from now on: %s", now);
	return 0;
}

int backstore_check_filter_option(const struct tcmur_filter *filter, const char *name, struct error *error)
{
	return declares(filter, name) ? 0 : refuse_option(filter, name, error);
}

/* --- show --- */

void backstore_show_filters(struct backstore *bs,
			    void (*show)(void *arg, const struct backstore_filter *filter), void *arg)
{
	if (!bs->filters)
		return;
	SCOPE_LOCK(&bs->filters->lock);
	for (unsigned i = 0; i < bs->filters->n; i++) {
		const struct layer *layer = &bs->filters->layers[i];
		const struct filter_params *params =
		    atomic_load_explicit(&layer->params, memory_order_relaxed);
		const struct backstore_filter filter = {
		    .index = i,
		    .filter = &layer->filter->api,
		    .options = params->options,
		    .noptions = params->noptions,
		};

		show(arg, &filter);
	}
}

struct text {
	char *out;
	size_t size, len;
};

static void append(struct text *text, const char *before, const char *part)
{
	if (text->len < text->size)
		text->len +=
		    (size_t)snprintf(text->out + text->len, text->size - text->len, "%s%s", before, part);
}

static void print_filter(void *arg, const struct backstore_filter *filter)
{
	struct text *text = arg;

	append(text, filter->index ? ", " : "", filter->filter->name);
	for (uint32_t i = 0; i < filter->noptions; i++) {
		append(text, i ? ", " : " (", filter->options[i].name);
		append(text, "=", filter->options[i].value);
	}
	append(text, filter->noptions ? ")" : "", "");
}

void backstore_print_filters(struct backstore *bs, char *out, size_t size)
{
	struct text text = {out, size, 0};

	*out = '\0';
	backstore_show_filters(bs, print_filter, &text);
}
