/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The list of the loaded filters. Only the main thread changes the list, before the first backstore is opened
 * and after the last one is closed. filters.c opens the filters of a backstore.
 */
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "backstore/filters.h"

static const struct plugin_kind kind = {
    .kind = "filter",
    .entry = "tcmur_filter_entry",
    .macro = "TCMUR_REGISTER_FILTER",
    .table_size = sizeof(struct tcmur_filter),
    .table_size_min = offsetof(struct tcmur_filter, cancel),
};
static struct plugin_list filters;

static struct filter *filter_of(struct plugin *plugin)
{
	return plugin ? container_of(plugin, struct filter, plugin) : NULL;
}

/* Checks the table of a filter. Returns 0, or -errno with error set. */
static int validate(const struct tcmur_filter *api, struct error *error)
{
	int err = plugin_check_name(&kind, &filters, api->name, error);

	if (err)
		return err;
	if (!api->summary)
		return error_set(error, EINVAL, "summary is missing");
	if (api->io_size > TCMUR_FILTER_SCRATCH_MAX)
		return error_set(error, EINVAL, "io_size %u is larger than %u", api->io_size,
				 TCMUR_FILTER_SCRATCH_MAX);
	if (api->params_size > TCMUR_FILTER_PARAMS_MAX)
		return error_set(error, EINVAL, "params_size %u is larger than %u", api->params_size,
				 TCMUR_FILTER_PARAMS_MAX);
	if (api->options && !api->set)
		return error_set(error, EINVAL, "it has options, but set is missing");
	return 0;
}

static void unload(struct plugin *plugin)
{
	if (plugin->object)
		dlclose(plugin->object);
	free(filter_of(plugin));
}

static int load(const char *path, struct error *error)
{
	struct filter *filter = calloc(1, sizeof(*filter));

	if (!filter)
		return error_set(error, ENOMEM, "out of memory");
	filter->plugin.object = plugin_open(&kind, path, &filter->api, error);
	filter->plugin.name = filter->api.name;
	int err = filter->plugin.object ? validate(&filter->api, error) : -ENOEXEC;
	if (!err)
		err = plugin_check_file(&kind, path, filter->api.name, error);
	if (!err)
		err = plugin_list_add(&filters, &filter->plugin, error);
	if (err)
		unload(&filter->plugin);
	return err;
}

int backstore_load_filters(const char *dir, struct error *error)
{
	return plugin_load_all(&kind, dir, load, error);
}

void backstore_unload_filters(void)
{
	plugin_list_clear(&filters, unload);
}

const struct tcmur_filter *backstore_filter_at(unsigned i)
{
	return i < filters.n ? &filter_of(filters.items[i])->api : NULL;
}

const struct filter *filter_find(const char *name, struct error *error)
{
	const struct filter *filter = filter_of(plugin_list_find(&filters, name, strlen(name)));

	if (!filter)
		plugin_list_missing(&filters, kind.kind, name, strlen(name), error);
	return filter;
}
