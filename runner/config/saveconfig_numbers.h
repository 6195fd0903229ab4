/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Numbers that the file need not have: the number of the HBA in the name of a storage object, and the
 * relative target port identifiers of TPGs. A reload and the next start must choose the same. Main thread.
 */
#ifndef CONFIG_SAVECONFIG_NUMBERS_H
#define CONFIG_SAVECONFIG_NUMBERS_H

#include "config/saveconfig_tree.h"

/*
 * The number of the HBA in the name of a storage object: 1 for "user_1/disk". Returns false if the name,
 * which may be NULL, has none.
 */
bool config_object_hba(const char *object, guint *number);
/*
 * The name of the object that a start creates for a storage object of a file, such as "user_0/disk". The
 * caller frees it. Returns NULL for an entry without a usable name.
 */
char *config_storage_object_name(const struct config_node *storage);
/*
 * Chooses the name of the object that is to be created, and notes it in the node. Takes the name of a start
 * unless a running object that stays has it.
 */
void config_storage_choose_object(struct config_node *storage, const struct config_node *running);
/*
 * Gives each TPG of the file that is new, and has no relative target port identifier, one that neither the
 * file nor a running TPG that stays has.
 */
void config_choose_ports(struct config_node *want, struct config_node *running);
/*
 * Adds a line (char *) for each number that the next start would choose otherwise, unless the configuration
 * is saved before it. file: the restored file, applied to the model.
 */
void config_list_renumbered(const struct config_node *file, struct model *model, GPtrArray *lines);
#endif
