/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The LUNs of a session: finds the logical unit for a command, and applies a new LUN map. The model defines
 * the contents of the map, and task.c executes commands.
 */
#include "iscsi/lun.h"

#include <stdlib.h>
#include <string.h>

#include "iscsi/expiry.h"
#include "iscsi/gather.h"
#include "iscsi/task.h"
#include "model/lun.h"
#include "scsi/sense.h"
#include "util/contract.h"

void iscsi_luns_init(struct iscsi_luns *luns, struct model_view *view)
{
	luns->buckets = luns->few;
	luns->nbuckets = ISCSI_LUN_BUCKETS;
	list_init(&luns->active);
	list_init(&luns->leaving);
	if (!view)
		return;
	luns->view = model_view_get(view);
	luns->map = model_view_map(view);
}

void iscsi_luns_free(struct iscsi_luns *luns)
{
	contract(list_empty(&luns->active) && list_empty(&luns->leaving));
	if (luns->buckets != luns->few)
		free(luns->buckets);
	model_map_put(luns->map);
	model_view_put(luns->view);
}

/* --- the nexuses by number -------------------------------------------------------------------- */

static struct iscsi_lun **bucket(struct iscsi_luns *luns, unsigned number)
{
	return &luns->buckets[number & (luns->nbuckets - 1)];
}

static void insert(struct iscsi_luns *luns, struct iscsi_lun *lun)
{
	struct iscsi_lun **head = bucket(luns, lun->number);

	lun->hash_next = *head;
	*head = lun;
}

/* If there is no memory, the hash table keeps its size, and its chains become longer. */
static void grow(struct iscsi_luns *luns)
{
	struct iscsi_lun **more = calloc(4 * luns->nbuckets, sizeof(struct iscsi_lun *));
	struct list *node, *tmp;

	if (!more)
		return;
	if (luns->buckets != luns->few)
		free(luns->buckets);
	luns->buckets = more;
	luns->nbuckets *= 4;
	list_for_each (&luns->active, node, tmp)
		insert(luns, list_entry(node, struct iscsi_lun, node));
}

static void enter(struct iscsi_luns *luns, struct iscsi_lun *lun)
{
	if (++luns->count > luns->nbuckets)
		grow(luns);
	insert(luns, lun);
	list_add_tail(&luns->active, &lun->node);
}

static void leave(struct iscsi_luns *luns, struct iscsi_lun *lun)
{
	struct iscsi_lun **link = bucket(luns, lun->number);

	while (*link != lun)
		link = &(*link)->hash_next;
	*link = lun->hash_next;
	luns->count--;
	list_del(&lun->node);
	list_add_tail(&luns->leaving, &lun->node);
	lun->leaving = true;
	iscsi_conn_wake(lun->session->conn);
}

/* --- attaching and detaching ------------------------------------------------------------------ */

static struct iscsi_lun *attach(struct iscsi_session *session, unsigned number, struct model_entry *entry)
{
	struct iscsi_lun *lun = calloc(1, sizeof(*lun));

	if (!lun)
		return NULL;
	lun->session = session;
	lun->number = number;
	lun->entry = model_entry_get(entry);
	scsi_nexus_attach(&lun->nexus, &session->it_nexus, model_entry_lu(entry), session->conn->il->loop);
	scsi_nexus_set_write_protected(&lun->nexus, model_entry_is_write_protected(entry));
	lun->time_limit_ns = scsi_lu_time_limit_ns(lun->nexus.lu);
	if (lun->time_limit_ns)
		iscsi_expiry_begin(session->conn->il);
	if (session->luns.changed)
		scsi_nexus_luns_changed(&lun->nexus);
	enter(&session->luns, lun);
	return lun;
}

bool iscsi_lun_get(struct iscsi_session *session, int number, struct iscsi_lun **lun)
{
	struct iscsi_luns *luns = &session->luns;
	struct model_entry *entry;

	*lun = number < 0 ? NULL : iscsi_lun_find(luns, (unsigned)number);
	if (*lun || number < 0 || !luns->map)
		return true;
	entry = model_map_entry(luns->map, (unsigned)number);
	if (entry)
		*lun = attach(session, (unsigned)number, entry);
	return *lun || !entry;
}

static void detach(struct iscsi_lun *lun)
{
	if (lun->detached)
		return;
	lun->detached = true;
	if (lun->time_limit_ns)
		iscsi_expiry_end(lun->session->conn->il);
	scsi_nexus_detach(&lun->nexus);
}

void iscsi_luns_detach(struct iscsi_luns *luns)
{
	struct list *node, *tmp;

	list_for_each (&luns->leaving, node, tmp)
		detach(list_entry(node, struct iscsi_lun, node));
	model_view_put(luns->view);
	luns->view = NULL;
}

