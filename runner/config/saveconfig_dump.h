/* SPDX-License-Identifier: Apache-2.0 */
/* Copies the running model into a tree. Main thread. */
#ifndef CONFIG_SAVECONFIG_DUMP_H
#define CONFIG_SAVECONFIG_DUMP_H

#include "config/saveconfig_tree.h"

/*
 * Returns the configuration of the model as a tree, without storage objects that are configured but not yet
 * enabled, or being removed. Storage objects get the names that they have in file, whose entries may or may
 * not have been applied to the model. The caller frees the tree.
 */
struct config_node *saveconfig_dump(struct model *model, const struct config_node *file);
/*
 * Adds to a tree of the model those parts of the file that the model does not have: the JSON values of the
 * entries, with keys that the daemon does not know; the entries that could not be restored; and the values
 * that the model has refused.
 */
void saveconfig_merge(struct config_node *running, const struct config_node *file);
/*
 * Returns why initiators would get more access than the file gives if the TPG of this node were enabled, or
 * NULL if they would not. The caller frees the text. model is searched for LUNs that an unusable entry has
 * left unchanged; it may be NULL, and then there are no such LUNs.
 */
char *saveconfig_closing_reason(struct model *model, const struct config_node *node);
/* Returns the node that represents an object of the model, or NULL. */
struct config_node *saveconfig_node_of(const struct config_node *root, const struct model_object *object);
/* Returns the object that the node represents, or NULL. */
struct model_object *saveconfig_object_of(struct model *model, const struct config_node *node);
/* Returns whether the attribute of the object is set to this value. */
bool saveconfig_has_value(const struct model_object *object, const struct model_attribute *attribute,
			  const char *wanted);
#endif
