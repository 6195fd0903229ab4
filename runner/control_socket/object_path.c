/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finds objects of the model by their paths. The form of each part of a path says which kind of object it
 * names, so a path needs no words such as "luns" or "acls". Which names are valid is left to the model.
 */
#include "control_socket/object_path.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "config/saveconfig_keys.h"
#include "model/np.h"
#include "util/bytes.h"

/* The first HBA of LIO's plugin "user". It is used for a new storage object whose name has no first part. */
#define DEFAULT_HBA "user_0"

const char *object_kind_word(enum model_kind kind)
{
	static const char *const words[MODEL_KINDS] = {
	    [MODEL_ROOT] = "root", [MODEL_STORAGE] = "storage",       [MODEL_TARGET] = "target",
	    [MODEL_TPG] = "tpg",   [MODEL_PORTAL] = "portal",         [MODEL_LUN] = "lun",
	    [MODEL_ACL] = "acl",   [MODEL_MAPPED_LUN] = "mapped_lun",
	};

	return words[kind];
}

static bool is_iscsi_name(const char *name)
{
	return !g_ascii_strncasecmp(name, "iqn.", 4) || !g_ascii_strncasecmp(name, "eui.", 4) ||
	       !g_ascii_strncasecmp(name, "naa.", 4);
}

/*
 * Returns the kind of child that a part of a path names below an object of the kind parent, or MODEL_KINDS if
 * no child of such an object can have this name.
 */
static enum model_kind kind_below(enum model_kind parent, const char *part)
{
	bool is_lun = g_str_has_prefix(part, "lun_");

	switch (parent) {
	case MODEL_ROOT:
		return is_iscsi_name(part) ? MODEL_TARGET : MODEL_STORAGE;
	case MODEL_TARGET:
		return g_str_has_prefix(part, "tpgt_") ? MODEL_TPG : MODEL_KINDS;
	case MODEL_TPG:
		return is_lun ? MODEL_LUN : is_iscsi_name(part) ? MODEL_ACL : MODEL_PORTAL;
	case MODEL_ACL:
		return is_lun ? MODEL_MAPPED_LUN : MODEL_KINDS;
	default:
		return MODEL_KINDS;
	}
}

static int refuse_part(struct model_object *parent, const char *part, struct error *error)
{
	char path[MODEL_PATH_SIZE];
	const char *hint = model_kind(parent) == MODEL_TARGET ? "; write for example tpgt_1"
			   : model_kind(parent) == MODEL_ACL  ? "; write for example lun_0"
							      : "";

	return error_set(error, EINVAL, "%s: \"%s\" cannot be the name of an object below a %s%s",
			 model_path(parent, path), part, model_kind_name(model_kind(parent)), hint);
}

/*
 * Returns the storage object whose name ends with "/part". Returns NULL if there is none (errno 0) or if
 * there are several (errno EINVAL).
 */
static struct model_object *find_storage_by_end(struct model_object *root, const char *part,
						struct error *error)
{
	struct model_object *found = NULL;

	errno = 0;
	for (struct model_object *o = model_first(root, MODEL_STORAGE); o; o = model_next(o)) {
		const char *slash = strrchr(model_name(o), '/');

		if (!slash || strcmp(slash + 1, part))
			continue;
		if (found) {
			error_set(error, EINVAL,
				  "%s: several storage objects have this name: %s, %s; write its full name",
				  part, model_name(found), model_name(o));
			errno = EINVAL;
			return NULL;
		}
		found = o;
	}
	return found;
}

/*
 * Returns whether this is the first part of the name of a storage object, such as "user_0": one of LIO's
 * plugins, and a number.
 */
static bool is_hba(const char *name, size_t len)
{
	g_autofree char *folder = g_strndup(name, len);
	char *number = strrchr(folder, '_');

	if (!number)
		return false;
	*number++ = '\0';
	return config_plugin_of_folder(folder) && *number && strspn(number, "0123456789") == strlen(number) &&
	       strlen(number) <= 7 && (*number != '0' || !number[1]);
}

