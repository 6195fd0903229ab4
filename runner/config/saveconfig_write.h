/* SPDX-License-Identifier: Apache-2.0 */
/* Writes a tree as the text of saveconfig.json. Main thread. */
#ifndef CONFIG_SAVECONFIG_WRITE_H
#define CONFIG_SAVECONFIG_WRITE_H

#include "config/saveconfig_tree.h"

/* The caller frees the text with config_text_free(). */
void saveconfig_write(const struct config_node *root, struct config_text *text);

/* --- saveconfig_ours_write.c: the part of the file under tcmu_runner */

/*
 * Returns whether the node or something in it has a setting that limits access and that LIO lacks; *why is
 * the setting then.
 */
bool saveconfig_needs_ours(const struct config_node *node, const struct model_attribute **why);
void saveconfig_write_ours(const struct config_node *root, JsonObject *file);
/* Returns a value in the form that it has under tcmu_runner. */
JsonNode *saveconfig_write_value(const struct model_attribute *attribute, const char *text);
#endif
