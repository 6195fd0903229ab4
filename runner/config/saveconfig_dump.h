/* SPDX-License-Identifier: Apache-2.0 */
/* Copies the running model into a tree. Main thread. */
#ifndef CONFIG_SAVECONFIG_DUMP_H
#define CONFIG_SAVECONFIG_DUMP_H

#include "config/saveconfig_tree.h"

/*
 * The configuration of the model, without storage objects that are not enabled. The caller frees the tree.
 * file: gives storage objects the names that they have there; its entries may have been applied or not.
 */
struct config_node *saveconfig_dump(struct model *model, const struct config_node *file);
/*
 * Adds to a tree of the model what the model does not know: the entries of the file as they were, the entries
 * that could not be restored, and the values that the model has refused.
 */
void saveconfig_merge(struct config_node *running, const struct config_node *file);
/*
 * Returns why initiators would get more access than the file gives if the TPG of this node were enabled, or
 * NULL if they would not. The caller frees the text. model: where objects are that an entry left unchanged;
 * NULL: there are none.
 */
char *saveconfig_closing_reason(struct model *model, const struct config_node *node);
/* The node that stands for an object of the model, or NULL. */
struct config_node *saveconfig_node_of(const struct config_node *root, const struct model_object *object);
/* The object that the node stands for, or NULL. */
struct model_object *saveconfig_object_of(struct model *model, const struct config_node *node);
#endif
