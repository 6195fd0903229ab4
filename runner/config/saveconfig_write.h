/* SPDX-License-Identifier: Apache-2.0 */
/* Writes a tree as the text of saveconfig.json. Main thread. */
#ifndef CONFIG_SAVECONFIG_WRITE_H
#define CONFIG_SAVECONFIG_WRITE_H

#include "config/saveconfig_tree.h"

/* Sets text to the text of the file. The caller frees it with config_text_free(). */
void saveconfig_write(const struct config_node *root, struct config_text *text);

/* --- saveconfig_ours_write.c: the part of the file under tcmu_runner */

/*
 * Returns whether the node, or a node below it, has a setting that limits access and that LIO lacks. Sets
 * *why to the attribute in this case.
 */
bool saveconfig_needs_ours(const struct config_node *node, const struct model_attribute **why);
/* Writes the member tcmu_runner of file. */
void saveconfig_write_ours(const struct config_node *root, JsonObject *file);
/* Returns a value in the form that it has under tcmu_runner. */
JsonNode *saveconfig_write_value(const struct model_attribute *attribute, const char *text);
#endif
