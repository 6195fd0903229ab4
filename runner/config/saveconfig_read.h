/* SPDX-License-Identifier: Apache-2.0 */
/* Reads the text of saveconfig.json into a tree. Main thread. */
#ifndef CONFIG_SAVECONFIG_READ_H
#define CONFIG_SAVECONFIG_READ_H

#include "config/saveconfig_tree.h"

/*
 * Returns the tree, which the caller frees with config_node_free(). An entry that cannot be used is a node
 * with a problem. Returns NULL with error set if the text is not such a file as a whole. name is the file's
 * name for the error; notes, which may be NULL, gets a line (char *) for each key that has no effect here.
 */
struct config_node *saveconfig_read(const char *name, const char *text, gsize len, GPtrArray *notes,
				    struct error *error);
/* An empty tree. */
struct config_node *saveconfig_read_nothing(void);

/* --- saveconfig_ours_read.c: the part of the file under tcmu_runner */

/*
 * Finds the settings of each node under tcmu_runner, and takes over their values. A setting of a TPG, or of
 * something in it, that cannot be used closes the TPG. Settings of an object that the file does not have
 * become a node with a problem. If they limit access, the objects for which they may be meant are closed.
 * -EINVAL with error set: the version of tcmu_runner is not known.
 */
int saveconfig_read_ours(struct config_node *root, const struct saveconfig_json *json, GPtrArray *notes,
			 struct error *error);
/* The number that the object is to have in its name: 1 in "user_1/disk". False: the file does not say it. */
bool saveconfig_read_hba(const struct config_node *storage, guint *number);
/*
 * The name of the object without its HBA, where it differs from the one in the file because another HBA has
 * the same name; otherwise NULL.
 */
const char *saveconfig_read_own_name(const struct config_node *storage);
/* Reads one value from JSON into the node. A value that is not a scalar becomes a value with a problem. */
void saveconfig_read_value(struct config_node *node, const struct model_attribute *attribute,
			   JsonNode *value);
/* Adds a line about the node to notes, which may be NULL. */
void saveconfig_note(GPtrArray *notes, const struct config_node *node, const char *format, ...)
    G_GNUC_PRINTF(3, 4);
#endif
