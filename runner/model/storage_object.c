/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Storage objects of the model: makes the settings for runner/storage from attributes, and makes all LUNs of
 * a storage object lead to its new logical unit. runner/storage opens storage, tries it again, and closes it.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/apply.h"
#include "model/private.h"
#include "storage/spec.h"
#include "util/contract.h"

#define SECTOR 512

/* An operation of runner/storage in progress, and the caller that waits for it. */
struct pending {
	struct model_object *object;
	model_done *done;
	void *arg;
	/* Is called before done() if the operation has succeeded. */
	void (*succeeded)(struct model_object *object);
};

static void on_done(void *arg, int err, const struct error *error)
{
	struct pending pending = *(struct pending *)arg;

	free(arg);
	if (!err && pending.succeeded)
		pending.succeeded(pending.object);
	pending.done(pending.arg, err, error);
}

/* Begins an operation. If there is no memory, calls done() and returns NULL. */
static struct pending *begin(struct model_object *object, void (*succeeded)(struct model_object *object),
			     model_done *done, void *arg)
{
	struct pending *pending = malloc(sizeof(*pending));
	struct error error;

	if (pending)
		*pending = (struct pending){object, done, arg, succeeded};
	else
		done(arg, model_refuse(&error, object, ENOMEM, "there is no memory"), &error);
	return pending;
}

/* --- changes of the storage ---------------------------------------------------------------------------- */

static void serve(struct model_object *object, struct storage_lu *served)
{
	struct storage_lu *old = object->served;
	struct list *node, *tmp;

	object->served = served ? storage_lu_get(served) : NULL;
	list_for_each (&object->pointers, node, tmp)
		model_mapping_refresh(list_entry(node, struct model_object, to_node));
	storage_lu_put(old);
}

static void on_changed(void *arg, struct storage *storage)
{
	struct model_object *object = arg;
	struct storage_lu *served = storage_served(storage);

	if (served != object->served)
		serve(object, served);
	model_notify(object->model, MODEL_CHANGED, object);
}

/* --- settings ------------------------------------------------------------------------------------------- */

static const char *text_or_null(const struct model_object *object, enum model_known known)
{
	const char *text = model_known_text(object, known);

	return *text ? text : NULL;
}

static void read_settings(const struct model_object *object, struct storage_settings *settings)
{
	*settings = (struct storage_settings){
	    .config = model_known_text(object, MODEL_A_CONFIG),
	    .folder = text_or_null(object, MODEL_A_FOLDER),
	    .size = model_known_number(object, MODEL_A_SIZE),
	    .block_size = (uint32_t)model_known_number(object, MODEL_A_BLOCK_SIZE),
	    .max_transfer = model_known_number(object, MODEL_A_MAX_SECTORS) * SECTOR,
	    .serial = text_or_null(object, MODEL_A_SERIAL),
	    .vendor = text_or_null(object, MODEL_A_VENDOR),
	    .product = text_or_null(object, MODEL_A_PRODUCT),
	    .revision = text_or_null(object, MODEL_A_REVISION),
	    .read_only = model_known_number(object, MODEL_A_READ_ONLY),
	    .create = model_known_number(object, MODEL_A_CREATE),
	    .existing = !model_known_number(object, MODEL_A_EXACT_SIZE),
	    .write_cache = model_is_set(object, model_known(MODEL_A_WRITE_CACHE))
			       ? (int)model_known_number(object, MODEL_A_WRITE_CACHE)
			       : -1,
	    .time_limit = (unsigned)model_known_number(object, MODEL_A_TIME_LIMIT),
	};
}

/* --- operations ----------------------------------------------------------------------------------------- */

int model_storage_create(struct model_object *object, struct error *error)
{
	const struct storage_owner owner = {.changed = on_changed, .arg = object};

	object->storage = storage_new(&object->model->context, object->name, &owner);
	return object->storage ? 0 : model_refuse(error, object, ENOMEM, "there is no memory");
}

