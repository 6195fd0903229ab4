/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Opens storage and makes its logical unit. This file decides whether storage is created, which identity it
 * gets, and what a loss of its contents means. storage.c and the kernel front end decide when storage is
 * opened, and what happens after a failure.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "storage/lu_private.h"
#include "storage/registry.h"
#include "storage/spec.h"
#include "util/cleanup.h"
#include "util/log.h"

/* The size and the block size of a stand-in if they are unknown. Initiators cannot see either of them. */
#define UNKNOWN_SIZE  (1ull << 62)
#define UNKNOWN_BLOCK 512

static const char *folder_of(const struct storage_lu_request *request)
{
	return request->settings->folder ? request->settings->folder : request->registry->path;
}

static const char *subject_of(const struct storage_lu_request *request)
{
	return request->subject ? request->subject : request->name;
}

static const char *unit_name_of(const struct storage_lu_request *request)
{
	return request->settings->origin ? request->settings->origin : request->name;
}

/* Parses the text of the settings. */
static int parse(const struct storage_lu_request *request, struct storage_spec *storage, struct error *error)
{
	const char *config = request->settings->config;
	int err = storage_spec_check_literal(config, folder_of(request), error);

	return err ? err : storage_spec_parse(storage, config, error);
}

static struct backstore_spec make_spec(const struct storage_lu_request *request,
				       const struct storage_spec *storage)
{
	const struct storage_settings *settings = request->settings;

	return (struct backstore_spec){
	    .name = subject_of(request),
	    .config = storage->config,
	    .state_dir = folder_of(request),
	    .options = storage->options,
	    .noptions = storage->noptions,
	    .filters = storage->backstore_filters,
	    .nfilters = storage->nfilters,
	    .size = settings->size,
	    .block_size = settings->block_size,
	    .read_only = settings->read_only,
	    .existing = settings->existing,
	    .keeps_size = settings->keeps_size,
	    .replaced = request->replaced ? request->replaced->bs : NULL,
	    .is_hanging = request->is_hanging,
	};
}

int storage_lu_check(const struct storage_lu_request *request, struct error *error)
{
	struct storage_spec storage;
	int err = parse(request, &storage, error);

	if (err)
		return err;
	const struct backstore_spec spec = make_spec(request, &storage);
	err = backstore_check(&spec, error);
	storage_spec_free(&storage);
	return err ? -EINVAL : 0;
}

int storage_lu_set_filters(const struct storage_lu *lu, const char *config, struct error *error)
{
	struct storage_spec storage;
	int err = storage_spec_parse(&storage, config, error);

	if (!err)
		err = backstore_set_filters(lu->bs, storage.backstore_filters, storage.nfilters, error);
	storage_spec_free(&storage);
	return err;
}

bool storage_lu_has_storage(const struct storage_lu *lu, const struct storage_lu_request *request)
{
	const char *config = backstore_config(lu->bs), *place = backstore_identity(lu->bs)->place;
	struct storage_spec storage;
	struct tcmur_identity identity;
	size_t len = strcspn(config, "/") + 1;

	if (!*place || parse(request, &storage, NULL))
		return false;
	const struct backstore_spec spec = make_spec(request, &storage);
	bool same = !strncmp(config, spec.config, len) && backstore_identify(&spec, &identity, NULL) >= 0 &&
		    !strcmp(identity.place, place);
	storage_spec_free(&storage);
	return same;
}

/* --- the storage --- */

/*
 * Finds the place of storage from its path without looking at the file system, because its folder is missing
 * as well.
 */
static void set_textual_place(const struct backstore_spec *spec, struct tcmur_identity *identity)
{
	const char *path = strchr(spec->config, '/') + 1;

	snprintf(identity->place, sizeof(identity->place), "%s%s%s", *path == '/' ? "" : spec->state_dir,
		 *path == '/' ? "" : "/", path);
}

/*
 * Refuses to create storage that is missing and has been served before. Its file system may not be mounted,
 * and initiators would take an empty disk for theirs.
 */
