/* SPDX-License-Identifier: Apache-2.0 */
/*
 * By which name the state folder knows a disk whose storage has no place of its own. LIO's name of a disk
 * contains the number of an HBA ("user_3/disk"), and this number follows from the order in which disks are
 * created. The identity of a disk must not depend on an order, so the state folder knows the disk without the
 * number ("user/disk"). README.md explains what happens if LIO has the same name in two HBAs.
 */
#ifndef STORAGE_NAMES_H
#define STORAGE_NAMES_H

#include "storage/identity.h"

struct storage_name;

/*
 * Pool or main thread; may block. Chooses the name for a disk with this configuration ("HANDLER/CONFIG") and
 * this name, and keeps it from other disks until storage_name_leave(). A file of the state folder that an
 * older version has written under the name with the number gets its new name. NULL: there is no memory.
 */
struct storage_name *storage_name_enter(struct storage_registry *registry, const char *config,
					const char *name);
/* The name for the state folder. */
const char *storage_name_text(const struct storage_name *name);
/* Any thread. NULL: nothing happens. */
void storage_name_leave(struct storage_name *name);
#endif
