/* SPDX-License-Identifier: Apache-2.0 */
/* Lists the problems in a configuration. Main thread. */
#ifndef CONFIG_SAVECONFIG_CHECK_H
#define CONFIG_SAVECONFIG_CHECK_H

#include "config/saveconfig_tree.h"

/*
 * Adds a line (char *) for each entry and value that could not be restored, and for each TPG that stays
 * disabled.
 */
void saveconfig_list_problems(const struct config_node *node, GPtrArray *lines);
#endif
