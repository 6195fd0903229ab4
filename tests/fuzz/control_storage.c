/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A fake of runner/storage for the control socket: storage that needs no thread and no file. The config
 * decides what happens: "bad/..." cannot be opened, "late/..." is opened when the main queue runs, and
 * everything else is opened at once. The file also replaces the functions for saveconfig.json, which here
 * only report that they were called.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config/saveconfig.h"
#include "scsi/scsi.h"
#include "storage/lu.h"
#include "storage/storage.h"
#include "util/list.h"

struct storage_lu {
	unsigned refs;
	struct storage *storage;
};

struct storage {
	struct storage_context context;
	struct storage_owner owner;
	char *name;
	enum storage_status status;
	uint64_t size;
	struct storage_lu lu;
	/* An operation that ends when the main queue runs. */
	struct main_work work;
	storage_done *done;
	void *arg;
};

static void finish_later(struct storage *s, void (*fn)(struct main_work *work), storage_done *done, void *arg)
{
	s->work.fn = fn;
	s->done = done;
	s->arg = arg;
	main_queue_post(s->context.main, &s->work);
}

struct scsi_lu *storage_lu_scsi(const struct storage_lu *lu)
{
	(void)lu;
	return NULL;
}

const char *storage_lu_serial(const struct storage_lu *lu)
{
	(void)lu;
	return "";
}

/* This fake has no backstore. */
struct backstore *storage_lu_backstore(const struct storage_lu *lu)
{
	(void)lu;
	return NULL;
}

struct storage_lu *storage_lu_get(struct storage_lu *lu)
{
	lu->refs++;
	return lu;
}

static void on_closed(struct main_work *work)
{
	struct storage *s = container_of(work, struct storage, work);

	s->done(s->arg, 0, NULL);
	free(s->name);
	free(s);
}

void storage_lu_put(struct storage_lu *lu)
{
	if (lu && !--lu->refs && lu->storage->status == STORAGE_REMOVING)
		main_queue_post(lu->storage->context.main, &lu->storage->work);
}

struct storage *storage_new(const struct storage_context *context, const char *name,
			    const struct storage_owner *owner)
{
	struct storage *s = calloc(1, sizeof(*s));

	s->context = *context;
	s->owner = *owner;
	s->name = strdup(name);
	s->lu.storage = s;
	return s;
}

static void serve(struct storage *s)
{
	s->status = STORAGE_SERVED;
	s->lu.refs = 1;
	s->owner.changed(s->owner.arg, s);
}

static void on_opened(struct main_work *work)
{
	struct storage *s = container_of(work, struct storage, work);

	serve(s);
	s->done(s->arg, 0, NULL);
}

void storage_open(struct storage *s, const struct storage_settings *settings, bool patient,
		  storage_done *done, void *arg)
{
	struct error error;

	(void)patient;
	s->size = settings->size;
	if (!strncmp(settings->config, "bad/", 4)) {
		done(arg, error_set(&error, ENOENT, "%s: there is no such storage", s->name), &error);
	} else if (!strncmp(settings->config, "late/", 5)) {
		s->status = STORAGE_OPENING;
		finish_later(s, on_opened, done, arg);
	} else {
		serve(s);
		done(arg, 0, NULL);
	}
}

void storage_close(struct storage *s, bool forget, unsigned timeout_s, storage_done *done, void *arg)
{
	bool was_served = s->status == STORAGE_SERVED;

	(void)forget;
	(void)timeout_s;
	s->status = STORAGE_REMOVING;
	s->work.fn = on_closed;
	s->done = done;
	s->arg = arg;
	s->owner.changed(s->owner.arg, s);
	if (was_served)
		storage_lu_put(&s->lu);
	else
		main_queue_post(s->context.main, &s->work);
}

void storage_discard(struct storage *s)
{
	free(s->name);
	free(s);
}

