/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The LUNs of a session: its LUN map, and a nexus for each LUN that the session uses. Everything here runs on
 * the loop of the session. The first command for a LUN attaches its nexus, so a login costs the same for one
 * LUN and for thousands. When a LUN leaves the map, or leads to another logical unit, new commands do not
 * find its nexus any more, and the nexus is detached after its last command.
 */
#ifndef ISCSI_LUN_H
#define ISCSI_LUN_H

#include <stdbool.h>
#include <stdint.h>

#include "model/map.h"
#include "scsi/scsi.h"
#include "util/list.h"

#define ISCSI_LUN_BUCKETS 8

struct iscsi_session;

struct iscsi_lun {
	struct scsi_nexus nexus;
	/* The session holds a reference to the entry, so that nexus.lu stays valid. */
	struct model_entry *entry;
	struct iscsi_session *session;
	unsigned number;
	struct iscsi_lun *hash_next;
	/* Links the nexus into luns->active or into luns->leaving. */
	struct list node;
	/* The time limit of each command, or 0 if there is none. */
	uint64_t time_limit_ns;
	/* New commands do not find the nexus any more. It is detached when nothing uses it. */
	bool leaving;
	/* scsi_nexus_detach() was called. */
	bool detached;
	/*
	 * The number of tasks that use the nexus: commands that gather data or run, and responses that are
	 * sent from memory of the handler.
	 */
	unsigned ntasks;
	/* The number of task management functions in progress. */
	unsigned ntmfs;
	/* Aborts the commands when the session ends. */
	struct scsi_tmf loss;
};

struct iscsi_luns {
	/* The session holds references to its view and its map. The view is NULL in a discovery session. */
	struct model_view *view;
	/* NULL as well after the end of the session. */
	struct model_map *map;
	/*
	 * The hash table of struct iscsi_lun by number. The number of buckets is a power of two. At first the
	 * table is the array few.
	 */
	struct iscsi_lun **buckets;
	unsigned nbuckets, count;
	struct iscsi_lun *few[ISCSI_LUN_BUCKETS];
	/* Lists of struct iscsi_lun. */
	struct list active, leaving;
	/* The initiator does not know that its inventory of LUNs has changed. Each nexus reports it. */
	bool changed;
};

/* Initializes the LUNs. view is NULL for a discovery session, which has no LUNs. */
void iscsi_luns_init(struct iscsi_luns *luns, struct model_view *view);
/* Frees the table. All nexuses must have been detached. */
void iscsi_luns_free(struct iscsi_luns *luns);

/* Returns the nexus of a LUN that the session uses already, or NULL. */
static inline struct iscsi_lun *iscsi_lun_find(const struct iscsi_luns *luns, unsigned number)
{
	struct iscsi_lun *lun = luns->buckets[number & (luns->nbuckets - 1)];

	while (lun && lun->number != number)
		lun = lun->hash_next;
	return lun;
}
/*
 * Sets *lun to the nexus of a LUN of the map, and attaches it if the session has not used the LUN yet. number
 * may be the result of model_lun_decode(). *lun is NULL if there is no such LUN. Returns false if there is no
 * memory.
 */
bool iscsi_lun_get(struct iscsi_session *session, int number, struct iscsi_lun **lun);

/*
 * The function scsi_it_nexus.report_luns, for REPORT LUNS. It also records that the initiator knows its
 * inventory.
 */
uint32_t iscsi_luns_report(struct iscsi_luns *luns, uint8_t (*list)[8], uint32_t max);
/* Takes over the reference to another view. The map changes with iscsi_luns_update(). */
void iscsi_luns_set_view(struct iscsi_luns *luns, struct model_view *view);
/*
 * Takes the current map of the view. Commands that wait for Data-Out and whose LUN has left the map end with
 * LOGICAL UNIT NOT SUPPORTED, and running commands end normally. All remaining nexuses report that the
 * inventory has changed.
 */
void iscsi_luns_update(struct iscsi_session *session);
/*
 * Ends the session's use of all LUNs: all nexuses leave, and their commands are aborted. No command may be
 * waiting for Data-Out.
 */
void iscsi_luns_end(struct iscsi_session *session);
/*
 * Detaches all nexuses of a session that has ended, and whose only remaining commands have expired, as if
 * these commands had ended.
 */
void iscsi_luns_detach(struct iscsi_luns *luns);
/*
 * To be called from the deferred work of the connection. Detaches the nexuses that have left and that nothing
 * uses any more.
 */
void iscsi_luns_reap(struct iscsi_luns *luns);
#endif
