/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes the entries of LUN maps for LUN objects. A LUN has an entry in the view of its TPG, which initiators
 * without an ACL see. A mapped LUN has an entry in the view of its ACL. Both lead to the logical unit that
 * serves the storage object at the moment, so new entries are made whenever another logical unit serves it.
 */
#include <errno.h>

#include "model/private.h"

static struct model_object *lun_of(struct model_object *object)
{
	return object->kind == MODEL_LUN ? object : object->to;
}

/* Returns the view that contains the LUN, which belongs to the TPG of a LUN or to the ACL of a mapped LUN. */
static struct model_view *view_of(const struct model_object *object)
{
	return object->parent->view;
}

static bool is_protected(const struct model_object *object)
{
	if (object->kind == MODEL_LUN)
		return model_known_number(object->parent, MODEL_A_DEMO_MODE_WRITE_PROTECT) ||
		       model_known_number(object, MODEL_A_LUN_WRITE_PROTECT);
	return model_known_number(object, MODEL_A_WRITE_PROTECT);
}

/* Returns the logical unit to which the entry must lead, or NULL. */
static struct storage_lu *wanted(struct model_object *object)
{
	if (object->kind == MODEL_LUN && model_known_number(object, MODEL_A_ACL_ONLY))
		return NULL;
	return lun_of(object)->to->served;
}

static int refresh_one(struct model_object *object)
{
	struct storage_lu *served = wanted(object);
	struct model_entry *old = object->entry, *entry = NULL;

	/*
	 * If there is no view, the TPG is disabled, and its sessions are ending. Its entries are made when it
	 * is enabled, together with its views. If the object is being deleted, the deletion would wait for a
	 * new entry for ever.
	 */
	if (object->removing || !view_of(object) || (old ? model_entry_storage(old) : NULL) == served)
		return 0;
	if (served) {
		entry = model_entry_new(object, object->number, served, is_protected(object));
		if (!entry)
			return -ENOMEM;
	}
	int err = model_view_change(view_of(object), object->number, entry);
	if (err) {
		model_entry_put(entry);
		return err;
	}
	object->entry = entry;
	model_entry_put(old);
	return 0;
}

int model_mapping_refresh(struct model_object *lun)
{
	struct list *node, *tmp;
	int err = refresh_one(lun);

	list_for_each (&lun->pointers, node, tmp) {
		struct model_object *mapped = list_entry(node, struct model_object, to_node);

		if (refresh_one(mapped))
			err = -ENOMEM;
	}
	return err;
}

void model_mapping_remove(struct model_object *object)
{
	if (!object->entry)
		return;
	/* If there is no memory for a new map, the LUN stays visible until the next change. */
	if (view_of(object))
		model_view_change(view_of(object), object->number, NULL);
	model_entry_put(object->entry);
	object->entry = NULL;
}

void model_mapping_protect(struct model_object *object)
{
	if (!object->entry)
		return;
	model_entry_protect(object->entry, is_protected(object));
	/* A new map with the same entry makes the sessions read the entry again. */
	model_view_change(view_of(object), object->number, object->entry);
}
