/* SPDX-License-Identifier: Apache-2.0 */
/*
 * LUN maps, which are what event loops know about the model. A view describes what one group of initiators
 * sees: the initiators of one ACL, or all initiators that a TPG admits without an ACL. A view always has one
 * current map. A map never changes: a change of the model makes a new map, which shares all unchanged parts
 * with the old map, and then visits every loop, so that each session changes to the new map on its own loop.
 * No loop ever takes a lock of the model for a command.
 */
#ifndef MODEL_MAP_H
#define MODEL_MAP_H

#include <stdbool.h>
#include <stdint.h>

#include "scsi/scsi.h"
#include "storage/digest.h"

struct model_view;
struct model_map;
/*
 * One LUN of a map. The entry has a reference count of its own: when no map and no nexus uses it any more, it
 * is released together with its logical unit. The deletion of a LUN waits for this.
 */
struct model_entry;

/*
 * Any thread. Returns the entry of a LUN, which is valid as long as the map, without a reference. Returns
 * NULL if there is no such LUN.
 */
struct model_entry *model_map_entry(const struct model_map *map, unsigned lun);
/*
 * Any thread. Returns the smallest LUN of the map that is not below from, or -1. A loop over these results
 * visits all LUNs in ascending order.
 */
int model_map_next(const struct model_map *map, unsigned from);
/* Any thread. Returns the number of LUNs of the map. */
unsigned model_map_count(const struct model_map *map);
/*
 * Any thread. Returns whether each LUN has the same entry in both maps. Shared parts of the maps are not
 * compared.
 */
bool model_map_is_same(const struct model_map *a, const struct model_map *b);
/*
 * Any thread. Returns the digest of the logical unit inventory: of the LUNs and the unit serial numbers to
 * which they lead. It is the same after a restart of the daemon if the inventory is the same. The change of a
 * unit serial number counts when a new logical unit serves the disk.
 */
struct digest_set model_map_digest(const struct model_map *map);
/* Any thread. model_map_put() accepts NULL. */
struct model_map *model_map_get(struct model_map *map);
void model_map_put(struct model_map *map);

/*
 * Any thread. Returns the logical unit, which is valid as long as a reference to the entry, or to a map that
 * contains it, is held.
 */
struct scsi_lu *model_entry_lu(const struct model_entry *entry);
/*
 * Any thread. Returns whether initiators of the view cannot write to the LUN. A change makes a new map with
 * the same entry.
 */
bool model_entry_is_write_protected(const struct model_entry *entry);
/* Any thread. Each nexus that has commands in flight must hold a reference. */
struct model_entry *model_entry_get(struct model_entry *entry);
void model_entry_put(struct model_entry *entry);

/* Any thread; takes the lock of the model. Returns the current map, with a reference. */
struct model_map *model_view_map(struct model_view *view);
/*
 * Any thread. Returns whether the sessions of this view must end. The reason can be that the TPG was
 * disabled; that the ACL, the TPG or the target was deleted; or that the rights of the initiator have changed
 * so much that it must log in again.
 */
bool model_view_is_closed(const struct model_view *view);
/* Any thread. model_view_put() accepts NULL. */
struct model_view *model_view_get(struct model_view *view);
void model_view_put(struct model_view *view);
#endif
