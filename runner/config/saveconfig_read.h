/* SPDX-License-Identifier: Apache-2.0 */
/* Reads the text of saveconfig.json into a tree. Main thread. */
#ifndef CONFIG_SAVECONFIG_READ_H
#define CONFIG_SAVECONFIG_READ_H

#include "config/saveconfig_tree.h"

/*
 * Returns the tree, which the caller frees with config_node_free(). An entry that cannot be used becomes a
 * node with a problem. Returns NULL with error set if the text as a whole is not a saveconfig.json. name is
 * the name of the file in error. The function adds a line (char *) to notes, which may be NULL, for each key
 * that has no effect here.
 */
struct config_node *saveconfig_read(const char *name, const char *text, gsize len, GPtrArray *notes,
				    struct error *error);
/* Returns an empty tree, which the caller frees. */
struct config_node *saveconfig_read_nothing(void);

/* --- saveconfig_ours_read.c: the part of the file under tcmu_runner */

/*
 * Finds the settings of each node under tcmu_runner, and stores their values in the node. If a setting of a
 * TPG, or of an object in it, cannot be used, the TPG stays disabled. Settings of an object that the file
 * does not have become a stray node. If they limit access, every object for which they may be meant is
 * refused, or its TPGs stay disabled. Returns 0, or -EINVAL with error set if the version of tcmu_runner is
 * not known.
 */
int saveconfig_read_ours(struct config_node *root, const struct saveconfig_json *json, GPtrArray *notes,
			 struct error *error);
/*
 * Sets number to the number of the HBA that the file demands for the object, 1 for "user_1/disk". Returns
 * false if the file does not say it.
 */
bool saveconfig_read_hba(const struct config_node *storage, guint *number);
/*
 * Returns the name of the object without its HBA, if the entry has another name because a storage object of
 * another HBA has the same one. Otherwise returns NULL.
 */
const char *saveconfig_read_own_name(const struct config_node *storage);
/* Reads one value from JSON into the node. A value that is not a scalar becomes a value with a problem. */
void saveconfig_read_value(struct config_node *node, const struct model_attribute *attribute,
			   JsonNode *value);
/* Records that the text of the value cannot be used, and why. */
void saveconfig_refuse_value(struct config_value *value, const char *problem);
/* Adds a line about the node to notes, which may be NULL. */
void saveconfig_note(GPtrArray *notes, const struct config_node *node, const char *format, ...)
    G_GNUC_PRINTF(3, 4);
#endif
