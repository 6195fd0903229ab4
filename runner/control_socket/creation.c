/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Creates objects in steps, and deletes all of them if one step is refused. The method decides which objects
 * are created.
 */
#include "control_socket/creation.h"

#include <errno.h>

#include "control_socket/object_path.h"
#include "control_socket/values.h"

struct creation {
	struct control_call *call;
	/* The paths of the objects that were created, in this order. */
	GPtrArray *created;
	/* The object whose attributes are set. */
	char *path;
	/* The names of the attributes in values: all of them, and those that are not set yet. */
	GList *names, *next;
	JsonObject *values;
	bool enable;
	/* Whether an object was created that changes what sessions see. */
	bool is_seen_by_sessions;
	JsonObject *result;
	/* Why the call is refused. Set while objects are being deleted. */
	int err;
	struct error error;
};

static void creation_free(struct creation *creation)
{
	g_ptr_array_unref(creation->created);
	g_list_free(creation->names);
	g_free(creation->path);
	if (creation->result)
		json_object_unref(creation->result);
	g_free(creation);
}

struct creation *creation_new(struct control_call *call)
{
	struct creation *creation = g_new0(struct creation, 1);

	creation->call = call;
	creation->created = g_ptr_array_new_with_free_func(g_free);
	return creation;
}

static struct model_object *create_lun(struct model_object *parent, enum model_kind kind, const char *name,
				       struct model_object *to, JsonObject *values, struct error *error)
{
	g_autoptr(GList) names = json_object_get_members(values);
	g_autoptr(GPtrArray) texts = g_ptr_array_new_with_free_func(g_free);
	g_autofree struct model_setting *settings = g_new0(struct model_setting, g_list_length(names) + 1);

	for (GList *item = names; item; item = item->next) {
		const struct model_attribute *attribute = control_attribute_find(kind, item->data, error);

		if (!attribute) {
			errno = ENOENT;
			return NULL;
		}
		g_ptr_array_add(texts, control_value_text(json_object_get_member(values, item->data)));
		settings[texts->len - 1] =
		    (struct model_setting){attribute, g_ptr_array_index(texts, texts->len - 1)};
	}
	return model_create_lun(parent, kind, name, to, settings, texts->len, error);
}

struct model_object *creation_add(struct creation *creation, struct model_object *parent,
				  enum model_kind kind, const char *name, struct model_object *to,
				  JsonObject *values, struct error *error)
{
	struct model_object *object = to && values ? create_lun(parent, kind, name, to, values, error)
						   : model_create(parent, kind, name, to, error);
	char path[MODEL_PATH_SIZE];

	if (!object)
		return NULL;
	g_ptr_array_add(creation->created, g_strdup(model_path(object, path)));
	creation->is_seen_by_sessions |= model_is_seen_by_sessions(kind);
	return object;
}

/* --- undo --- */

static void on_deleted(void *arg, int err, const struct error *error);

static void delete_last(struct creation *creation)
{
	struct model *model = creation->call->context->model;
	struct model_object *object = NULL;

	while (!object && creation->created->len) {
		g_autofree char *path =
		    g_ptr_array_steal_index(creation->created, creation->created->len - 1);

		object = object_find(model, path, NULL);
	}
	if (object) {
		model_delete(object, true, on_deleted, creation);
		return;
	}
	control_call_fail(creation->call, creation->err, &creation->error, NULL);
	creation_free(creation);
}

/* If an object cannot be deleted, it stays. The call is refused with the reason of the first failure. */
static void on_deleted(void *arg, int err, const struct error *error)
{
	(void)err;
	(void)error;
	delete_last(arg);
}

void creation_refuse(struct creation *creation, int err, const struct error *error)
{
	creation->err = err;
	creation->error = *error;
	delete_last(creation);
}

/* --- attributes --- */

static void on_step(void *arg, int err, const struct error *error);

/*
 * Is called when all attributes are set, and after the enabling or the visit of the loops if one was
 * necessary.
 */
static void on_ready(void *arg, int err, const struct error *error)
{
	struct creation *creation = arg;

	if (err) {
		creation_refuse(creation, err, error);
		return;
	}
	control_call_finish(creation->call, control_object_node(g_steal_pointer(&creation->result)));
	creation_free(creation);
}

/* Sets the next attribute of the object. */
static void set_next(struct creation *creation, struct model_object *object)
{
	const char *name = creation->next->data;
	struct error error = {""};
	const struct model_attribute *attribute = control_attribute_find(model_kind(object), name, &error);
	g_autofree char *text = control_value_text(json_object_get_member(creation->values, name));

	creation->next = creation->next->next;
	if (attribute)
		model_set(object, attribute->group, attribute->name, text, on_step, creation);
	else
		creation_refuse(creation, -ENOENT, &error);
}

static void run_next(struct creation *creation)
{
	struct error error = {""};
	struct model_object *object = object_find(creation->call->context->model, creation->path, &error);

	if (!object)
		creation_refuse(creation, -errno, &error);
	else if (creation->next)
		set_next(creation, object);
	else if (creation->enable)
		model_enable(object, true, on_ready, creation);
	else if (creation->is_seen_by_sessions)
		model_visit_loops(creation->call->context->model, on_ready, creation);
	else
		on_ready(creation, 0, NULL);
}

static void on_step(void *arg, int err, const struct error *error)
{
	if (err)
		creation_refuse(arg, err, error);
	else
		run_next(arg);
}

void creation_run(struct creation *creation, struct model_object *object, JsonObject *values, bool enable,
		  JsonObject *result)
{
	char path[MODEL_PATH_SIZE];

	creation->path = g_strdup(model_path(object, path));
	creation->names = creation->next = values ? json_object_get_members(values) : NULL;
	creation->values = values;
	creation->enable = enable;
	creation->result = result;
	run_next(creation);
}

/* --- checks --- */

int creation_check(enum model_kind kind, JsonObject *values, struct error *error)
{
	g_autoptr(GList) names = values ? json_object_get_members(values) : NULL;

	for (GList *item = names; item; item = item->next) {
		const struct model_attribute *attribute = control_attribute_find(kind, item->data, error);

		if (!attribute)
			return -ENOENT;
		if (attribute->flags & MODEL_READ_ONLY)
			return error_set(error, EPERM, "%s of a %s cannot be set", (char *)item->data,
					 model_kind_name(kind));
	}
	return 0;
}

static int refuse_difference(struct model_object *object, const struct model_attribute *attribute,
			     const char *wanted, struct error *error)
{
	char path[MODEL_PATH_SIZE], now[MODEL_TEXT_SIZE];

	g_autofree char *name = control_attribute_name(attribute);

	model_path(object, path);
	if (attribute->type == MODEL_SECRET)
		return error_set(error, EEXIST, "%s exists, and has another %s", path, name);
	return error_set(error, EEXIST, "%s exists, and its %s is \"%s\", not \"%s\"", path, name,
			 model_get(object, attribute, now), wanted);
}

int creation_compare(struct model_object *object, JsonObject *values, struct error *error)
{
	g_autoptr(GList) names = values ? json_object_get_members(values) : NULL;

	for (GList *item = names; item; item = item->next) {
		const struct model_attribute *attribute =
		    control_attribute_find(model_kind(object), item->data, error);
		g_autofree char *wanted = control_value_text(json_object_get_member(values, item->data));

		if (!attribute)
			return -ENOENT;
		if (!control_attribute_equals(object, attribute, wanted))
			return refuse_difference(object, attribute, wanted, error);
	}
	return 0;
}