struct storage_lu *storage_served(const struct storage *s)
{
	return s->status == STORAGE_SERVED ? (struct storage_lu *)&s->lu : NULL;
}

enum storage_status storage_status(const struct storage *s)
{
	return s->status;
}

const char *storage_status_name(enum storage_status status)
{
	return status == STORAGE_SERVED ? "served" : "configured";
}

void storage_replace(struct storage *s, const struct storage_settings *settings, storage_done *done,
		     void *arg)
{
	(void)s;
	(void)settings;
	done(arg, 0, NULL);
}

void storage_resize(struct storage *s, uint64_t size, storage_done *done, void *arg)
{
	s->size = size;
	s->owner.changed(s->owner.arg, s);
	done(arg, 0, NULL);
}

void storage_set_serial(struct storage *s, const char *serial, storage_done *done, void *arg)
{
	const struct error error = {""};

	(void)serial;
	done(arg, s->status == STORAGE_SERVED ? 0 : -EBUSY, &error);
}

int storage_set_filters(struct storage *storage, const char *config, struct error *error)
{
	(void)storage, (void)config, (void)error;
	return 0;
}

void storage_accept_loss(struct storage *s, storage_done *done, void *arg)
{
	struct error error;

	done(arg, error_set(&error, EINVAL, "%s: its contents were not lost", s->name), &error);
}

void storage_tick(struct storage *s)
{
	(void)s;
}

void storage_flush(struct storage *s, storage_done *done, void *arg)
{
	(void)s;
	done(arg, 0, NULL);
}

void storage_health(const struct storage *s, struct storage_health *health)
{
	(void)s;
	memset(health, 0, sizeof(*health));
}

void storage_view(const struct storage *s, struct storage_view *view)
{
	memset(view, 0, sizeof(*view));
	view->size = s->size;
}

/* --- saveconfig.json --- */

static void finish(saveconfig_done *done, void *arg, const char *path)
{
	const char *lines[] = {path, NULL};
	struct error error = {"there is no file"};

	done(arg, path ? 0 : -EINVAL, &error, lines);
}

void saveconfig_save(struct saveconfig *config, const char *path, saveconfig_done *done, void *arg)
{
	(void)config;
	finish(done, arg, path);
}

void saveconfig_restore(struct saveconfig *config, const char *path, saveconfig_progress *progress,
			saveconfig_done *done, void *arg)
{
	(void)config;
	if (progress)
		progress(arg, 1, 2);
	finish(done, arg, path);
}

void saveconfig_reload(struct saveconfig *config, const char *path, bool discard,
		       saveconfig_progress *progress, saveconfig_done *done, void *arg)
{
	(void)discard;
	saveconfig_restore(config, path, progress, done, arg);
}

void saveconfig_diff(struct saveconfig *config, const char *path, saveconfig_done *done, void *arg)
{
	(void)config;
	finish(done, arg, path);
}

bool saveconfig_has_changed(const struct saveconfig *config)
{
	return config;
}

const char *saveconfig_path(const struct saveconfig *config)
{
	(void)config;
	return NULL;
}

void saveconfig_list_failed(const struct saveconfig *config,
			    void (*fn)(void *arg, const struct saveconfig_entry *entry), void *arg)
{
	(void)config;
	fn(arg, &(struct saveconfig_entry){"user_0/lost", "storage_objects[0]", "there is no such handler"});
}

void saveconfig_list_refused(const struct saveconfig *config,
			     void (*fn)(void *arg, const struct saveconfig_entry *entry), void *arg)
{
	const struct saveconfig_entry closed = {"iqn.2026-11.test:closed/tpgt_1", "targets[0].tpgs[0]",
						"the TPG stays disabled: a limit is not known"};

	(void)config;
	fn(arg, &closed);
}

int saveconfig_forget(struct saveconfig *config, const char *name, struct error *error)
{
	(void)config;
	return error_set(error, ENOENT, "no entry has the name %s", name);
}
