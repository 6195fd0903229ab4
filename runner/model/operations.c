/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Creates, deletes and enables objects. This file decides which kinds can be below which others, which names
 * they have, and what is refused, as LIO does. Everything else that depends on the kind is left to other
 * files.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/portal.h"
#include "model/private.h"
#include "util/cleanup.h"
#include "util/contract.h"

#define DISCARD_POLL_MS 100

/* --- names --- */

/* Reads "lun_7", "tpgt_1", or only the number. Returns the number, or -1. */
static long read_number(const char *name, const char *prefix, long max)
{
	char *end;

	if (!strncmp(name, prefix, strlen(prefix)))
		name += strlen(prefix);
	if (*name < '0' || *name > '9' || (*name == '0' && name[1]))
		return -1;
	long number = strtol(name, &end, 10);
	return *end || number > max ? -1 : number;
}

/* Converts the name to its normal form, which has at most size bytes. */
static int normalize(const struct model_object *parent, enum model_kind kind, const char *name, char *normal,
		     size_t size, unsigned *number, struct error *error)
{
	const char *prefix = kind == MODEL_TPG ? "tpgt_" : "lun_";
	char path[MODEL_PATH_SIZE];
	struct model_np np;
	long read;

	switch (kind) {
	case MODEL_TARGET:
	case MODEL_ACL:
		if (strlen(name) < size && model_name_copy(normal, name))
			return 0;
		return error_set(error, EINVAL, "%s %.250s: the name %s", model_kind_name(kind), name,
				 model_name_fault(name));
	case MODEL_PORTAL:
		if (model_np_parse(&np, name, error))
			return -EINVAL;
		snprintf(normal, size, "%s", np.text);
		return 0;
	case MODEL_TPG:
	case MODEL_LUN:
	case MODEL_MAPPED_LUN:
		read = read_number(name, prefix, kind == MODEL_TPG ? MODEL_TAG_MAX : MODEL_LUN_MAX);
		if (read < 0)
			return error_set(error, EINVAL,
					 "%s: '%.80s' is not the name of a %s; use %sN, with N from 0 to %d",
					 model_path(parent, path), name, model_kind_name(kind), prefix,
					 kind == MODEL_TPG ? MODEL_TAG_MAX : MODEL_LUN_MAX);
		*number = (unsigned)read;
		snprintf(normal, size, "%s%ld", prefix, read);
		return 0;
	default:
		if (!*name || strlen(name) >= size || strspn(name, "/") || !strcmp(name, ".."))
			return error_set(error, EINVAL, "'%.80s' cannot be the name of a storage object",
					 name);
		snprintf(normal, size, "%s", name);
		return 0;
	}
}

/* --- create --- */

static const enum model_kind parents[MODEL_KINDS] = {
    [MODEL_STORAGE] = MODEL_ROOT,   [MODEL_TARGET] = MODEL_ROOT, [MODEL_TPG] = MODEL_TARGET,
    [MODEL_PORTAL] = MODEL_TPG,     [MODEL_LUN] = MODEL_TPG,     [MODEL_ACL] = MODEL_TPG,
    [MODEL_MAPPED_LUN] = MODEL_ACL,
};

static int check_destination(const struct model_object *parent, enum model_kind kind,
			     const struct model_object *to, struct error *error)
{
	if (kind != MODEL_LUN && kind != MODEL_MAPPED_LUN)
		return 0;
	if (!to || to->kind != (kind == MODEL_LUN ? MODEL_STORAGE : MODEL_LUN))
		return model_refuse(error, parent, EINVAL, "a %s must point to a %s", model_kind_name(kind),
				    model_kind_name(kind == MODEL_LUN ? MODEL_STORAGE : MODEL_LUN));
	if (to->removing)
		return model_refuse(error, to, EBUSY, "it is being deleted");
	if (kind == MODEL_LUN && !to->enabled)
		return model_refuse(error, to, ENODEV,
				    "it is not enabled; enable it before a LUN points to it");
	if (kind == MODEL_LUN && to->is_being_renamed)
		return model_refuse(error, to, EBUSY,
				    "its unit serial number is being changed; try again in a moment");
	if (kind == MODEL_MAPPED_LUN && to->parent != parent->parent)
		return model_refuse(error, parent, EINVAL, "a mapped LUN must point to a LUN of its own TPG");
	return 0;
}