static void on_enabled(struct model_object *object)
{
	object->enabled = true;
	model_notify(object->model, MODEL_CHANGED, object);
}

static void on_opened_patiently(void *arg, int err, const struct error *error)
{
	struct pending *pending = arg;

	/* A stand-in serves the disk unless the settings are wrong. */
	if (storage_served(pending->object->storage))
		on_enabled(pending->object);
	on_done(arg, err, error);
}

void model_storage_enable(struct model_object *object, bool patient, model_done *done, void *arg)
{
	struct storage_settings settings;
	struct error error;

	read_settings(object, &settings);
	if (!*settings.config) {
		done(arg,
		     model_refuse(&error, object, EINVAL,
				  "control/config is not set; it says which storage is served"),
		     &error);
		return;
	}
	struct pending *pending = begin(object, on_enabled, done, arg);
	if (!pending)
		return;
	if (patient)
		pending->succeeded = NULL;
	storage_open(object->storage, &settings, patient, patient ? on_opened_patiently : on_done, pending);
}

static void on_closed(struct model_object *object)
{
	struct model *model = object->model;

	object->storage = NULL;
	contract(!object->served);
	model_notify(model, MODEL_DELETED, object);
	model_object_unlink(object);
	model_object_free(object);
}

/* Ends the closing. If it has failed, the object exists, and can be closed again. */
static void on_close_ended(void *arg, int err, const struct error *error)
{
	struct model_object *object = ((struct pending *)arg)->object;
	model_done *closed = object->closed;
	void *closed_arg = object->closed_arg;

	object->is_being_closed = false;
	object->closed = NULL;
	on_done(arg, err, error);
	if (closed)
		closed(closed_arg, err, error);
}

void model_storage_close(struct model_object *object, bool forget, model_done *done, void *arg)
{
	struct pending *pending = begin(object, on_closed, done, arg);
	bool is_first = !object->is_being_closed;

	if (!pending)
		return;
	object->removing = true;
	object->is_being_closed = true;
	serve(object, NULL);
	/* If the object is being closed already, this refuses the second request. */
	storage_close(object->storage, forget, MODEL_DELETE_S, is_first ? on_close_ended : on_done, pending);
}

void model_storage_end(struct model_object *object, model_done *done, void *arg)
{
	if (!object->is_being_closed) {
		model_storage_close(object, false, done, arg);
		return;
	}
	object->closed = done;
	object->closed_arg = arg;
}

void model_storage_discard(struct model_object *object)
{
	object->removing = true;
	serve(object, NULL);
	storage_discard(object->storage);
	on_closed(object);
}

static bool check_enabled(const struct model_object *object, model_done *done, void *arg)
{
	struct error error;

	if (object->enabled && !object->removing)
		return true;
	done(arg, model_refuse(&error, object, EINVAL, "it is not enabled; enable it first"), &error);
	return false;
}

/* Stores the new size if a size was set, so that it is used after a restart. */
static void on_resized(struct model_object *object)
{
	struct storage_view view;
	char text[24];

	if (!model_known_number(object, MODEL_A_SIZE))
		return;
	storage_view(object->storage, &view);
	snprintf(text, sizeof(text), "%" PRIu64, view.size);
	model_value_store(object, model_known(MODEL_A_SIZE), text);
	model_count_change(object->model);
	model_notify(object->model, MODEL_CHANGED, object);
}

void model_resize(struct model_object *object, uint64_t size, model_done *done, void *arg)
{
	struct pending *pending =
	    check_enabled(object, done, arg) ? begin(object, on_resized, done, arg) : NULL;

	if (pending)
		storage_resize(object->storage, size, on_done, pending);
}

/* Ends a replacement, after the sessions have changed to the other logical unit. */
static void on_replaced(void *arg, int err, const struct error *error)
{
	const struct pending *pending = arg;

	if (err)
		on_done(arg, err, error);
	else
		model_visit_loops(pending->object->model, on_done, arg);
}

