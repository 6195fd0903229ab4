/* SPDX-License-Identifier: Apache-2.0 */
/* The step of saveconfig_plan.h that creates an object. Main thread. */
#ifndef CONFIG_SAVECONFIG_CREATE_H
#define CONFIG_SAVECONFIG_CREATE_H

#include "config/saveconfig_tree.h"

/*
 * Creates the object of the node. LUNs and mapped LUNs are write-protected from the beginning if the node
 * says so. If the object cannot be created, the node gets a problem.
 */
void saveconfig_create(struct model *model, struct config_node *node);
#endif
