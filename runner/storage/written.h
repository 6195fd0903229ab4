/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Records which disks in memory were written since the boot of the host. The records are in the state folder,
 * by the key of a disk and by the unit serial number under which initiators know it.
 */
#ifndef STORAGE_WRITTEN_H
#define STORAGE_WRITTEN_H

#include <stdbool.h>
#include <stddef.h>

#include "storage/identity.h"

/* Writes the key of the record for a unit serial number that an administrator has set. */
void storage_written_serial_key(const char *serial, char *key, size_t size);
/*
 * registry->state_lock must be held; may block. There must be a state folder. Returns whether there is a
 * record for this boot.
 */
bool storage_written_is_noted(const struct storage_registry *registry, const char *key);
/*
 * registry->state_lock must be held; may block. There must be a state folder. Stores or removes the record.
 * Returns 0, or -errno with error set.
 */
int storage_written_note(struct storage_registry *registry, const char *key, bool is_written,
			 struct error *error);
#endif
