/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The methods for the filters of a disk: "filters" lists them, and "set_filter" changes an option of one
 * filter, which changes the configuration of the disk. What filters do is left to runner/backstore and to the
 * filters, and the syntax of a configuration to runner/storage.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "control_socket/methods.h"
#include "control_socket/object_path.h"
#include "control_socket/values.h"
#include "storage/spec.h"
#include "storage/storage.h"

/* --- a device of the kernel --- */

/* Looks for a device of the kernel by its name. */
struct device_search {
	const char *name;
	/* The configuration of the device, or NULL if there is no such device. */
	char *config;
};

static void compare_device(void *arg, const struct control_device *device)
{
	struct device_search *search = arg;

	if (!search->config && !strcmp(device->name, search->name))
		search->config = g_strdup(device->config);
}

/* Returns the configuration of the kernel's device that the call names, or NULL. The caller frees it. */
static char *device_config(struct control_call *call)
{
	struct device_search search = {.name = control_call_text(call, "path")};
	const struct control_context *context = call->context;

	if (context->devices)
		context->devices(context->devices_arg, compare_device, &search);
	return search.config;
}

/* --- the storage object --- */

/* Returns the storage object that the call names, or NULL if the call was refused. */
static struct model_object *object_of(struct control_call *call)
{
	const char *path = control_call_text(call, "path");
	struct error error = {""};
	struct model_object *object = object_find(call->context->model, path, &error);

	if (!object) {
		control_call_refuse(call, -errno, &error);
		return NULL;
	}
	if (model_kind(object) == MODEL_STORAGE)
		return object;
	char whole[MODEL_PATH_SIZE];

	control_call_refuse_text(call, -EINVAL, "%s is a %s; only storage objects have filters",
				 model_path(object, whole), model_kind_name(model_kind(object)));
	return NULL;
}

/* Returns the backstore of the object, or NULL if the call was refused. */
static struct backstore *backstore_of(struct control_call *call, struct model_object *object)
{
	struct storage_lu *lu = storage_served(model_storage(object));
	struct backstore *bs = lu ? storage_lu_backstore(lu) : NULL;

	if (!bs)
		control_call_refuse_text(call, -ENODEV, "the storage of %s is not open", model_name(object));
	return bs;
}

/* --- filters --- */

static void add_filter(JsonArray *filters, unsigned number, const char *name,
		       const struct tcmur_option_value *given, uint32_t ngiven)
{
	JsonObject *json = json_object_new(), *options = json_object_new();

	for (uint32_t i = 0; i < ngiven; i++)
		control_set_text(options, given[i].name, given[i].value);
	json_object_set_int_member(json, "number", number);
	json_object_set_string_member(json, "filter", name);
	json_object_set_object_member(json, "options", options);
	json_array_add_object_element(filters, json);
}

static void show_filter(void *arg, const struct backstore_filter *filter)
{
	add_filter(arg, filter->index, filter->filter->name, filter->options, filter->noptions);
}

/* Adds the filters that the configuration names. A device that is served has these filters. */
static void show_configured_filters(JsonArray *filters, const char *config)
{
	struct storage_spec spec;

	if (storage_spec_parse(&spec, config, NULL))
		return;
	for (uint32_t i = 0; i < spec.nfilters; i++)
		add_filter(filters, i, spec.filters[i].name, spec.filters[i].options,
			   spec.filters[i].noptions);
	storage_spec_free(&spec);
}

void control_method_filters(struct control_call *call)
{
	g_autofree char *config = device_config(call);
	struct model_object *object = config ? NULL : object_of(call);
	struct backstore *bs = object ? backstore_of(call, object) : NULL;

	if (!config && !bs)
		return;
	JsonObject *result = json_object_new();
	JsonArray *filters = json_array_new();

	if (config)
		show_configured_filters(filters, config);
	else
		backstore_show_filters(bs, show_filter, filters);
	json_object_set_array_member(result, "filters", filters);
	control_call_finish(call, control_object_node(result));
}

/* --- set_filter --- */

/* The filter that a call names, either by its name or by its number in the result of "filters". */
struct search {
	const char *text;
	const struct tcmur_filter *filter;
	unsigned index;
	unsigned matches;
};

static void compare(struct search *search, unsigned index, const char *name)
{
	char *end;
	unsigned long number = strtoul(search->text, &end, 10);
	bool is_number = end != search->text && !*end;

	if (is_number ? number != index : strcmp(search->text, name) != 0)
		return;
	search->index = index;
	search->matches++;
}

static const struct tcmur_filter *loaded_filter(const char *name)
{
	const struct tcmur_filter *filter;

	for (unsigned i = 0; (filter = backstore_filter_at(i)); i++)
		if (!strcmp(filter->name, name))
			return filter;
	return NULL;
}

/*
 * Returns the configuration of the disk of this name with the change of the call, or NULL if the call was
 * refused.
 */
static char *changed_config(struct control_call *call, const char *disk, const char *config)
{
	struct search search = {.text = control_call_text(call, "filter")};
	const char *option = control_call_text(call, "option");
	struct storage_spec spec;
	struct error error = {""};
	int err = storage_spec_parse(&spec, config, &error);

	for (uint32_t i = 0; !err && i < spec.nfilters; i++)
		compare(&search, i, spec.filters[i].name);
	if (!err && search.matches == 0)
		err = error_set(&error, ENOENT, "%s has no filter %s", disk, search.text);
	else if (!err && search.matches > 1)
		err = error_set(&error, EINVAL,
				"%s has several filters %s; use the number that the list of filters shows",
				disk, search.text);
	search.filter = err ? NULL : loaded_filter(spec.filters[search.index].name);
	if (search.filter)
		err = backstore_check_filter_option(search.filter, option, &error);
	storage_spec_free(&spec);
	char *changed = err ? NULL
			    : storage_spec_with_filter_option(config, search.index, option,
							      control_call_text(call, "value"));

	if (!err && !changed)
		err = error_set(&error, ENOMEM, "%s: out of memory", disk);
	if (err)
		control_call_refuse(call, err, &error);
	return changed;
}

/*
 * Refuses a change of the kernel's device, because LIO keeps its configuration. An administrator can write
 * the configuration to configfs instead. This also changes the filters of the device, and LIO's tools save
 * it.
 */
static void refuse_device(struct control_call *call, const char *config)
{
	const char *path = control_call_text(call, "path");
	char *changed = changed_config(call, path, config);

	if (changed)
		control_call_refuse_text(
		    call, -EPERM,
		    "%s belongs to the kernel's target, which keeps its configuration; "
		    "change the filters there, while the device is in use: printf %%s '%s' "
		    ">/sys/kernel/config/target/core/%s/attrib/dev_config",
		    path, changed, path);
	free(changed);
}

void control_method_set_filter(struct control_call *call)
{
	g_autofree char *device = device_config(call), *text = g_malloc(MODEL_TEXT_SIZE);
	struct model_object *object = device ? NULL : object_of(call);
	const struct model_attribute *attribute = model_attribute(MODEL_STORAGE, "control", "config");

	if (device)
		refuse_device(call, device);
	if (!object || !backstore_of(call, object))
		return;
	char *changed = changed_config(call, model_name(object), model_get(object, attribute, text));
	if (changed)
		model_set(object, attribute->group, attribute->name, changed, control_call_done, call);
	free(changed);
}
