/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names of objects on the control socket: the paths of model_path(). "" and "/" mean the whole model. The
 * first part of the name of a storage object may be left out ("disk" for "user_0/disk") if only one storage
 * object has such a name. Main thread.
 */
#ifndef CONTROL_SOCKET_OBJECT_PATH_H
#define CONTROL_SOCKET_OBJECT_PATH_H

#include <glib.h>

#include "model/model.h"
#include "util/error.h"

/*
 * Returns the word by which programs know the kind: "root", "storage", "target", "tpg", "portal", "lun",
 * "acl" or "mapped_lun".
 */
const char *object_kind_word(enum model_kind kind);

/* Returns the object, or NULL with error set and errno ENOENT or EINVAL. */
struct model_object *object_find(struct model *model, const char *path, struct error *error);

/*
 * Does the same for a path that must lead to a target or to an object below a target, so the error says that
 * this object is missing.
 */
struct model_object *object_find_target(struct model *model, const char *path, struct error *error);

/* The place of an object that exists, or that can be created. */
struct object_place {
	struct model_object *parent;
	enum model_kind kind;
	/* The name below parent. If the object exists, this is its name in the model. */
	char name[MODEL_PATH_SIZE];
	/* NULL if there is no such object. */
	struct model_object *object;
};
/* Returns the whole name of the object, which need not exist. Returns path. */
const char *object_place_path(const struct object_place *place, char path[MODEL_PATH_SIZE]);
/*
 * Parses a path whose last object need not exist. Returns 0, or -errno with error set: -ENOENT if the parent
 * does not exist, or -EINVAL.
 */
int object_place_find(struct object_place *place, struct model *model, const char *path, struct error *error);
#endif
