/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names of objects on the control socket: the paths of model_path(). "" and "/" are the whole
 * model. The name of a storage object may be given without its first part ("disk" for
 * "user_0/disk") where only one storage object has this name. Main thread.
 */
#ifndef CONTROL_SOCKET_OBJECT_PATH_H
#define CONTROL_SOCKET_OBJECT_PATH_H

#include <glib.h>

#include "model/model.h"
#include "util/error.h"

/* Returns a word for programs: "root", "storage", "target", "tpg", "portal", "lun", "acl", "mapped_lun". */
const char *object_kind_word(enum model_kind kind);

/* Returns the object, or NULL with error set and errno ENOENT or EINVAL. */
struct model_object *object_find(struct model *model, const char *path, struct error *error);

/* The same for a path that means a target or something below it, so the error says that this is missing. */
struct model_object *object_find_target(struct model *model, const char *path, struct error *error);

/* Where an object is, or would be. */
struct object_place {
	struct model_object *parent;
	enum model_kind kind;
	/* The name below parent; the object's own name if it exists. */
	char name[MODEL_PATH_SIZE];
	/* NULL: there is no such object. */
	struct model_object *object;
};
/* Returns the whole name of the object, which need not exist. Returns path. */
const char *object_place_path(const struct object_place *place, char path[MODEL_PATH_SIZE]);
/*
 * Parses a path whose last object need not exist. Returns 0, or -ENOENT (for the parent) or -EINVAL with
 * error set.
 */
int object_place_find(struct object_place *place, struct model *model, const char *path, struct error *error);
#endif
