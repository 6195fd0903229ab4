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

/*
 * Main thread; may block. Reads the file of the state folder. If it cannot be read, this is logged, and
 * nothing is known. Returns NULL if there is no memory.
 */
struct storage_inventories *storage_inventories_open(struct storage_registry *registry);
/*
 * Main thread; may block. Writes what is not in the file yet. No session may exist. inventories may be NULL.
 */
void storage_inventories_close(struct storage_inventories *inventories);

/*
 * The functions below can be called by any thread and do not block. The names of the ports are those of the
 * I_T nexus (RFC 7143 4.4.1). If inventories is NULL, nothing is remembered.
 */

/*
 * To be called when a session of the I_T nexus begins. luns is the digest of the current inventory. Returns
 * whether the initiator knows another inventory.
 */
bool storage_inventories_begin(struct storage_inventories *inventories, const char *target_port,
			       const char *initiator_port, struct digest_set luns);
/* To be called when REPORT LUNS tells the initiator its inventory. */
void storage_inventories_report(struct storage_inventories *inventories, const char *target_port,
				const char *initiator_port, struct digest_set luns);
/* To be called when a session of the I_T nexus ends. */
void storage_inventories_end(struct storage_inventories *inventories, const char *target_port,
			     const char *initiator_port);
#endif
