/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The method map: gives a TPG a LUN for a storage object, or gives an initiator a mapped LUN. For an
 * initiator, the LUN of the TPG and the ACL are created if they do not exist, and deleted again if a later
 * step is refused.
 */
#include <errno.h>
#include <stdio.h>

#include "control_socket/creation.h"
#include "control_socket/methods.h"
#include "control_socket/object_path.h"
#include "control_socket/tpg.h"
#include "control_socket/values.h"

struct map {
	struct control_call *call;
	struct creation *creation;
	struct model_object *tpg, *storage;
	JsonObject *values;
	/* The requested number, or -1. */
	int number;
	/* Whether an object was created. */
	bool created;
};

/*
 * Returns the child with this name, which is created if it does not exist. values are the values of a new
 * LUN, or NULL. Returns NULL with error set and errno set.
 */
static struct model_object *provide(struct map *map, struct model_object *parent, enum model_kind kind,
				    const char *name, struct model_object *to, JsonObject *values,
				    struct error *error)
{
	struct model_object *object = model_find(parent, kind, name);
	char path[MODEL_PATH_SIZE], target[MODEL_PATH_SIZE];

	if (object && to && model_to(object) != to) {
		error_set(error, EEXIST, "%s exists, and leads to %s", model_path(object, path),
			  model_path(model_to(object), target));
		errno = EEXIST;
		return NULL;
	}
	if (object)
		return object;
	map->created = true;
	return creation_add(map->creation, parent, kind, name, to, values, error);
}

static struct model_object *provide_lun(struct map *map, struct model_object *parent, enum model_kind kind,
					int number, struct model_object *to, JsonObject *values,
					struct error *error)
{
	char name[16], path[MODEL_PATH_SIZE];

	if (number < 0)
		number = tpg_free_lun(parent, kind);
	if (number < 0) {
		error_set(error, ENOSPC, "%s has no free LUN number", model_path(parent, path));
		errno = ENOSPC;
		return NULL;
	}
	snprintf(name, sizeof(name), "lun_%d", number);
	return provide(map, parent, kind, name, to, values, error);
}

/*
 * Returns the LUN of the TPG for the storage, which is created if it does not exist. number is the number
 * that the LUN must have, or -1. values are the values of a new LUN, or NULL.
 */
static struct model_object *provide_tpg_lun(struct map *map, int number, JsonObject *values,
					    struct error *error)
{
	struct model_object *lun = number < 0 ? tpg_lun_of(map->tpg, map->storage) : NULL;

	return lun ? lun : provide_lun(map, map->tpg, MODEL_LUN, number, map->storage, values, error);
}

static struct model_object *find_mapped(struct model_object *acl, const struct model_object *lun)
{
	for (struct model_object *mapped = model_first(acl, MODEL_MAPPED_LUN); mapped;
	     mapped = model_next(mapped))
		if (model_to(mapped) == lun)
			return mapped;
	return NULL;
}

static struct model_object *provide_mapped_lun(struct map *map, const char *initiator, struct error *error)
{
	struct model_object *lun = provide_tpg_lun(map, -1, NULL, error);
	struct model_object *acl =
	    lun ? provide(map, map->tpg, MODEL_ACL, initiator, NULL, NULL, error) : NULL;
	struct model_object *mapped = acl && map->number < 0 ? find_mapped(acl, lun) : NULL;

	if (!acl || mapped)
		return mapped;
	return provide_lun(map, acl, MODEL_MAPPED_LUN, map->number, lun, map->values, error);
}

static JsonObject *map_result(const struct map *map, struct model_object *object)
{
	JsonObject *result = json_object_new();
	char path[MODEL_PATH_SIZE];

	control_set_text(result, "path", model_path(object, path));
	json_object_set_int_member(result, "lun", model_number(object));
	json_object_set_boolean_member(result, "created", map->created);
	return result;
}

/* Ends the call. A new LUN already has the requested values. An existing LUN must have them. */
static void finish(struct map *map, struct model_object *object)
{
	struct error error = {""};
	int err = map->created ? 0 : creation_compare(object, map->values, &error);

	if (err)
		creation_refuse(map->creation, err, &error);
	else
		creation_run(map->creation, object, NULL, false, map_result(map, object));
}

static void run_map(struct map *map)
{
	const char *initiator = control_call_text(map->call, "initiator");
	enum model_kind kind = initiator ? MODEL_MAPPED_LUN : MODEL_LUN;
	struct error error = {""};
	int err = creation_check(kind, map->values, &error);

	if (err) {
		control_call_refuse(map->call, err, &error);
		return;
	}
	map->creation = creation_new(map->call);

	struct model_object *object = initiator ? provide_mapped_lun(map, initiator, &error)
						: provide_tpg_lun(map, map->number, map->values, &error);

	if (object)
		finish(map, object);
	else
		creation_refuse(map->creation, -errno, &error);
}

void control_method_map(struct control_call *call)
{
	struct model *model = call->context->model;
	JsonNode *node = control_call_value(call, "attributes");
	struct map map = {.call = call, .number = -1, .values = node ? json_node_get_object(node) : NULL};
	struct error error = {""};
	uint64_t lun;

	map.tpg = tpg_find(model, control_call_text(call, "path"), &error);
	map.storage = map.tpg ? object_find(model, control_call_text(call, "storage"), &error) : NULL;
	if (!map.storage) {
		control_call_refuse(call, -errno, &error);
		return;
	}
	if (model_kind(map.storage) != MODEL_STORAGE) {
		char path[MODEL_PATH_SIZE];

		control_call_refuse_text(call, -EINVAL, "%s is a %s, and not a storage object",
					 model_path(map.storage, path),
					 model_kind_name(model_kind(map.storage)));
		return;
	}
	if (control_call_number(call, "lun", &lun)) {
		if (lun > MODEL_LUN_MAX) {
			control_call_refuse_text(call, -EINVAL, "LUN numbers end at %d", MODEL_LUN_MAX);
			return;
		}
		map.number = (int)lun;
	}
	run_map(&map);
}
