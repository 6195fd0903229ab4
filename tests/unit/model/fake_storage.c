/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A fake of runner/storage that opens and closes at once, on the main thread. A closed object waits until its
 * logical unit is no longer referenced, as the real one does.
 */
#include "fake_storage.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "storage/lu.h"

struct storage_lu {
	atomic_uint refs;
	struct storage *storage;
	struct scsi_lu *scsi;
	void *unit;
	char serial[32];
	struct main_work released;
};

struct storage {
	struct storage_context context;
	struct storage_owner owner;
	char name[256];
	enum storage_status status;
	struct storage_lu *served;
	unsigned units;
	/* The number of logical units so far. Each one has another unit serial number. */
	unsigned serials;
	uint64_t size;
	bool is_in_memory;
	storage_done *closed;
	void *closed_arg;
};

int fake_open_error;
unsigned fake_units;
const struct fake_unit_ops *fake_unit_ops;

static void end_close(struct storage *s)
{
	storage_done *done = s->closed;
	void *arg = s->closed_arg;

	if (!done || s->units)
		return;
	free(s);
	done(arg, 0, NULL);
}

static void on_released(struct main_work *work)
{
	struct storage_lu *lu = container_of(work, struct storage_lu, released);
	struct storage *s = lu->storage;

	if (fake_unit_ops)
		fake_unit_ops->destroy(lu->unit);
	free(lu);
	fake_units--;
	s->units--;
	end_close(s);
}

static struct storage_lu *new_lu(struct storage *s)
{
	struct storage_lu *lu = calloc(1, sizeof(*lu));

	atomic_init(&lu->refs, 1);
	lu->storage = s;
	lu->released.fn = on_released;
	lu->scsi = (struct scsi_lu *)lu;
	if (fake_unit_ops)
		lu->unit = fake_unit_ops->create(&s->context, s->name, &lu->scsi);
	snprintf(lu->serial, sizeof(lu->serial), "%.20s %u", s->name, s->serials++);
	s->units++;
	fake_units++;
	return lu;
}

struct scsi_lu *storage_lu_scsi(const struct storage_lu *lu)
{
	return lu->scsi;
}

const char *storage_lu_serial(const struct storage_lu *lu)
{
	return lu->serial;
}

struct storage_lu *storage_lu_get(struct storage_lu *lu)
{
	atomic_fetch_add(&lu->refs, 1);
	return lu;
}

void storage_lu_put(struct storage_lu *lu)
{
	if (lu && atomic_fetch_sub(&lu->refs, 1) == 1)
		main_queue_post(lu->storage->context.main, &lu->released);
}

const char *storage_status_name(enum storage_status status)
{
	static const char *const names[] = {"configured", "opening",       "served",
					    "failed",     "contents lost", "removing"};

	return names[status];
}

struct storage *storage_new(const struct storage_context *context, const char *name,
			    const struct storage_owner *owner)
{
	struct storage *s = calloc(1, sizeof(*s));

	s->context = *context;
	s->owner = *owner;
	strncpy(s->name, name, sizeof(s->name) - 1);
	return s;
}

void storage_open(struct storage *s, const struct storage_settings *settings, bool patient,
		  storage_done *done, void *arg)
{
	int err = -fake_open_error;
	struct error error = {"it does not open"};

	s->is_in_memory = !strncmp(settings->config, "alloc/", 6);
	s->size = settings->size ? settings->size : 1048576;
	fake_open_error = 0;
	if (!err || patient) {
		s->served = new_lu(s);
		s->status = err ? STORAGE_FAILED : STORAGE_SERVED;
		s->owner.changed(s->owner.arg, s);
	}
	done(arg, err, &error);
}

void fake_storage_swap(struct storage *s)
{
	struct storage_lu *old = s->served;

	s->served = new_lu(s);
	s->status = STORAGE_SERVED;
	s->owner.changed(s->owner.arg, s);
	storage_lu_put(old);
}

void storage_close(struct storage *s, bool forget, unsigned timeout_s, storage_done *done, void *arg)
{
	struct storage_lu *served = s->served;
	struct error error;

	(void)forget, (void)timeout_s;
	if (s->closed) {
		done(arg, error_set(&error, EBUSY, "it is being removed already"), &error);
		return;
	}
	s->closed = done;
	s->closed_arg = arg;
	s->served = NULL;
	s->status = STORAGE_REMOVING;
	s->owner.changed(s->owner.arg, s);
	if (served)
		storage_lu_put(served);
	else
		end_close(s);
}

void storage_discard(struct storage *s)
{
	storage_lu_put(s->served);
	while (s->units)
		main_queue_wait(s->context.main, 100);
	free(s);
}

struct storage_lu *storage_served(const struct storage *s)
{
	return s->served;
}

const char *storage_name(const struct storage *s)
{
	return s->name;
}

enum storage_status storage_status(const struct storage *s)
{
	return s->status;
}

void storage_replace(struct storage *s, const struct storage_settings *settings, storage_done *done,
		     void *arg)
{
	(void)settings;
	fake_storage_swap(s);
	done(arg, 0, NULL);
}

void storage_resize(struct storage *s, uint64_t size, storage_done *done, void *arg)
{
	s->size = size;
	done(arg, 0, NULL);
}

void storage_accept_loss(struct storage *s, storage_done *done, void *arg)
{
	struct error error;

	(void)s;
	done(arg, error_set(&error, EINVAL, "its contents are not lost"), &error);
}

void storage_set_serial(struct storage *s, const char *serial, storage_done *done, void *arg)
{
	const struct error none = {""};

	(void)s, (void)serial;
	done(arg, 0, &none);
}

int storage_set_filters(struct storage *s, const char *config, struct error *error)
{
	(void)s, (void)config, (void)error;
	return 0;
}

void storage_tick(struct storage *s)
{
	(void)s;
}

void storage_health(const struct storage *s, struct storage_health *health)
{
	(void)s;
	*health = (struct storage_health){.sense_keys = {[3] = 2}};
}

void storage_view(const struct storage *s, struct storage_view *view)
{
	*view = (struct storage_view){.size = s->size, .block_size = 512, .is_in_memory = s->is_in_memory};
}
