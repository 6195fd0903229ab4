/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the reader (saveconfig_ours_read.c) and the writer (saveconfig_ours_write.c) of the key tcmu_runner
 * share: its names, and where the settings of an object are. Main thread.
 */
#ifndef CONFIG_SAVECONFIG_OURS_H
#define CONFIG_SAVECONFIG_OURS_H

#include "config/saveconfig_tree.h"

#define OURS_KEY        "tcmu_runner"
#define OURS_VERSION    1
#define OURS_DUAL_STACK "dual_stack"
#define OURS_HBA        "hba"
#define OURS_NAME       "name"

/* The member of the parent's settings that holds the settings of children of this kind. */
const char *ours_container(enum model_kind kind);
/* Returns whether objects of this kind are below objects of the parent's kind. */
bool ours_is_parent(enum model_kind parent, enum model_kind kind);
/*
 * Returns the name of a child in its container, where numbers are without "lun_" and "tpgt_". Returns NULL
 * for an entry without a usable number.
 */
const char *ours_key_of(const struct config_node *node);
/* Returns what stands before the number in the name of such an object: "lun_", "tpgt_", or "". */
const char *ours_prefix(enum model_kind kind);
/* Returns whether the value, which may be NULL, is true, false, 0 or 1. */
bool ours_is_boolean(JsonNode *value);
#endif