static int check_never_served(const struct storage_lu *lu, const struct backstore_spec *spec,
			      struct error *error)
{
	struct tcmur_identity identity = {.own = ""};

	if (backstore_identify(spec, &identity, NULL) < 0)
		set_textual_place(spec, &identity);
	const struct storage_object object = {.config = spec->config,
					      .storage = &identity,
					      .name = storage_name_text(lu->name),
					      .configured = NULL};
	if (!storage_identity_is_known(lu->registry, &object))
		return 0;
	return error_set(error, ENOMEDIUM,
			 "%s is missing. %s, so it is not created%s; mount its "
			 "file system or restore it, or create it to begin with an empty disk: truncate -s "
			 "%" PRIu64 " %s",
			 identity.place,
			 lu->registry->folder < 0
			     ? "It may have been served before, which is unknown without a state folder"
			     : "It has been served before",
			 lu->registry->folder < 0 ? "" : " again", spec->size, identity.place);
}

/*
 * Adds a hint to the error for a configuration such as file/srv/disk.img, which is a relative path. If only
 * the absolute path /srv/disk.img exists, the hint says how to write it.
 */
static int add_hint_at_absolute_path(const char *config, int err, struct error *error)
{
	const char *path = strchr(config, '/');
	const char *last = strrchr(path, '/');
	struct error reason = *error;
	struct stat st;

	if (err != -ENOENT || path[1] == '/' || last == path)
		return err;
	CLEANUP_FREE char *folder = strndup(path, (size_t)(last - path));
	if (!folder || stat(folder, &st) || !S_ISDIR(st.st_mode))
		return err;
	return error_set(error, ENOENT, "%.300s (did you mean %.*s/%s?)", reason.text, (int)(path - config),
			 config, path);
}

/* Opens the backstore, and sets lu->bs. */
static int open_backstore(struct storage_lu *lu, const struct storage_lu_request *request,
			  struct backstore_spec *spec, struct error *error)
{
	lu->bs = backstore_open(request->loops, spec, error);
	int err = lu->bs ? 0 : -errno;

	if (err == -ENOENT && request->settings->create) {
		err = check_never_served(lu, spec, error);
		if (err)
			return err;
		spec->create = true;
		spec->existing = false;
		lu->bs = backstore_open(request->loops, spec, error);
		err = lu->bs ? 0 : -errno;
	}
	if (err)
		add_hint_at_absolute_path(spec->config, err, error);
	return error_add_user_if_denied(error, err);
}

/* --- the identity --- */

static int choose_identity(const struct storage_lu *lu, const char *serial, bool is_new,
			   struct storage_identity *identity, struct error *error)
{
	const struct storage_object object = {
	    .config = backstore_config(lu->bs),
	    .storage = backstore_identity(lu->bs),
	    .name = storage_name_text(lu->name),
	    .configured = serial,
	    .is_new = is_new,
	    .is_cancelled = lu->is_cancelled,
	    .is_hanging = lu->is_hanging,
	};

	/*
	 * Storage that is open is recorded as served, so that it is not created again when it is missing
	 * later.
	 */
	return storage_identity_choose(lu->registry, &object, !storage_lu_is_absent(lu), identity, error);
}

static int enter_unit(struct storage_lu *lu, const struct storage_identity *identity, struct error *error)
{
	struct storage_unit *unit =
	    storage_unit_enter(lu->registry, lu->owner, lu->unit_name, identity, error);

	if (!unit)
		return -EEXIST;
	storage_unit_leave(lu->unit);
	lu->unit = unit;
	snprintf(lu->serial, sizeof(lu->serial), "%s", identity->serial);
	return 0;
}

int storage_lu_choose_identity(const struct storage_lu *lu, const char *serial, struct storage_naming *naming,
			       struct error *error)
{
	int err = choose_identity(lu, serial, false, &naming->identity, error);

	if (err)
		return err;
	naming->unit = storage_unit_enter(lu->registry, lu->owner, lu->unit_name, &naming->identity, error);
	if (!naming->unit)
		return -EEXIST;
	naming->is_lost = lu->contents && storage_contents_set_serial(lu->contents, naming->identity.serial);
	return 0;
}

