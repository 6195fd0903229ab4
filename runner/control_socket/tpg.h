/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROL_SOCKET_TPG_H
#define CONTROL_SOCKET_TPG_H

#include "model/model.h"
#include "util/error.h"

/*
 * Main thread. Returns the TPG that a path names; the name of a target stands for its TPG if it has only one.
 * Returns NULL with error set and errno ENOENT or EINVAL.
 */
struct model_object *tpg_find(struct model *model, const char *path, struct error *error);
/* The LUN of a TPG that leads to this storage object, or NULL. */
struct model_object *tpg_lun_of(struct model_object *tpg, const struct model_object *storage);
/* The lowest number that no child of this kind (LUN or mapped LUN) has; -ENOSPC: there is none. */
int tpg_free_lun(struct model_object *parent, enum model_kind kind);
#endif
