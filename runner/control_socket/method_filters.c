/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The methods for the filters of a disk that is served: filters lists them, and set_filter changes an option
 * of one of them. What filters do is left to runner/backstore and to the filters.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "control_socket/methods.h"
#include "control_socket/object_path.h"
#include "control_socket/values.h"
#include "storage/storage.h"

/* Returns the backstore of the storage object that the call is about, or NULL if the call was refused. */
static struct backstore *backstore_of(struct control_call *call)
{
	const char *path = control_call_text(call, "path");
	struct error error = {""};
	struct model_object *object = object_find(call->context->model, path, &error);

	if (!object) {
		control_call_refuse(call, -errno, &error);
		return NULL;
	}
	if (model_kind(object) != MODEL_STORAGE) {
		control_call_refuse_text(call, -EINVAL, "%s is a %s; only storage objects have filters", path,
					 model_kind_name(model_kind(object)));
		return NULL;
	}
	struct storage_lu *lu = storage_served(model_storage(object));
	struct backstore *bs = lu ? storage_lu_backstore(lu) : NULL;
	if (!bs)
		control_call_refuse_text(call, -ENODEV, "the storage of %s is not open", path);
	return bs;
}

static void add_filter(void *arg, const struct backstore_filter *filter)
{
	JsonObject *json = json_object_new(), *options = json_object_new();

	for (uint32_t i = 0; i < filter->noptions; i++)
		control_set_text(options, filter->options[i].name, filter->options[i].value);
	json_object_set_int_member(json, "number", filter->index);
	json_object_set_string_member(json, "filter", filter->filter->name);
	json_object_set_object_member(json, "options", options);
	json_array_add_object_element(arg, json);
}

void control_method_filters(struct control_call *call)
{
	struct backstore *bs = backstore_of(call);

	if (!bs)
		return;
	JsonObject *result = json_object_new();
	JsonArray *filters = json_array_new();

	backstore_show_filters(bs, add_filter, filters);
	json_object_set_array_member(result, "filters", filters);
	control_call_finish(call, control_object_node(result));
}

/* --- set_filter --- */

/* Which filter a call means: by its name, or by its number as filters shows it. */
struct search {
	const char *text;
	unsigned index;
	unsigned matches;
};

static void compare(void *arg, const struct backstore_filter *filter)
{
	struct search *search = arg;
	char *end;
	unsigned long number = strtoul(search->text, &end, 10);
	bool is_number = end != search->text && !*end;

	if (is_number ? number != filter->index : strcmp(search->text, filter->filter->name) != 0)
		return;
	search->index = filter->index;
	search->matches++;
}

void control_method_set_filter(struct control_call *call)
{
	struct search search = {.text = control_call_text(call, "filter")};
	const char *path = control_call_text(call, "path");
	struct backstore *bs = backstore_of(call);
	struct error error = {""};

	if (!bs)
		return;
	backstore_show_filters(bs, compare, &search);
	if (search.matches == 0) {
		control_call_refuse_text(call, -ENOENT, "%s has no filter %s", path, search.text);
		return;
	}
	if (search.matches > 1) {
		control_call_refuse_text(
		    call, -EINVAL, "%s has several filters %s; use the number that the list of filters shows",
		    path, search.text);
		return;
	}
	int err = backstore_set_filter_option(bs, search.index, control_call_text(call, "option"),
					      control_call_text(call, "value"), &error);
	control_call_done(call, err, &error);
}
