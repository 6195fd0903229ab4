/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The methods for any object: list, get, set, create, delete, enable and disable. The model decides
 * what is allowed.
 */
#include <errno.h>
#include <string.h>

#include "control_socket/creation.h"
#include "control_socket/methods.h"
#include "control_socket/object_json.h"
#include "control_socket/object_path.h"
#include "control_socket/tpg.h"
#include "control_socket/values.h"

/* The model has fewer levels than this. */
#define DEPTH_ALL 16

/* Returns the object that the parameter "path" names, or NULL if the call was refused. */
static struct model_object *object_of(struct control_call *call)
{
	const char *path = control_call_text(call, "path");
	struct error error = {""};
	struct model_object *object = object_find(call->context->model, path ? path : "", &error);

	if (!object)
		control_call_refuse(call, -errno, &error);
	return object;
}

/* Returns the attribute, or NULL if the call was refused. */
static const struct model_attribute *attribute_of(struct control_call *call,
						  const struct model_object *object)
{
	struct error error = {""};
	const struct model_attribute *attribute =
	    control_attribute_find(model_kind(object), control_call_text(call, "attribute"), &error);
	char path[MODEL_PATH_SIZE];

	if (attribute)
		return attribute;
	/* The root has no name of its own. */
	if (model_kind(object) == MODEL_ROOT)
		control_call_refuse(call, -ENOENT, &error);
	else
		control_call_refuse_text(call, -ENOENT, "%s: %s", model_path(object, path), error.text);
	return NULL;
}

void control_method_list(struct control_call *call)
{
	struct model_object *object = object_of(call);
	uint64_t depth = DEPTH_ALL;

	if (!object)
		return;
	control_call_number(call, "depth", &depth);

	JsonObject *json =
	    object_json(object, (unsigned)MIN(depth, DEPTH_ALL), control_call_flag(call, "attributes"));

	control_call_finish(call, control_object_node(json));
}

void control_method_get(struct control_call *call)
{
	const char *name = control_call_text(call, "attribute");
	struct model_object *object = object_of(call);
	const struct model_attribute *attribute;
	char path[MODEL_PATH_SIZE];

	if (!object)
		return;

	JsonObject *json = json_object_new();

	control_set_text(json, "path", model_path(object, path));
	control_set_text(json, "kind", object_kind_word(model_kind(object)));
	if (!name) {
		json_object_set_object_member(json, "attributes", control_attributes(object));
	} else if ((attribute = attribute_of(call, object))) {
		control_set_text(json, "attribute", name);
		json_object_set_member(json, "value", control_attribute_value(object, attribute));
	} else {
		json_object_unref(json);
		return;
	}
	control_call_finish(call, control_object_node(json));
}

void control_method_set(struct control_call *call)
{
	struct model_object *object = object_of(call);
	const struct model_attribute *attribute = object ? attribute_of(call, object) : NULL;

	if (!attribute)
		return;

	g_autofree char *text = control_value_text(control_call_value(call, "value"));

	model_set(object, attribute->group, attribute->name, text, control_call_done, call);
}

/* --- create and delete --- */

/*
 * Finds the object to which the new object leads: a storage object, or a LUN of its own TPG. Returns 0, or
 * -errno with error set.
 */
static int find_to(const struct control_call *call, const struct object_place *place,
		   struct model_object **to, struct error *error)
{
	const char *path = control_call_text(call, "to");
	bool points = place->kind == MODEL_LUN || place->kind == MODEL_MAPPED_LUN;
	char whole[MODEL_PATH_SIZE];

	*to = NULL;
	if (!path && points)
		return error_set(error, EINVAL, "%s: a %s needs the parameter \"to\": %s",
				 object_place_path(place, whole), model_kind_name(place->kind),
				 place->kind == MODEL_LUN ? "its storage object" : "a LUN of its TPG");
	if (path && !points)
		return error_set(error, EINVAL, "%s: a %s does not point to another object",
				 object_place_path(place, whole), model_kind_name(place->kind));
	if (!path)
		return 0;
	/* "lun_0" is an abbreviation for this LUN of the same TPG. */
	if (place->kind == MODEL_MAPPED_LUN && !strchr(path, '/'))
		*to = model_find(model_parent(place->parent), MODEL_LUN, path);
	if (!*to)
		*to = object_find(call->context->model, path, error);
	return *to ? 0 : -errno;
}

