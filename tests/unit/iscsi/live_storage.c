/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The logical units of live_storage.h, and a fake of runner/backstore that keeps their data in memory and
 * ends their I/O after some time. The storage objects are those of fake_storage.c.
 */
#include "live_storage.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "util/bytes.h"
#include "util/contract.h"

#define IO_NS 300000 /* The duration of an I/O. A message between loops takes less time. */

struct backstore {
	struct tcmur_info info;
	atomic_uint inflight;
	uint8_t byte;
	uint8_t data[LIVE_BLOCKS * 512];
};

uint64_t live_time_limit_ns;
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

/* Every other block behaves as if its I/O had not started, so that the I/O ends at once. */
void backstore_cancel(struct backstore_io *bio)
{
	contract(loop_current() == bio->loop);
	if (bio->io.offset / 512 % 2)
		return;
	atomic_store(&bio->cancelled, true);
	loop_timer_arm(bio->loop, (struct loop_timer *)bio->scratch, 0);
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

/* --- logical units --- */

struct live_unit {
	struct backstore bs;
	struct scsi_lu *scsi;
};

/* The name of the object ends with the number of the disk, and all bytes of the disk have this value. */
static void *create_unit(const struct storage_context *context, const char *name, struct scsi_lu **scsi)
{
	struct live_unit *unit = calloc(1, sizeof(*unit));
	const struct scsi_identity identity = {.serial = name};

	contract(unit);
	unit->bs.info =
	    (struct tcmur_info){.size = sizeof(unit->bs.data), .block_size = 512, .write_cache = true};
	unit->bs.byte = (uint8_t)atoi(strrchr(name, '_') + 1);
	memset(unit->bs.data, unit->bs.byte, sizeof(unit->bs.data));
	unit->scsi = scsi_lu_new(context->loops, &unit->bs, &identity, NULL);
	contract(unit->scsi);
	scsi_lu_set_time_limit(unit->scsi, live_time_limit_ns);
	*scsi = unit->scsi;
	return unit;
}

static void destroy_unit(void *arg)
{
	struct live_unit *unit = arg;

	contract(!atomic_load(&unit->bs.inflight));
	scsi_lu_free(unit->scsi);
	free(unit);
}

const struct fake_unit_ops live_unit_ops = {create_unit, destroy_unit};