void storage_lu_take_identity(struct storage_lu *lu, struct storage_naming *naming)
{
	storage_unit_leave(lu->unit);
	lu->unit = naming->unit;
	naming->unit = NULL;
	snprintf(lu->serial, sizeof(lu->serial), "%s", naming->identity.serial);
	scsi_lu_set_serial(lu->scsi, naming->identity.serial, naming->identity.naa);
	if (!naming->is_lost)
		return;
	scsi_lu_set_blocked(lu->scsi, true);
	atomic_store_explicit(&lu->is_lost, true, memory_order_release);
}

int storage_lu_identify(struct storage_lu *lu, const char *serial, struct error *error)
{
	struct storage_naming naming = {.unit = NULL};
	int err = storage_lu_choose_identity(lu, serial, &naming, error);

	if (!err)
		storage_lu_take_identity(lu, &naming);
	return err;
}

/*
 * Adds a stand-in to the list of units. If another unit has its identity, initiators would join both, so the
 * stand-in gets a random identity.
 */
static int enter_stand_in(struct storage_lu *lu, struct storage_identity *identity, struct error *error)
{
	struct error clash;
	int err = enter_unit(lu, identity, &clash);

	if (!err)
		return 0;
	err = choose_identity(lu, NULL, true, identity, error);
	return err ? err : enter_unit(lu, identity, error);
}

static int identify_at_open(struct storage_lu *lu, const struct storage_lu_request *request,
			    struct storage_identity *identity, struct error *error)
{
	bool is_new =
	    !request->is_identity_fixed && lu->contents && storage_contents_are_new(lu->contents, lu->bs);
	int err = choose_identity(lu, request->settings->serial, is_new, identity, error);

	if (err || request->is_identified_later)
		return err;
	return storage_lu_is_absent(lu) ? enter_stand_in(lu, identity, error)
					: enter_unit(lu, identity, error);
}

/* --- the logical unit --- */

static void apply_settings(struct storage_lu *lu, const struct storage_lu_request *request)
{
	const struct storage_settings *settings = request->settings;

	if (settings->max_transfer)
		scsi_lu_limit_transfer(lu->scsi, settings->max_transfer);
	scsi_lu_set_time_limit(lu->scsi, settings->time_limit * NS_PER_S);
	if (settings->write_cache >= 0 && !storage_lu_is_absent(lu) &&
	    scsi_lu_set_write_cache(lu->scsi, settings->write_cache))
		log_warn(subject_of(request), "the write cache cannot be switched on: the storage has none");
}

static int make_scsi(struct storage_lu *lu, const struct storage_lu_request *request, struct error *error)
{
	const struct storage_settings *settings = request->settings;
	struct storage_identity chosen;
	const struct scsi_identity identity = {
	    .vendor = settings->vendor,
	    .product = settings->product,
	    .revision = settings->revision,
	    .serial = chosen.serial,
	    .naa = chosen.naa,
	};
	int err = identify_at_open(lu, request, &chosen, error);

	if (err)
		return err;
	lu->scsi = scsi_lu_new(request->loops, lu->bs, &identity, error);
	if (!lu->scsi)
		return -EINVAL;
	apply_settings(lu, request);
	return 0;
}

/*
 * Decides what a loss of the contents means. If initiators know the lost contents under a fixed identity, the
 * unit is not ready until the administrator accepts the loss. Under a new identity, initiators find a new
 * disk.
 */
static void settle_contents(struct storage_lu *lu, const struct storage_lu_request *request)
{
	const char *serial = request->settings->serial;
	bool is_fixed = request->is_identity_fixed || (serial && *serial);
	bool is_accepted =
	    request->is_loss_accepted || backstore_info(lu->bs)->flags & TCMUR_INFO_LOSS_ACCEPTED;

	if (!storage_contents_are_lost(lu->contents, lu->bs))
		return;
	if (is_fixed && !is_accepted) {
		atomic_store_explicit(&lu->is_lost, true, memory_order_release);
		scsi_lu_set_blocked(lu->scsi, true);
		return;
	}
	if (!request->is_loss_accepted) {
		log_warn(subject_of(request),
			 "its contents were lost with the memory of the daemon; it is an empty disk now");
		scsi_lu_set_medium_changed(lu->scsi);
	}
	storage_contents_accept_loss(lu->contents);
}

