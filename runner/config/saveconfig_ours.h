/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The names of the members under the key tcmu_runner, for the reader (saveconfig_ours_read.c) and the writer
 * (saveconfig_ours_write.c). Main thread.
 */
#ifndef CONFIG_SAVECONFIG_OURS_H
#define CONFIG_SAVECONFIG_OURS_H

#include "config/saveconfig_tree.h"

#define OURS_KEY        "tcmu_runner"
#define OURS_VERSION    1
#define OURS_DUAL_STACK "dual_stack"
#define OURS_HBA        "hba"
#define OURS_NAME       "name"

/* Returns the name of the member that contains the settings of the children of this kind. */
const char *ours_container(enum model_kind kind);
/* Returns whether objects of this kind are below objects of the parent's kind. */
bool ours_is_parent(enum model_kind parent, enum model_kind kind);
/*
 * Returns the key of the node's settings in the container of its kind: the name of the node, without "lun_"
 * or "tpgt_". Returns NULL if the node should have such a prefix and does not.
 */
const char *ours_key_of(const struct config_node *node);
/* Returns the prefix of the names of objects of this kind: "lun_", "tpgt_", or "". */
const char *ours_prefix(enum model_kind kind);
/* Returns whether the value, which may be NULL, is true, false, 0 or 1. */
bool ours_is_boolean(JsonNode *value);
#endif
