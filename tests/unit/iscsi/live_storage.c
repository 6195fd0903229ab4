/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fakes of runner/storage and runner/backstore for live_storage.h. They can do nothing except serve a logical
 * unit.
 */
#include "live_storage.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/bytes.h"
#include "util/contract.h"

#define IO_NS 300000 /* The duration of an I/O, which is longer than that of a message between loops. */

struct backstore {
	struct tcmur_info info;
	atomic_uint inflight;
	uint8_t byte;
	uint8_t data[LIVE_BLOCKS * 512];
};

struct storage_lu {
	atomic_uint refs;
	struct storage *storage;
	struct backstore bs;
	struct scsi_lu *scsi;
	struct main_work released;
};

struct storage {
	struct storage_context context;
	struct storage_owner owner;
	char name[256];
	enum storage_status status;
	struct storage_lu *served;
	unsigned units;
	storage_done *closed;
	void *closed_arg;
};

uint64_t live_time_limit_ns;
unsigned live_units;
static atomic_uint io_in_flight;
static atomic_bool hanging;

unsigned live_io_in_flight(void)
{
	return atomic_load(&io_in_flight);
}

void live_storage_hang(bool hang)
{
	atomic_store(&hanging, hang);
}

/* --- the backstore ------------------------------------------------------------------------------------- */

static void copy(struct backstore_io *bio)
{
	uint8_t *at = bio->bs->data + bio->io.offset;

	for (unsigned i = 0; i < bio->io.iovcnt; i++) {
		const struct iovec *iov = &bio->io.iov[i];

		if (bio->op == BACKSTORE_READ)
			memcpy(iov->iov_base, at, iov->iov_len);
		for (size_t n = 0; bio->op == BACKSTORE_WRITE && n < iov->iov_len; n++)
			contract(((uint8_t *)iov->iov_base)[n] == bio->bs->byte);
		at += iov->iov_len;
	}
}

static void io_end(struct loop_timer *timer)
{
	struct backstore_io *bio =
	    container_of((uint8_t(*)[TCMUR_IO_SCRATCH_MAX])timer, struct backstore_io, scratch);

	if (atomic_load(&hanging) && !atomic_load(&bio->cancelled)) {
		loop_timer_arm(bio->loop, timer, IO_NS);
		return;
	}
	if (!atomic_load(&bio->cancelled))
		copy(bio);
	atomic_fetch_sub(&bio->bs->inflight, 1);
	atomic_fetch_sub(&io_in_flight, 1);
	bio->done(bio, atomic_load(&bio->cancelled) ? TCMUR_TIMEOUT : TCMUR_OK);
}

void backstore_submit(struct backstore_io *bio)
{
	struct loop_timer *timer = (struct loop_timer *)bio->scratch;

	contract(loop_current() == bio->loop);
	atomic_store(&bio->cancelled, false);
	*timer = (struct loop_timer){.fn = io_end};
	atomic_fetch_add(&bio->bs->inflight, 1);
	atomic_fetch_add(&io_in_flight, 1);
	loop_timer_arm(bio->loop, timer, IO_NS);
}

/* Half of the cancelled I/O has not started. */
void backstore_cancel(struct backstore_io *bio)
{
	contract(loop_current() == bio->loop);
	if (bio->io.offset / 512 % 2)
		return;
	atomic_store(&bio->cancelled, true);
	loop_timer_arm(bio->loop, (struct loop_timer *)bio->scratch, 0);
}

void backstore_hold(struct backstore_io *bio)
{
	(void)bio;
}

void backstore_scsi_cancel(struct backstore_scsi *bss)
{
	(void)bss;
}

const char *backstore_name(const struct backstore *bs)
{
	(void)bs;
	return "live";
}

const struct tcmur_info *backstore_info(const struct backstore *bs)
{
	return &bs->info;
}

uint64_t backstore_size(const struct backstore *bs)
{
	return bs->info.size;
}

bool backstore_has_flush(const struct backstore *bs)
{
	(void)bs;
	return true;
}

bool backstore_has_unmap(const struct backstore *bs)
{
	(void)bs;
	return false;
}

bool backstore_is_absent(const struct backstore *bs)
{
	(void)bs;
	return false;
}

bool backstore_has_scsi(const struct backstore *bs)
{
	(void)bs;
	return false;
}