/* --- the storage with its logical unit --- */

static struct storage_lu *allocate(const struct storage_lu_request *request,
				   const struct storage_spec *storage)
{
	struct storage_lu *lu = calloc(1, sizeof(*lu));

	if (!lu)
		return NULL;
	atomic_init(&lu->references, 1);
	lu->registry = request->registry;
	lu->is_cancelled = request->is_cancelled;
	lu->owner = request->owner;
	lu->main = request->main;
	lu->closed = request->closed;
	lu->name = storage_name_enter(request->registry, storage->config, request->name);
	lu->unit_name = strdup(unit_name_of(request));
	if (lu->name && lu->unit_name)
		return lu;
	storage_lu_close(lu);
	return NULL;
}

static int open_parts(struct storage_lu *lu, const struct storage_lu_request *request,
		      const struct storage_spec *storage, struct error *error)
{
	struct backstore_spec spec = make_spec(request, storage);

	if (storage_is_cancelled(request->is_cancelled))
		return error_set(error, ECANCELED, "it is being removed");
	lu->contents = storage_contents_new(lu->registry, storage->config, storage_name_text(lu->name),
					    request->name, request->settings->serial);
	if (!lu->contents)
		return error_set(error, ENOMEM, "out of memory");
	spec.keeper = storage_contents_keeper(lu->contents);
	int err = open_backstore(lu, request, &spec, error);
	if (!err)
		err = storage_contents_lock(lu->contents, lu->bs, error);
	if (!err)
		err = make_scsi(lu, request, error);
	if (err)
		return err;
	storage_spec_print_options(storage, lu->options, sizeof(lu->options));
	settle_contents(lu, request);
	return 0;
}

static int open_absent_parts(struct storage_lu *lu, const struct storage_lu_request *request,
			     const struct storage_spec *storage, struct error *error)
{
	struct backstore_spec spec = make_spec(request, storage);

	if (!spec.block_size)
		spec.block_size = UNKNOWN_BLOCK;
	if (!spec.size)
		spec.size = UNKNOWN_SIZE;
	lu->is_hanging = request->is_hanging;
	lu->bs = backstore_open_absent(request->loops, &spec, error);
	int err = lu->bs ? make_scsi(lu, request, error) : -errno;
	if (!err)
		scsi_lu_set_becoming_ready(lu->scsi, request->is_becoming_ready);
	return err;
}

typedef int open_fn(struct storage_lu *lu, const struct storage_lu_request *request,
		    const struct storage_spec *storage, struct error *error);

static int open_with(open_fn *open, const struct storage_lu_request *request,
		     const struct storage_spec *storage, struct storage_lu **opened, struct error *error)
{
	struct storage_lu *lu = allocate(request, storage);
	int err = lu ? open(lu, request, storage, error) : error_set(error, ENOMEM, "out of memory");

	if (!err) {
		*opened = lu;
		return 0;
	}
	if (lu) {
		/* At a stop of the daemon, everything is kept for the next start. */
		lu->is_discarded = err != -ECANCELED;
		storage_lu_close(lu);
	}
	return err;
}

int storage_lu_open(const struct storage_lu_request *request, struct storage_lu **lu, struct error *error)
{
	struct storage_spec storage;
	int err = parse(request, &storage, error);

	if (err)
		return err;
	err = open_with(open_parts, request, &storage, lu, error);
	storage_spec_free(&storage);
	return err;
}

/* The stand-in gets the identity of the storage, even if the options are wrong. */
int storage_lu_open_absent(const struct storage_lu_request *request, struct storage_lu **lu,
			   struct error *error)
{
	struct storage_spec storage;

	if (storage_spec_parse(&storage, request->settings->config, NULL))
		storage.config = request->settings->config;
	int err = open_with(open_absent_parts, request, &storage, lu, error);
	storage_spec_free(&storage);
	return err;
}