void model_replace(struct model_object *object, model_done *done, void *arg)
{
	struct storage_settings settings;
	struct pending *pending = check_enabled(object, done, arg) ? begin(object, NULL, done, arg) : NULL;

	if (!pending)
		return;
	if (storage_status(object->storage) == STORAGE_CONTENTS_LOST) {
		storage_accept_loss(object->storage, on_done, pending);
		return;
	}
	read_settings(object, &settings);
	storage_replace(object->storage, &settings, on_replaced, pending);
}

/* --- the configuration ---------------------------------------------------------------------------------- */

static int change_filters(struct model_object *object, const char *text, struct error *error)
{
	if (storage_spec_has_same_chain(text, model_known_text(object, MODEL_A_CONFIG)))
		return storage_set_filters(object->storage, text, error);
	return model_refuse(error, object, EBUSY,
			    "it is enabled, so its config cannot be changed, except for the options of its "
			    "filters; delete it and create it again");
}

void model_begin_config(struct model_object *object, const struct model_attribute *attribute,
			const char *text, model_done *done, void *arg)
{
	struct error error = {""};
	int err = object->enabled ? change_filters(object, text, &error) : 0;

	if (!err && model_value_store(object, attribute, text)) {
		if (object->enabled)
			change_filters(object, model_known_text(object, MODEL_A_CONFIG), NULL);
		err = model_refuse(&error, object, ENOMEM, "there is no memory");
	}
	if (!err) {
		model_count_change(object->model);
		model_notify(object->model, MODEL_CHANGED, object);
	}
	done(arg, err, &error);
}

/* --- the serial number ---------------------------------------------------------------------------------- */

struct renaming {
	struct model_object *object;
	const struct model_attribute *attribute;
	char *text;
	model_done *done;
	void *arg;
};

static int store_serial(const struct renaming *renaming, struct error *error)
{
	struct model_object *object = renaming->object;

	if (model_value_store(object, renaming->attribute, renaming->text))
		return model_refuse(error, object, ENOMEM, "there is no memory");
	model_count_change(object->model);
	model_notify(object->model, MODEL_CHANGED, object);
	return 0;
}

static void on_renamed(void *arg, int err, const struct error *error)
{
	struct renaming *renaming = arg;
	struct error reason = *error;

	renaming->object->is_being_renamed = false;
	if (!err)
		err = store_serial(renaming, &reason);
	renaming->done(renaming->arg, err, &reason);
	free(renaming->text);
	free(renaming);
}

static void rename_storage(const struct renaming *wanted)
{
	struct renaming *renaming = malloc(sizeof(*renaming));
	struct error error;

	if (renaming) {
		*renaming = *wanted;
		renaming->text = strdup(wanted->text);
	}
	if (!renaming || !renaming->text) {
		free(renaming);
		wanted->done(wanted->arg, model_refuse(&error, wanted->object, ENOMEM, "there is no memory"),
			     &error);
		return;
	}
	wanted->object->is_being_renamed = true;
	storage_set_serial(wanted->object->storage, renaming->text, on_renamed, renaming);
}

void model_begin_serial(struct model_object *object, const struct model_attribute *attribute,
			const char *text, model_done *done, void *arg)
{
	const struct renaming wanted = {object, attribute, (char *)text, done, arg};
	struct error error = {""};
	int err = 0;

	if (!object->enabled)
		err = store_serial(&wanted, &error);
	else if (object->npointers)
		err = model_refuse(
		    &error, object, EBUSY,
		    "LUNs lead to it, so its unit serial number cannot be changed; delete them first");
	else if (object->is_being_renamed)
		err = model_refuse(&error, object, EBUSY,
				   "its unit serial number is being changed; try again in a moment");
	if (!object->enabled || err)
		done(arg, err, &error);
	else
		rename_storage(&wanted);
}
