/* SPDX-License-Identifier: Apache-2.0 */
/* Deletes several objects for one call. The method decides which objects are deleted, and in which order. */
#include "control_socket/removal.h"

#include <errno.h>

#include "control_socket/object_path.h"
#include "control_socket/values.h"

struct removal {
	struct control_call *call;
	GPtrArray *paths;
	unsigned next;
	/* The paths of the objects that were deleted. */
	JsonArray *deleted;
};

static void removal_free(struct removal *removal)
{
	g_ptr_array_unref(removal->paths);
	json_array_unref(removal->deleted);
	g_free(removal);
}

static void finish(struct removal *removal)
{
	JsonObject *result = json_object_new();

	json_object_set_array_member(result, "deleted", json_array_ref(removal->deleted));
	control_call_finish(removal->call, control_object_node(result));
	removal_free(removal);
}

static void on_deleted(void *arg, int err, const struct error *error);

/* Deletes the next object. If another call has deleted it meanwhile, there is nothing to do. */
static void delete_next(struct removal *removal)
{
	struct model *model = removal->call->context->model;

	while (removal->next < removal->paths->len) {
		struct model_object *object = object_find(model, removal->paths->pdata[removal->next], NULL);

		if (object) {
			model_delete(object, true, on_deleted, removal);
			return;
		}
		removal->next++;
	}
	finish(removal);
}

static void on_deleted(void *arg, int err, const struct error *error)
{
	struct removal *removal = arg;

	if (err) {
		control_call_fail(removal->call, err, error, NULL);
		removal_free(removal);
		return;
	}
	json_array_add_string_element(removal->deleted, removal->paths->pdata[removal->next]);
	removal->next++;
	delete_next(removal);
}

void removal_run(struct control_call *call, GPtrArray *paths)
{
	struct removal *removal = g_new0(struct removal, 1);

	removal->call = call;
	removal->paths = paths;
	removal->deleted = json_array_new();
	delete_next(removal);
}