/*
 * Handles a request to create an object that exists already. The call succeeds if the object has the
 * requested values.
 */
static void compare_existing(struct control_call *call, struct model_object *object, struct model_object *to,
			     JsonObject *values, JsonObject *result)
{
	char path[MODEL_PATH_SIZE], target[MODEL_PATH_SIZE];
	struct error error = {""};
	int err = creation_compare(object, values, &error);

	model_path(object, path);
	if (!err && to && model_to(object) != to)
		err = error_set(&error, EEXIST, "%s exists, and leads to %s", path,
				model_path(model_to(object), target));
	if (!err && control_call_flag(call, "enable") && !model_is_enabled(object))
		err = error_set(&error, EEXIST, "%s exists, and is not enabled", path);
	if (!err) {
		control_call_finish(call, control_object_node(result));
		return;
	}
	json_object_unref(result);
	control_call_refuse(call, err, &error);
}

static JsonObject *creation_result(const char *path, bool created)
{
	JsonObject *result = json_object_new();

	control_set_text(result, "path", path);
	json_object_set_boolean_member(result, "created", created);
	return result;
}

static void create(struct control_call *call, const struct object_place *place, struct model_object *to,
		   JsonObject *values)
{
	struct creation *creation = creation_new(call);
	char path[MODEL_PATH_SIZE];
	struct error error = {""};
	struct model_object *object =
	    creation_add(creation, place->parent, place->kind, place->name, to, values, &error);

	if (object)
		creation_run(creation, object, to ? NULL : values, control_call_flag(call, "enable"),
			     creation_result(model_path(object, path), true));
	else
		creation_refuse(creation, -errno, &error);
}

/*
 * Refuses to create objects in a daemon without an iSCSI front end, because no initiator would reach the
 * objects and nothing would save them. Returns 0, or -ENOTSUP with error set.
 */
static int check_front_end(const struct control_call *call, struct error *error)
{
	if (!call->context->devices || model_front_end(call->context->model))
		return 0;
	return error_set(
	    error, ENOTSUP,
	    "this daemon serves only devices of the kernel's target, so no initiator would reach "
	    "the new object; start the service for exports, for example with: "
	    "systemctl enable --now tcmu-runner-iscsi");
}

void control_method_create(struct control_call *call)
{
	JsonNode *node = control_call_value(call, "attributes");
	JsonObject *values = node ? json_node_get_object(node) : NULL;
	struct object_place place;
	struct model_object *to = NULL;
	char path[MODEL_PATH_SIZE];
	struct error error = {""};
	int err = object_place_find(&place, call->context->model, control_call_text(call, "path"), &error);

	if (!err && place.kind == MODEL_ROOT)
		err = error_set(&error, EINVAL, "the path of the new object is empty");
	if (!err)
		err = check_front_end(call, &error);
	if (!err)
		err = find_to(call, &place, &to, &error);
	if (!err)
		err = creation_check(place.kind, values, &error);
	if (err)
		control_call_refuse(call, err, &error);
	else if (place.object)
		compare_existing(call, place.object, to, values,
				 creation_result(model_path(place.object, path), false));
	else
		create(call, &place, to, values);
}

/*
 * Returns the object that the call changes. If the call names the whole model, refuses the call and returns
 * NULL.
 */
static struct model_object *part_of_model(struct control_call *call)
{
	struct model_object *object = object_of(call);

	if (!object || model_kind(object) != MODEL_ROOT)
		return object;
	control_call_refuse_text(call, -EINVAL, "%s needs the path of one object", call->method->name);
	return NULL;
}

void control_method_delete(struct control_call *call)
{
	struct model_object *object = part_of_model(call);

	if (object)
		model_delete(object, control_call_flag(call, "recursive"), control_call_done, call);
}

/* Enables or disables the object. The name of a target means its TPG if it has only one. */
static void enable(struct control_call *call, bool enable)
{
	struct model_object *object = part_of_model(call);
	struct error error = {""};

	if (object && model_kind(object) == MODEL_TARGET) {
		object = tpg_find(call->context->model, model_name(object), &error);
		if (!object)
			control_call_refuse(call, -errno, &error);
	}
	if (object)
		model_enable(object, enable, control_call_done, call);
}

void control_method_enable(struct control_call *call)
{
	enable(call, true);
}

void control_method_disable(struct control_call *call)
{
	enable(call, false);
}
