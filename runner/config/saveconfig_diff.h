/* SPDX-License-Identifier: Apache-2.0 */
/* Compares two trees. Main thread. */
#ifndef CONFIG_SAVECONFIG_DIFF_H
#define CONFIG_SAVECONFIG_DIFF_H

#include "config/saveconfig_tree.h"

/* One difference. */
struct config_difference {
	/* The object and the setting; the key is the same for the same setting in another comparison. */
	char *key;
	/* The text for the user, without secrets. */
	char *line;
	/* Only the running configuration has the object. The key ends with a blank. */
	bool is_new_object;
	/* The running configuration has the object with another value, and somebody has set this value. */
	bool is_other_value;
};

/*
 * Returns the differences (struct config_difference *) between a file and the running configuration, in the
 * order of the file. The caller frees the array.
 */
GPtrArray *saveconfig_differences(const struct config_node *file, const struct config_node *running);
/*
 * Adds a line (char *) for each change of the running configuration since the saved one that is lost if the
 * wanted configuration replaces the running one.
 */
void saveconfig_list_lost(const struct config_node *saved, const struct config_node *wanted,
			  const struct config_node *running, GPtrArray *lines);
#endif