static int prepare(struct model_object *object, struct error *error)
{
	switch (object->kind) {
	case MODEL_STORAGE:
		return model_storage_create(object, error);
	case MODEL_TPG:
		return model_tpg_create(object, error);
	case MODEL_ACL:
		return model_acl_create(object, error);
	case MODEL_PORTAL:
		return model_portal_create(object, error);
	case MODEL_MAPPED_LUN:
		return model_mapped_lun_create(object, error);
	default:
		return 0;
	}
}

/* Is called after the object has been added to the tree. */
static int activate(struct model_object *object, struct error *error)
{
	int err = 0;

	if (object->kind == MODEL_LUN)
		err = model_mapping_refresh(object);
	else if (object->kind == MODEL_MAPPED_LUN)
		err = model_mapping_refresh(object->to);
	else if (object->kind == MODEL_ACL)
		model_dynamic_replace(object);
	return err ? model_refuse(error, object, ENOMEM, "there is no memory") : 0;
}

static int store_settings(struct model_object *object, const struct model_setting *settings,
			  unsigned nsettings, struct error *error)
{
	struct error reason;

	for (unsigned i = 0; i < nsettings; i++) {
		contract(settings[i].attribute->kind == object->kind && !settings[i].attribute->begin);
		if (model_attribute_check(settings[i].attribute, settings[i].text, &reason))
			return model_refuse(error, object, EINVAL, "%s", reason.text);
		if (model_value_store(object, settings[i].attribute, settings[i].text))
			return model_refuse(error, object, ENOMEM, "there is no memory");
	}
	return 0;
}

static void take_back(struct model_object *object);

static struct model_object *make(struct model_object *parent, enum model_kind kind, const char *name,
				 unsigned number, struct model_object *to,
				 const struct model_setting *settings, unsigned nsettings,
				 struct error *error)
{
	struct model_object *object = model_object_new(parent, kind, name, number);
	int err = object ? prepare(object, error) : error_set(error, ENOMEM, "%s: there is no memory", name);

	if (!err)
		err = store_settings(object, settings, nsettings, error);
	if (err) {
		if (object)
			take_back(object);
		errno = -err;
		return NULL;
	}
	object->to = to;
	if (!model_object_link(object))
		err = model_refuse(error, object, ENOMEM, "there is no memory");
	else
		err = activate(object, error);
	if (!err)
		return object;
	model_object_unlink(object);
	take_back(object);
	errno = -err;
	return NULL;
}

static struct model_object *create(struct model_object *parent, enum model_kind kind, const char *name,
				   struct model_object *to, const struct model_setting *settings,
				   unsigned nsettings, struct error *error)
{
	char normal[MODEL_TEXT_SIZE], path[MODEL_PATH_SIZE];
	unsigned number = 0;
	int err;

	contract(kind != MODEL_ROOT && kind < MODEL_KINDS);
	if (parent->kind != parents[kind])
		err =
		    model_refuse(error, parent, EINVAL, "a %s cannot be created here", model_kind_name(kind));
	else if (parent->removing)
		err = model_refuse(error, parent, EBUSY, "it is being deleted");
	else
		err = normalize(parent, kind, name, normal, kind == MODEL_STORAGE ? 256 : MODEL_NAME_SIZE,
				&number, error);
	const struct model_object *existing = err ? NULL : model_find(parent, kind, normal);
	if (existing)
		err = error_set(error, EEXIST, "%s %s already exists", model_kind_name(kind),
				model_path(existing, path));
	if (!err)
		err = check_destination(parent, kind, to, error);
	if (err) {
		errno = -err;
		return NULL;
	}
	struct model_object *object = make(parent, kind, normal, number, to, settings, nsettings, error);
	if (object) {
		model_count_change(object->model);
		model_notify(object->model, MODEL_CREATED, object);
	}
	return object;
}

