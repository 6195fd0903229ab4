/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Numbers that the daemon chooses if the file does not have them: the number of the HBA in the name of a
 * storage object, and the relative target port identifiers of TPGs. A reload and the next start must choose
 * the same numbers. Main thread.
 */
#ifndef CONFIG_SAVECONFIG_NUMBERS_H
#define CONFIG_SAVECONFIG_NUMBERS_H

#include "config/saveconfig_tree.h"

/*
 * Sets number to the number of the HBA in the name of a storage object: 1 for "user_1/disk". Returns false if
 * the name, which may be NULL, has no such number.
 */
bool config_object_hba(const char *object, guint *number);
/*
 * Returns the name of the object that a start creates for a storage object of a file, such as "user_0/disk",
 * or NULL if the entry has no usable name. The caller frees the name.
 */
char *config_storage_object_name(const struct config_node *storage);
/*
 * Chooses the name of the object that is to be created, and stores it in the node. The name is that of
 * config_storage_object_name(), unless a running object that is not to be deleted has this name.
 */
void config_storage_choose_object(struct config_node *storage, const struct config_node *running);
/*
 * Chooses a relative target port identifier for each TPG of the file that is to be created and has none. The
 * identifier is used neither by the file nor by a running TPG that is not to be deleted.
 */
void config_choose_ports(struct config_node *want, struct config_node *running);
/* A TPG that stays and whose relative target port identifier the file changes. */
struct config_port_change {
	struct config_node *want, *running;
	guint port;
	/* TPGs that exchange identifiers, or follow each other, are in the same group. */
	guint group;
	/* A TPG of the group cannot get its identifier, because another TPG has it and keeps it. */
	bool is_blocked;
};
/*
 * Returns the changes (an array of struct config_port_change), sorted by group. What is to be deleted must be
 * marked in the running tree.
 */
GArray *config_port_changes(struct config_node *want, struct config_node *running);
/* Returns the attribute that has the relative target port identifier of a TPG. */
const struct model_attribute *config_port_attribute(void);
/*
 * Adds a line (char *) for each number that would be different after the next start if the configuration were
 * not saved before. file is the tree that was applied to the model.
 */
void config_list_renumbered(const struct config_node *file, struct model *model, GPtrArray *lines);
#endif
