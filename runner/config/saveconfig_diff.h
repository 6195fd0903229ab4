/* SPDX-License-Identifier: Apache-2.0 */
/* Compares two trees. Main thread. */
#ifndef CONFIG_SAVECONFIG_DIFF_H
#define CONFIG_SAVECONFIG_DIFF_H

#include "config/saveconfig_tree.h"

/* One difference. */
struct config_difference {
	/* Names the object and the setting; equal for the same setting in another comparison. */
	char *key;
	/* For the user, without secrets. */
	char *line;
};

/*
 * The differences (struct config_difference *) between a file and what runs, in the order of the file. The
 * caller frees the array.
 */
GPtrArray *saveconfig_differences(const struct config_node *file, const struct config_node *running);
#endif