static int place_storage(struct object_place *place, const char *path, struct error *error)
{
	const char *slash = strchr(path, '/');

	place->kind = MODEL_STORAGE;
	if (slash && strchr(slash + 1, '/'))
		return error_set(
		    error, EINVAL,
		    "%s: a storage object is written as user_0/NAME, and has no objects below it", path);
	snprintf(place->name, sizeof(place->name), slash ? "%s" : DEFAULT_HBA "/%s", path);
	if (slash)
		place->object = model_find(place->parent, MODEL_STORAGE, place->name);
	if (!place->object && slash && !is_hba(path, (size_t)(slash - path)))
		return error_set(
		    error, EINVAL,
		    "%s: \"%.*s\" is not a plug-in with a number; the first part of the name of a "
		    "storage object is user_N, fileio_N, iblock_N or rd_mcp_N, for example user_0",
		    path, (int)(slash - path), path);
	if (place->object || slash)
		return 0;
	place->object = find_storage_by_end(place->parent, path, error);
	if (place->object)
		snprintf(place->name, sizeof(place->name), "%s", model_name(place->object));
	return -errno;
}

/* Brings the name of a portal to the form that the model uses: "192.0.2.1" becomes "192.0.2.1:3260". */
static void normalize_portal(struct object_place *place)
{
	struct model_np np;
	struct error ignored;

	if (!model_np_parse(&np, place->name, &ignored))
		g_strlcpy(place->name, np.text, sizeof(place->name));
}

/* Finds the place of a target, or of an object below a target. parts are the parts of the path. */
static int place_target(struct object_place *place, char **parts, struct error *error)
{
	for (;; parts++) {
		place->kind = kind_below(model_kind(place->parent), *parts);
		if (place->kind == MODEL_KINDS)
			return refuse_part(place->parent, *parts, error);
		if (g_strlcpy(place->name, *parts, sizeof(place->name)) >= sizeof(place->name))
			return error_set(error, EINVAL, "the name of an object is too long");
		if (place->kind == MODEL_PORTAL)
			normalize_portal(place);
		place->object = model_find(place->parent, place->kind, place->name);
		if (!parts[1])
			return 0;
		if (!place->object) {
			char path[MODEL_PATH_SIZE];

			if (model_kind(place->parent) == MODEL_ROOT)
				return error_set(error, ENOENT, "there is no target %s", place->name);
			return error_set(error, ENOENT, "%s has no %s %s", model_path(place->parent, path),
					 model_kind_name(place->kind), place->name);
		}
		place->parent = place->object;
	}
}

int object_place_find(struct object_place *place, struct model *model, const char *path, struct error *error)
{
	*place = (struct object_place){.parent = model_root(model)};
	while (*path == '/')
		path++;
	if (!*path) {
		place->kind = MODEL_ROOT;
		place->object = place->parent;
		return 0;
	}
	if (strlen(path) >= MODEL_PATH_SIZE - sizeof(DEFAULT_HBA))
		return error_set(error, EINVAL, "the path of an object is too long");
	if (strstr(path, "//") || g_str_has_suffix(path, "/"))
		return error_set(error, EINVAL, "%s: a part of the path is empty", path);

	g_auto(GStrv) parts = g_strsplit(path, "/", -1);

	return is_iscsi_name(parts[0]) ? place_target(place, parts, error)
				       : place_storage(place, path, error);
}

const char *object_place_path(const struct object_place *place, char path[MODEL_PATH_SIZE])
{
	char parent[MODEL_PATH_SIZE];

	if (place->object)
		return model_path(place->object, path);
	if (model_kind(place->parent) == MODEL_ROOT)
		g_strlcpy(path, place->name, MODEL_PATH_SIZE);
	else
		g_snprintf(path, MODEL_PATH_SIZE, "%s/%s", model_path(place->parent, parent), place->name);
	return path;
}

struct model_object *object_find(struct model *model, const char *path, struct error *error)
{
	struct object_place place;
	int err = object_place_find(&place, model, path, error);

	if (!err && !place.object) {
		char parent[MODEL_PATH_SIZE];

		if (model_kind(place.parent) == MODEL_ROOT)
			err =
			    error_set(error, ENOENT, "there is no %s %s", model_kind_name(place.kind), path);
		else
			err = error_set(error, ENOENT, "%s has no %s %s", model_path(place.parent, parent),
					model_kind_name(place.kind), place.name);
	}
	errno = -err;
	return place.object && !err ? place.object : NULL;
}

struct model_object *object_find_target(struct model *model, const char *path, struct error *error)
{
	struct model_object *object = object_find(model, path, error);
	int err = object ? 0 : errno;

	if (err == ENOENT && !is_iscsi_name(path))
		error_set(error, ENOENT,
			  "there is no target %s; the name of a target begins with iqn., eui. or naa.", path);
	errno = err;
	return object;
}
