/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of the inventories that initiators know, and its text in the state folder. It has no lock; its
 * users are in inventories.c.
 *
 * The table is divided into sets, and the target port selects the set of an I_T nexus. Each set keeps a
 * limited number of nexuses without a session, and forgets the one that was used least recently. An initiator
 * that logs in under many names can therefore only displace nexuses of its own set.
 */
#ifndef STORAGE_INVENTORY_TABLE_H
#define STORAGE_INVENTORY_TABLE_H

#include "storage/digest.h"
#include "util/error.h"
#include "util/list.h"

#define INVENTORY_SETS 256
/* The number of I_T nexuses without a session that a set keeps. */
#define INVENTORY_SET_MAX 256
#define INVENTORY_ID_SIZE 16

/* The inventory that the initiator of one I_T nexus knows. */
struct inventory {
	/* Links the inventory into its set, in which the one that was used least recently is the first. */
	struct list node;
	/* The I_T nexus. The first byte selects the set. */
	uint8_t id[INVENTORY_ID_SIZE];
	/* The digest of the LUNs and the logical units that the initiator knows. */
	struct digest_set luns;
	/* The time of the last use, in seconds of CLOCK_REALTIME. */
	uint64_t used_s;
	/* The number of sessions of the nexus. */
	unsigned nsessions;
	/* Whether the file does not have this inventory yet. */
	bool is_unsaved;
};

struct inventory_table {
	struct list sets[INVENTORY_SETS];
};

void inventory_table_init(struct inventory_table *table);
void inventory_table_clear(struct inventory_table *table);
/* Computes the ID of an I_T nexus from the names of its ports (RFC 7143 4.4.1). */
void inventory_id(const char *target_port, const char *initiator_port, uint8_t id[INVENTORY_ID_SIZE]);
/* Returns the inventory of the nexus, or NULL if the nexus is not in the table. */
struct inventory *inventory_find(const struct inventory_table *table, const uint8_t *id);
/* Adds an I_T nexus that is not in the table yet. Returns NULL if memory is short. */
struct inventory *inventory_add(struct inventory_table *table, const uint8_t *id, uint64_t used_s);
/* Returns the inventory after previous, or the first one if previous is NULL, or NULL after the last one. */
struct inventory *inventory_next(const struct inventory_table *table, const struct inventory *previous);
/* Records that the nexus is used at this time. */
void inventory_use(struct inventory_table *table, struct inventory *inventory, uint64_t used_s);
/* Forgets nexuses without a session until the set of this nexus has at most INVENTORY_SET_MAX of them. */
void inventory_limit(struct inventory_table *table, const uint8_t *id);

/* Returns the text of the table, which the caller frees. Returns NULL if memory is short. */
char *inventory_table_format(const struct inventory_table *table);
/*
 * Adds the nexuses in text to the empty table. text is changed. Returns 0, or -errno with error set. After an
 * error, the table may have some of the nexuses.
 */
int inventory_table_parse(struct inventory_table *table, char *text, struct error *error);
#endif
