/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROL_SOCKET_TPG_H
#define CONTROL_SOCKET_TPG_H

#include "model/model.h"
#include "util/error.h"

/*
 * Main thread. Returns the TPG that a path names. The name of a target means its TPG if it has only one.
 * Returns NULL with error set and errno ENOENT or EINVAL.
 */
struct model_object *tpg_find(struct model *model, const char *path, struct error *error);
/* Returns the LUN of a TPG that leads to this storage object, or NULL. */
struct model_object *tpg_lun_of(struct model_object *tpg, const struct model_object *storage);
/*
 * Returns the lowest number that no child of this kind (LUN or mapped LUN) has, or -ENOSPC if all are in use.
 */
int tpg_free_lun(struct model_object *parent, enum model_kind kind);
#endif
