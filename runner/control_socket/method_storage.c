/* SPDX-License-Identifier: Apache-2.0 */
/* The methods for storage objects: resize and replace. */
#include <errno.h>

#include "control_socket/methods.h"
#include "control_socket/object_path.h"

/* Returns the storage object that the call names, or NULL if the call was refused. */
static struct model_object *storage_of(struct control_call *call)
{
	const char *path = control_call_text(call, "path");
	struct error error = {""};
	struct model_object *object = object_find(call->context->model, path, &error);
	char whole[MODEL_PATH_SIZE];

	if (!object)
		control_call_refuse(call, -errno, &error);
	else if (model_kind(object) != MODEL_STORAGE)
		control_call_refuse_text(call, -EINVAL, "%s is a %s, and only storage objects can be %sd",
					 model_path(object, whole), model_kind_name(model_kind(object)),
					 call->method->name);
	return object && model_kind(object) == MODEL_STORAGE ? object : NULL;
}

void control_method_resize(struct control_call *call)
{
	struct model_object *object = storage_of(call);
	uint64_t size;

	if (object && control_call_number(call, "size", &size))
		model_resize(object, size, control_call_done, call);
}

void control_method_replace(struct control_call *call)
{
	struct model_object *object = storage_of(call);

	if (object)
		model_replace(object, control_call_done, call);
}