bool backstore_has_usage(const struct backstore *bs)
{
	(void)bs;
	return false;
}

bool backstore_scsi(struct backstore_scsi *bss)
{
	(void)bss;
	return false;
}

bool backstore_can_lend(struct backstore *bs)
{
	(void)bs;
	return false;
}

void backstore_on_resize(struct backstore *bs, void (*fn)(void *arg, uint64_t new_size), void *arg)
{
	(void)bs, (void)fn, (void)arg;
}

/* --- logical units --- */

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

	contract(!atomic_load(&lu->bs.inflight));
	scsi_lu_free(lu->scsi);
	free(lu);
	live_units--;
	s->units--;
	end_close(s);
}

/* The name of the object ends with the number of the disk, and all bytes of the disk have this value. */
static struct storage_lu *new_lu(struct storage *s)
{
	struct storage_lu *lu = calloc(1, sizeof(*lu));
	const struct scsi_identity identity = {.serial = s->name};

	contract(lu);
	atomic_init(&lu->refs, 1);
	lu->storage = s;
	lu->released.fn = on_released;
	lu->bs.info =
	    (struct tcmur_info){.size = sizeof(lu->bs.data), .block_size = 512, .write_cache = true};
	lu->bs.byte = (uint8_t)atoi(strrchr(s->name, '_') + 1);
	memset(lu->bs.data, lu->bs.byte, sizeof(lu->bs.data));
	lu->scsi = scsi_lu_new(s->context.loops, &lu->bs, &identity, NULL);
	contract(lu->scsi);
	scsi_lu_set_time_limit(lu->scsi, live_time_limit_ns);
	s->units++;
	live_units++;
	return lu;
}

struct scsi_lu *storage_lu_scsi(const struct storage_lu *lu)
{
	return lu->scsi;
}

struct storage_lu *storage_lu_get(struct storage_lu *lu)
{
	atomic_fetch_add_explicit(&lu->refs, 1, memory_order_relaxed);
	return lu;
}

void storage_lu_put(struct storage_lu *lu)
{
	if (lu && atomic_fetch_sub_explicit(&lu->refs, 1, memory_order_acq_rel) == 1)
		main_queue_post(lu->storage->context.main, &lu->released);
}

/* --- objects --- */

const char *storage_status_name(enum storage_status status)
{
	return status == STORAGE_SERVED ? "served" : "configured";
}

struct storage *storage_new(const struct storage_context *context, const char *name,
			    const struct storage_owner *owner)
{
	struct storage *s = calloc(1, sizeof(*s));

	contract(s);
	s->context = *context;
	s->owner = *owner;
	snprintf(s->name, sizeof(s->name), "%s", name);
	return s;
}

void storage_open(struct storage *s, const struct storage_settings *settings, bool patient,
		  storage_done *done, void *arg)
{
	(void)settings, (void)patient;
	s->served = new_lu(s);
	s->status = STORAGE_SERVED;
	s->owner.changed(s->owner.arg, s);
	done(arg, 0, NULL);
}

void live_storage_swap(struct storage *s)
{
	struct storage_lu *old = s->served;

	s->served = new_lu(s);
	s->owner.changed(s->owner.arg, s);
	storage_lu_put(old);
}

void storage_close(struct storage *s, bool forget, unsigned timeout_s, storage_done *done, void *arg)
{
	struct storage_lu *served = s->served;

	(void)forget, (void)timeout_s;
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
	(void)s;
	contract(!"this test creates only what can be created");
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
	live_storage_swap(s);
	done(arg, 0, NULL);
}

void storage_resize(struct storage *s, uint64_t size, storage_done *done, void *arg)
{
	(void)s, (void)size;
	done(arg, 0, NULL);
}

int storage_accept_loss(struct storage *s, struct error *error)
{
	(void)s;
	return error_set(error, EINVAL, "its contents are not lost");
}

int storage_set_serial(struct storage *s, const char *serial, struct error *error)
{
	(void)s, (void)serial, (void)error;
	return 0;
}

void storage_tick(struct storage *s)
{
	(void)s;
}

void storage_health(const struct storage *s, struct storage_health *health)
{
	(void)s;
	*health = (struct storage_health){0};
}

void storage_view(const struct storage *s, struct storage_view *view)
{
	(void)s;
	*view = (struct storage_view){0};
}
