/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The names by which the state folder identifies disks whose storage has no place of its own. LIO's name of a
 * disk contains the number of an HBA ("user_3/disk"), which depends on the order in which disks are created.
 * The identity of a disk must not depend on such an order, so the state folder uses the name without the
 * number ("user/disk"). README.md explains what happens if LIO has the same name in two HBAs.
 */
#ifndef STORAGE_NAMES_H
#define STORAGE_NAMES_H

#include "storage/identity.h"

struct storage_name;

/*
 * Pool or main thread; may block. Chooses the name for a disk with this configuration ("HANDLER/CONFIG") and
 * this name, and reserves it until storage_name_leave(). If an older version has written a file of the state
 * folder under the name with the number, the file is renamed. Returns NULL if there is no memory.
 */
struct storage_name *storage_name_enter(struct storage_registry *registry, const char *config,
					const char *name);
/* Returns the name for the state folder. */
const char *storage_name_text(const struct storage_name *name);
/* Any thread. Releases the name. If name is NULL, nothing happens. */
void storage_name_leave(struct storage_name *name);
#endif
