/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The method drain, for maintenance: disables TPGs, so that their sessions end and nobody can log in again,
 * and then flushes the caches of the storage. The administrator enables the TPGs again.
 */
#include <errno.h>

#include "control_socket/methods.h"
#include "control_socket/object_path.h"
#include "control_socket/values.h"

struct drain {
	struct control_call *call;
	/*
	 * The paths of the TPGs that are disabled first, and of the storage objects that are flushed
	 * afterwards.
	 */
	GPtrArray *tpgs, *storage;
	unsigned next_tpg, next_storage;
	JsonArray *disabled;
};

static void drain_free(struct drain *drain)
{
	g_ptr_array_unref(drain->tpgs);
	g_ptr_array_unref(drain->storage);
	json_array_unref(drain->disabled);
	g_free(drain);
}

static void drain_finish(struct drain *drain)
{
	JsonObject *result = json_object_new();

	json_object_set_array_member(result, "disabled", json_array_ref(drain->disabled));
	control_call_finish(drain->call, control_object_node(result));
	drain_free(drain);
}

static void drain_fail(struct drain *drain, int err, const struct error *error)
{
	control_call_fail(drain->call, err, error, NULL);
	drain_free(drain);
}

/* --- steps ------------------------------------------------------------------------------------------- */

static void on_flushed(void *arg, int err, const struct error *error);

static void flush_next(struct drain *drain)
{
	struct model *model = drain->call->context->model;

	while (drain->next_storage < drain->storage->len) {
		struct model_object *object =
		    object_find(model, drain->storage->pdata[drain->next_storage++], NULL);

		if (object && storage_status(model_storage(object)) == STORAGE_SERVED) {
			storage_flush(model_storage(object), on_flushed, drain);
			return;
		}
	}
	drain_finish(drain);
}

static void on_flushed(void *arg, int err, const struct error *error)
{
	if (err)
		drain_fail(arg, err, error);
	else
		flush_next(arg);
}

static void on_disabled(void *arg, int err, const struct error *error);

static void disable_next(struct drain *drain)
{
	struct model *model = drain->call->context->model;

	while (drain->next_tpg < drain->tpgs->len) {
		const char *path = drain->tpgs->pdata[drain->next_tpg++];
		struct model_object *tpg = object_find(model, path, NULL);

		if (tpg && model_is_enabled(tpg)) {
			json_array_add_string_element(drain->disabled, path);
			model_enable(tpg, false, on_disabled, drain);
			return;
		}
	}
	flush_next(drain);
}

static void on_disabled(void *arg, int err, const struct error *error)
{
	if (err)
		drain_fail(arg, err, error);
	else
		disable_next(arg);
}

/* --- what is drained ----------------------------------------------------------------------------------- */

static void add_path(GPtrArray *paths, const struct model_object *object)
{
	char path[MODEL_PATH_SIZE];

	model_path(object, path);
	if (!g_ptr_array_find_with_equal_func(paths, path, g_str_equal, NULL))
		g_ptr_array_add(paths, g_strdup(path));
}

static void add_tpg(struct drain *drain, struct model_object *tpg)
{
	add_path(drain->tpgs, tpg);
	for (struct model_object *lun = model_first(tpg, MODEL_LUN); lun; lun = model_next(lun))
		add_path(drain->storage, model_to(lun));
}

static void add_target(struct drain *drain, struct model_object *target)
{
	for (struct model_object *tpg = model_first(target, MODEL_TPG); tpg; tpg = model_next(tpg))
		add_tpg(drain, tpg);
}

static int add_object(struct drain *drain, struct model_object *object, struct error *error)
{
	char path[MODEL_PATH_SIZE];

	switch (model_kind(object)) {
	case MODEL_ROOT:
		for (object = model_first(object, MODEL_TARGET); object; object = model_next(object))
			add_target(drain, object);
		return 0;
	case MODEL_TARGET:
		add_target(drain, object);
		return 0;
	case MODEL_TPG:
		add_tpg(drain, object);
		return 0;
	default:
		return error_set(error, EINVAL, "%s is a %s; only targets and TPGs can be drained",
				 model_path(object, path), model_kind_name(model_kind(object)));
	}
}

void control_method_drain(struct control_call *call)
{
	const char *path = control_call_text(call, "path");
	struct drain *drain = g_new0(struct drain, 1);
	struct error error = {""};

	drain->call = call;
	drain->tpgs = g_ptr_array_new_with_free_func(g_free);
	drain->storage = g_ptr_array_new_with_free_func(g_free);
	drain->disabled = json_array_new();

	struct model_object *object = object_find_target(call->context->model, path ? path : "", &error);
	int err = object ? add_object(drain, object, &error) : -errno;

	if (!err) {
		disable_next(drain);
		return;
	}
	drain_free(drain);
	control_call_refuse(call, err, &error);
}