struct model_object *model_create(struct model_object *parent, enum model_kind kind, const char *name,
				  struct model_object *to, struct error *error)
{
	return create(parent, kind, name, to, NULL, 0, error);
}

struct model_object *model_create_lun(struct model_object *parent, enum model_kind kind, const char *name,
				      struct model_object *to, const struct model_setting *settings,
				      unsigned nsettings, struct error *error)
{
	contract(kind == MODEL_LUN || kind == MODEL_MAPPED_LUN);
	return create(parent, kind, name, to, settings, nsettings, error);
}

/* --- delete --- */

/* Ends everything that the object and the objects below it provide to initiators. */
static void close_all(struct model_object *object)
{
	struct list *node, *tmp;

	/* Logins read these. */
	lock_take(&object->model->lock);
	object->removing = true;
	object->enabled = object->kind == MODEL_STORAGE && object->enabled;
	lock_drop(&object->model->lock);
	if (object->kind == MODEL_TPG)
		model_tpg_close(object);
	else if (object->kind == MODEL_ACL)
		model_acl_close(object);
	else if (object->kind == MODEL_LUN || object->kind == MODEL_MAPPED_LUN)
		model_mapping_remove(object);
	else if (object->kind == MODEL_PORTAL && object->np)
		model_portal_close(object);
	for (unsigned kind = 0; kind < MODEL_KINDS; kind++)
		list_for_each (&object->children[kind], node, tmp)
			close_all(list_entry(node, struct model_object, node));
}

static void release(struct model_object *object)
{
	if (object->kind == MODEL_TPG) {
		model_tpg_set_port(object, 0, NULL);
		model_dynamic_clear(object);
	}
	model_object_unlink(object);
	model_object_free(object);
}

/* The mapped LUNs of an ACL point to LUNs of the TPG, so ACLs are freed first. */
static const enum model_kind order[] = {MODEL_MAPPED_LUN, MODEL_ACL, MODEL_LUN,
					MODEL_PORTAL,     MODEL_TPG, MODEL_TARGET};

static void destroy(struct model_object *object)
{
	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++)
		while (!list_empty(&object->children[order[i]]))
			destroy(list_entry(object->children[order[i]].next, struct model_object, node));
	model_notify(object->model, MODEL_DELETED, object);
	release(object);
}

/*
 * Removes an object whose creation has failed, so that nothing uses it yet. References that were released may
 * still be in the queue of the main thread.
 */
static void take_back(struct model_object *object)
{
	object->removing = true;
	if (object->storage)
		storage_discard(object->storage);
	close_all(object);
	if (object->kind == MODEL_TPG)
		model_tpg_set_port(object, 0, NULL);
	model_object_drain(object, model_object_free, NULL, NULL);
}

static bool has_children(const struct model_object *object)
{
	for (unsigned kind = 0; kind < MODEL_KINDS; kind++)
		if (!list_empty(&object->children[kind]))
			return true;
	return false;
}

/* Refuses the operation because LUNs or mapped LUNs lead to the object. */
static int refuse_use(const struct model_object *object, struct error *error)
{
	const struct model_object *first = list_entry(object->pointers.next, struct model_object, to_node);
	const char *kind = model_kind_name(first->kind);
	char path[MODEL_PATH_SIZE];

	if (object->npointers == 1)
		return model_refuse(error, object, EBUSY, "it is in use by the %s %s; delete this %s first",
				    kind, model_path(first, path), kind);
	return model_refuse(error, object, EBUSY,
			    "it is in use by %u %ss, such as %s; delete these %ss first", object->npointers,
			    kind, model_path(first, path), kind);
}

static int check_deletable(const struct model_object *object, bool recursive, struct error *error)
{
	if (!object->parent)
		return model_refuse(error, object, EPERM, "it cannot be deleted");
	if (object->npointers)
		return refuse_use(object, error);
	if (!recursive && has_children(object))
		return model_refuse(error, object, ENOTEMPTY,
				    "there are objects below it; delete them first");
	if (object->op)
		return model_refuse(error, object, EBUSY,
				    "it is being changed already; try again in a moment");
	return 0;
}

