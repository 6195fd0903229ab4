/* SPDX-License-Identifier: Apache-2.0 */
/* Finds TPGs, and LUNs in them, for the methods that are about LUNs. */
#include "control_socket/tpg.h"

#include <errno.h>

#include "control_socket/object_path.h"

static struct model_object *only_tpg(struct model_object *target, struct error *error)
{
	struct model_object *tpg = model_first(target, MODEL_TPG);

	if (!tpg) {
		error_set(error, ENOENT, "%s has no TPG; create %s/tpgt_1", model_name(target),
			  model_name(target));
		errno = ENOENT;
	} else if (model_next(tpg)) {
		error_set(error, EINVAL, "%s has several TPGs; name one of them: %s/%s", model_name(target),
			  model_name(target), model_name(tpg));
		errno = EINVAL;
		tpg = NULL;
	}
	return tpg;
}

struct model_object *tpg_find(struct model *model, const char *path, struct error *error)
{
	struct model_object *object = object_find_target(model, path, error);
	char whole[MODEL_PATH_SIZE];

	if (!object)
		return NULL;
	if (model_kind(object) == MODEL_TARGET)
		return only_tpg(object, error);
	if (model_kind(object) == MODEL_TPG)
		return object;
	error_set(error, EINVAL, "%s is a %s, and not a target or a TPG", model_path(object, whole),
		  model_kind_name(model_kind(object)));
	errno = EINVAL;
	return NULL;
}

struct model_object *tpg_lun_of(struct model_object *tpg, const struct model_object *storage)
{
	for (struct model_object *lun = model_first(tpg, MODEL_LUN); lun; lun = model_next(lun))
		if (model_to(lun) == storage)
			return lun;
	return NULL;
}

int tpg_free_lun(struct model_object *parent, enum model_kind kind)
{
	unsigned number = 0;

	/* LUNs are in ascending order. */
	for (struct model_object *lun = model_first(parent, kind); lun && model_number(lun) == number;
	     lun = model_next(lun))
		number++;
	return number <= MODEL_LUN_MAX ? (int)number : -ENOSPC;
}
