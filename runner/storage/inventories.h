/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What each initiator knows of the LUNs that it sees: its logical unit inventory. An initiator that does not
 * know of a change gets REPORTED LUNS DATA HAS CHANGED (SAM-5 5.14, SPC-4 6.33). The inventory may change
 * while the initiator is not logged in, or while the daemon is not running. Therefore the daemon remembers
 * for each I_T nexus the inventory that its initiator knows, and keeps it in the state folder.
 *
 * An initiator learns its inventory at its first login to the target, and with each REPORT LUNS.
 */
#ifndef STORAGE_INVENTORIES_H
#define STORAGE_INVENTORIES_H

#include "storage/digest.h"
#include "storage/identity.h"

struct storage_inventories;
/* The inventory that the initiator of one I_T nexus knows. */
struct inventory;

/*
 * Main thread; may block. Reads the file of the state folder. If it cannot be read, this is logged, and each
 * initiator counts as new. Returns NULL if memory is short.
 */
struct storage_inventories *storage_inventories_open(struct storage_registry *registry);
/*
 * Main thread; may block. Writes all changes that the file does not have yet, and frees the object. All
 * sessions must have ended. If inventories is NULL, nothing happens.
 */
void storage_inventories_close(struct storage_inventories *inventories);

/* The functions below can be called by any thread and do not block. */

/*
 * To be called when a session begins. The names of the ports are those of its I_T nexus (RFC 7143 4.4.1), and
 * luns is the digest of its current inventory. Sets *has_changed to whether the initiator knows another
 * inventory. Returns what the initiator knows, which is valid until storage_inventories_end(). Returns NULL
 * if inventories is NULL or memory is short; the initiator then counts as new.
 */
struct inventory *storage_inventories_begin(struct storage_inventories *inventories, const char *target_port,
					    const char *initiator_port, struct digest_set luns,
					    bool *has_changed);
/* To be called when REPORT LUNS tells the initiator its inventory. known may be NULL. */
void storage_inventories_report(struct storage_inventories *inventories, struct inventory *known,
				struct digest_set luns);
/* To be called when the session ends. known may be NULL. */
void storage_inventories_end(struct storage_inventories *inventories, struct inventory *known);
#endif