void model_delete(struct model_object *object, bool recursive, model_done *done, void *arg)
{
	struct error error;
	int err = check_deletable(object, recursive, &error);

	if (err) {
		done(arg, err, &error);
		return;
	}
	model_count_change(object->model);
	if (object->kind == MODEL_STORAGE) {
		model_storage_close(object, true, done, arg);
		return;
	}
	close_all(object);
	model_object_drain(object, destroy, done, arg);
}

/* --- the end --- */

struct clearing {
	struct model *model;
	unsigned pending;
	int err;
	struct error error;
	model_done *done;
	void *arg;
};

/* Is called when a storage object has been closed, and at the end of clear_storage(). */
static void on_cleared(void *arg, int err, const struct error *error)
{
	struct clearing *clearing = arg;

	if (err && !clearing->err) {
		clearing->err = err;
		clearing->error = *error;
	}
	if (--clearing->pending)
		return;
	clearing->done(clearing->arg, clearing->err, &clearing->error);
	free(clearing);
}

/*
 * Is called when all targets have been closed. Closes all storage objects. pending counts this call, too, so
 * that done() is not called while this function still begins to close storage objects.
 */
static void clear_storage(void *arg, int err, const struct error *error)
{
	struct clearing *clearing = arg;
	struct model_object *object = model_first(clearing->model->root, MODEL_STORAGE), *next;

	for (; object && !err; object = next) {
		next = model_next(object);
		clearing->pending++;
		model_storage_end(object, on_cleared, clearing);
	}
	on_cleared(clearing, err, error);
}

static void destroy_targets(struct model_object *root)
{
	while (!list_empty(&root->children[MODEL_TARGET]))
		destroy(list_entry(root->children[MODEL_TARGET].next, struct model_object, node));
}

void model_clear(struct model *model, model_done *done, void *arg)
{
	struct clearing *clearing = malloc(sizeof(*clearing));
	struct error error;

	if (!clearing) {
		done(arg, error_set(&error, ENOMEM, "there is no memory"), &error);
		return;
	}
	*clearing = (struct clearing){.model = model, .pending = 1, .done = done, .arg = arg};
	for (struct model_object *target = model_first(model->root, MODEL_TARGET); target;
	     target = model_next(target))
		close_all(target);
	model_object_drain(model->root, destroy_targets, clear_storage, clearing);
}

void model_discard(struct model *model)
{
	struct model_object *object;

	for (object = model_first(model->root, MODEL_TARGET); object; object = model_next(object))
		close_all(object);
	while (!model_object_is_unused(model->root))
		main_queue_wait(model->context.main, DISCARD_POLL_MS);
	destroy_targets(model->root);
	while ((object = model_first(model->root, MODEL_STORAGE)))
		model_storage_discard(object);
	/* The visit of the loops that the changes have caused must end before the model is freed. */
	while (model->update_queued)
		main_queue_wait(model->context.main, DISCARD_POLL_MS);
}

/* --- enable --- */

static void enable(struct model_object *object, bool on, bool patient, model_done *done, void *arg)
{
	struct error error;

	if (object->removing)
		done(arg, model_refuse(&error, object, EBUSY, "it is being deleted"), &error);
	else if (object->kind != MODEL_STORAGE && object->kind != MODEL_TPG)
		done(arg, model_refuse(&error, object, EINVAL, "only storage objects and TPGs are enabled"),
		     &error);
	else if (object->enabled == on)
		done(arg, 0, NULL);
	else if (object->kind == MODEL_TPG)
		model_tpg_enable(object, on, done, arg);
	else if (!on)
		done(arg,
		     model_refuse(&error, object, EINVAL, "a storage object cannot be disabled; delete it"),
		     &error);
	else
		model_storage_enable(object, patient, done, arg);
}

void model_enable(struct model_object *object, bool on, model_done *done, void *arg)
{
	enable(object, on, false, done, arg);
}

void model_enable_patiently(struct model_object *storage, model_done *done, void *arg)
{
	enable(storage, true, true, done, arg);
}