void iscsi_luns_reap(struct iscsi_luns *luns)
{
	struct list *node, *tmp;

	list_for_each (&luns->leaving, node, tmp) {
		struct iscsi_lun *lun = list_entry(node, struct iscsi_lun, node);

		if (lun->ntasks || lun->ntmfs)
			continue;
		detach(lun);
		model_entry_put(lun->entry);
		list_del(&lun->node);
		free(lun);
	}
}

/* --- the map ---------------------------------------------------------------------------------- */

static void set_changed(struct iscsi_luns *luns, bool changed, void (*tell)(struct scsi_nexus *nexus))
{
	struct list *node, *tmp;

	luns->changed = changed;
	list_for_each (&luns->active, node, tmp)
		tell(&list_entry(node, struct iscsi_lun, node)->nexus);
}

uint32_t iscsi_luns_report(struct iscsi_luns *luns, uint8_t (*list)[8], uint32_t max)
{
	uint32_t count = 0;
	int number = -1;

	if (luns->changed)
		set_changed(luns, false, scsi_nexus_luns_reported);
	if (!luns->map)
		return 0;
	while (count < max && (number = model_map_next(luns->map, (unsigned)(number + 1))) >= 0)
		model_lun_encode((unsigned)number, list[count++]);
	return model_map_count(luns->map);
}

/* Refuses the tasks of the LUN that wait for Data-Out. */
static void refuse_gathering(struct iscsi_lun *lun)
{
	struct list *node, *tmp;

	list_for_each (&lun->session->tasks, node, tmp) {
		struct iscsi_task *task = list_entry(node, struct iscsi_task, node);

		if (task->lun == lun && task->state == ISCSI_TASK_GATHER)
			iscsi_gather_refuse(task, SENSE_NO_SUCH_LUN);
	}
}

/*
 * Applies a new map to a nexus. entry is the entry of its LUN in the map, or NULL if the map has none. The
 * map of a new ACL has other entries. If both entries lead to the same logical unit, the nexus stays, with
 * its commands and reservations.
 */
static void follow(struct iscsi_luns *luns, struct iscsi_lun *lun, struct model_entry *entry)
{
	if (entry && model_entry_lu(entry) == lun->nexus.lu) {
		model_entry_get(entry);
		model_entry_put(lun->entry);
		lun->entry = entry;
		scsi_nexus_set_write_protected(&lun->nexus, model_entry_is_write_protected(entry));
		return;
	}
	leave(luns, lun);
	refuse_gathering(lun);
}

void iscsi_luns_set_view(struct iscsi_luns *luns, struct model_view *view)
{
	model_view_put(luns->view);
	luns->view = view;
}

void iscsi_luns_update(struct iscsi_session *session)
{
	struct iscsi_luns *luns = &session->luns;
	struct model_map *old = luns->map;
	struct list *node, *tmp;

	if (!old)
		return;
	luns->map = model_view_map(luns->view);
	list_for_each (&luns->active, node, tmp) {
		struct iscsi_lun *lun = list_entry(node, struct iscsi_lun, node);

		follow(luns, lun, model_map_entry(luns->map, lun->number));
	}
	if (!model_map_is_same(old, luns->map))
		set_changed(luns, true, scsi_nexus_luns_changed);
	model_map_put(old);
}

/* --- the end of the session ------------------------------------------------------------------- */

static void loss_over(struct scsi_tmf *tmf)
{
	struct iscsi_lun *lun = container_of(tmf, struct iscsi_lun, loss);

	lun->ntmfs--;
	lun->session->ntmfs--;
	iscsi_conn_wake(lun->session->conn);
}

static void lose(struct iscsi_lun *lun)
{
	lun->loss = (struct scsi_tmf){
	    .function = SCSI_NEXUS_LOSS,
	    .lu = lun->nexus.lu,
	    .nexus = &lun->nexus,
	    .loop = lun->nexus.loop,
	    .done = loss_over,
	};
	lun->ntmfs++;
	lun->session->ntmfs++;
	scsi_tmf_submit(&lun->loss);
}

void iscsi_luns_end(struct iscsi_session *session)
{
	struct iscsi_luns *luns = &session->luns;
	struct list *node, *tmp;

	list_for_each (&luns->active, node, tmp)
		leave(luns, list_entry(node, struct iscsi_lun, node));
	list_for_each (&luns->leaving, node, tmp) {
		struct iscsi_lun *lun = list_entry(node, struct iscsi_lun, node);

		if (lun->ntasks)
			lose(lun);
	}
	model_map_put(luns->map);
	luns->map = NULL;
}
