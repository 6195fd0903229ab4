/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The LUNs of a session: its LUN map, and a nexus for each LUN that the session uses. Everything here
 * runs on the loop of the session.
 *
 * A nexus is attached by the first command for its LUN, so that a login costs the same for one LUN and
 * for thousands. When a LUN leaves the map, or leads to another logical unit, new commands do not find
 * its nexus any more; the nexus is detached after its last command.
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
	/* A reference, which keeps nexus.lu. */
	struct model_entry *entry;
	struct iscsi_session *session;
	unsigned number;
	struct iscsi_lun *hash_next;
	/* In luns->active, or in luns->leaving. */
	struct list node;
	/* The time limit of each command; 0: there is none. */
	uint64_t time_limit_ns;
	/* Commands do not find the nexus any more; it is detached when nothing uses it. */
	bool leaving;
	/* scsi_nexus_detach() was called. */
	bool detached;
	/* Tasks of the nexus: commands that gather or run, and responses that are sent from memory of
	 * the handler. */
	unsigned ntasks;
	/* Task management functions in progress. */
	unsigned ntmfs;
	/* Ends the commands when the session ends. */
	struct scsi_tmf loss;
};

struct iscsi_luns {
	/* References; NULL in a discovery session. */
	struct model_view *view;
	/* Also NULL when the session ends. */
	struct model_map *map;
	/* struct iscsi_lun by number; a power of two of buckets, at first those in few. */
	struct iscsi_lun **buckets;
	unsigned nbuckets, count;
	struct iscsi_lun *few[ISCSI_LUN_BUCKETS];
	/* struct iscsi_lun */
	struct list active, leaving;
	/* The initiator does not know its inventory of LUNs: each nexus reports this. */
	bool changed;
};

/* view NULL: a discovery session, which has no LUNs. */
void iscsi_luns_init(struct iscsi_luns *luns, struct model_view *view);
/* No nexus is left. */
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
 * The nexus of a LUN of the map; attaches it if the session has not used the LUN yet. number may be the
 * result of model_lun_decode(). *lun is NULL where there is no such LUN. Returns false if there is no memory.
 */
bool iscsi_lun_get(struct iscsi_session *session, int number, struct iscsi_lun **lun);

/* For REPORT LUNS, as scsi_it_nexus.report_luns. The initiator knows its inventory from now on. */
uint32_t iscsi_luns_report(struct iscsi_luns *luns, uint8_t (*list)[8], uint32_t max);
/* Takes over the reference to another view. The map changes with iscsi_luns_update(). */
void iscsi_luns_set_view(struct iscsi_luns *luns, struct model_view *view);
/*
 * Takes the current map of the view. Commands of LUNs that have left it and that wait for Data-Out
 * end with LOGICAL UNIT NOT SUPPORTED, and running commands end normally. All other nexuses report that
 * the inventory has changed.
 */
void iscsi_luns_update(struct iscsi_session *session);
/* The session ends: all nexuses leave, and their commands are aborted. None waits for Data-Out. */
void iscsi_luns_end(struct iscsi_session *session);
/*
 * The session has ended, and of its commands only those are left that have expired: all nexuses are lost, as
 * if these commands were over.
 */
void iscsi_luns_detach(struct iscsi_luns *luns);
/* From the deferred work of the connection: detaches the nexuses that have left and that nothing uses
 * any more. */
void iscsi_luns_reap(struct iscsi_luns *luns);
#endif
