/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Handles the event RECONFIG: an administrator writes attrib/dev_size, dev_config or emulate_write_cache, and
 * waits for the reply. lun.c opens the new storage.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "scsi/scsi.h"
#include "kernel/private.h"
#include "storage/spec.h"
#include "util/cleanup.h"
#include "util/log.h"

#define PAUSE_NS 10000000

/*
 * Writes the size that is served to the kernel. The kernel has not waited for the reply to RECONFIG: it has
 * either taken the requested size or, if another daemon has replied faster, kept the old size. The next start
 * uses the kernel's size, so it must be the size that is served. Writing it to "control" does not cause
 * another event.
 */
static void correct_size(struct kernel_device *d)
{
	char text[40];
	struct error error;

	/* The kernel sets the size only after it has sent the event. */
	kernel_pause(d, PAUSE_NS);
	snprintf(text, sizeof(text), "dev_size=%" PRIu64, backstore_size(storage_lu_backstore(d->lun)));
	if (tcmu_configfs_write(&d->cfs, "control", text, &error))
		log_warn(d->subject, "%s", error.text);
}

void kernel_answer_reconfig(struct kernel_device *d, int status)
{
	lock_take(&d->manager->lock);
	const struct tcmu_event event = d->reconfig;
	d->requests &= ~(KERNEL_BIT(KERNEL_RECONFIG) | KERNEL_BIT(KERNEL_ANSWER_RECONFIG));
	lock_drop(&d->manager->lock);
	if (tcmu_netlink_reply(d->manager->netlink, TCMU_EVENT_RECONFIG, event.device_id, status) ==
		-ENODEV &&
	    event.has_size && d->lun && !storage_lu_is_absent(d->lun))
		correct_size(d);
}

/*
 * Changes the size. If this succeeds, the kernel sets the size that was written, and initiators get the unit
 * attention CAPACITY DATA HAS CHANGED.
 */
static int resize(struct kernel_device *d, struct error *error)
{
	int err = backstore_resize(storage_lu_backstore(d->lun), d->reconfig.size, error);

	if (!err)
		kernel_note_size(d, d->reconfig.size);
	return err;
}

/*
 * Changes the options of the present filters. The backstore stays open, so a disk in memory keeps its
 * contents.
 */
static int change_filters(struct kernel_device *d, const char *config, struct error *error)
{
	int err = storage_lu_set_filters(d->lun, config, error);

	if (err)
		return err;
	SCOPE_LOCK(&d->manager->lock);
	strcpy(d->name.config, config);
	return 0;
}

/*
 * Returns whether the change would open a disk in memory again, with other filters or options, so that its
 * contents would be lost.
 */
static bool would_lose_contents(const struct kernel_device *d, const char *config)
{
	return !storage_lu_is_absent(d->lun) && storage_lu_is_in_memory(d->lun) &&
	       !storage_lu_is_lost(d->lun) && kernel_is_same_storage(config, d->name.config);
}

/*
 * Carries out a change of the configuration. Another backstore replaces the present one if it can be opened.
 * Both may be for the same storage, because the new one takes over the lock.
 */
static int reconfigure(struct kernel_device *d, struct error *error)
{
	const char *config = d->reconfig.config;
	size_t handler = strlen(d->name.handler);

	if (!strcmp(config, d->name.config) && !storage_lu_is_absent(d->lun)) {
		kernel_lun_accept_loss(d);
		return 0;
	}
	if (strlen(config) >= sizeof(d->name.config))
		return error_set(error, ENAMETOOLONG, "the configuration is too long");
	if (storage_spec_has_same_chain(config, d->name.config) && !storage_lu_is_absent(d->lun))
		return change_filters(d, config, error);
	if (strncmp(config, d->name.handler, handler) || config[handler] != '/')
		return error_set(error, EINVAL, "%s: another handler needs another device", config);
	if (would_lose_contents(d, config))
		return error_set(error, EBUSY,
				 "%s: the disk is in memory and would lose its contents; while it is served, "
				 "only the options of its filters can change",
				 config);
	int err = kernel_lun_open(d, config, false, &d->next, error);

	if (err)
		return err;
	SCOPE_LOCK(&d->manager->lock);
	strcpy(d->name.config, config);
	return 0;
}

/* --- write cache --- */

static void flushed(struct backstore_io *bio, enum tcmur_status status)
{
	struct kernel_device *d = bio->owner;

	d->flush_status = status == TCMUR_OK ? 0 : -EIO;
	SCOPE_LOCK(&d->manager->lock);
	d->requests |= KERNEL_BIT(KERNEL_ANSWER_RECONFIG);
	loop_pool_submit(d->manager->jobs, &d->job);
}

static void start_flush(struct loop_work *work)
{
	struct kernel_device *d = container_of(work, struct kernel_device, flush_start);

	d->flush = (struct backstore_io){.bs = storage_lu_backstore(d->lun),
					 .loop = d->device.loop,
					 .op = BACKSTORE_FLUSH,
					 .done = flushed,
					 .owner = d};
	backstore_submit(&d->flush);
}

/* Returns true if the cache is being flushed. The reply waits for the end of the flush. */
static bool flush_cache(struct kernel_device *d)
{
	if (d->reconfig.write_cache || !backstore_has_flush(storage_lu_backstore(d->lun)))
		return false;
	d->flush_start.fn = start_flush;
	loop_post(d->device.loop, &d->flush_start);
	return true;
}

static int set_write_cache(struct kernel_device *d, struct error *error)
{
	int err = scsi_lu_set_write_cache(storage_lu_scsi(d->lun), d->reconfig.write_cache);

	return err ? error_set(error, -err, "the storage has no write cache") : 0;
}

/*
 * Writes the state of the write cache to the attribute. The kernel then sends RECONFIG and waits for the
 * answer before the write ends. The netlink thread sends this answer, so it does not need this job. The
 * kernel handles only one change at a time (EBUSY), and none for a moment after the start of the device
 * (EAGAIN).
 */
static int write_write_cache(struct kernel_device *d, struct error *error)
{
	bool on = scsi_lu_write_cache(storage_lu_scsi(d->lun));
	int err;

	lock_take(&d->manager->lock);
	d->requests &= ~KERNEL_BIT(KERNEL_PUBLISH_WRITE_CACHE);
	d->write_cache_written = on;
	lock_drop(&d->manager->lock);
	err = tcmu_configfs_write(&d->cfs, "attrib/emulate_write_cache", on ? "1" : "0", error);
	if (err == -EBUSY || err == -EAGAIN)
		kernel_pause(d, PAUSE_NS);
	return err;
}

void kernel_publish_write_cache(struct kernel_device *d)
{
	struct error error;
	int err = d->lun ? write_write_cache(d, &error) : 0;

	if (!err)
		return;
	SCOPE_LOCK(&d->manager->lock);
	d->write_cache_written = -1;
	if (err == -EBUSY || err == -EAGAIN) {
		d->requests |= KERNEL_BIT(KERNEL_PUBLISH_WRITE_CACHE);
		return;
	}
	log_warn(d->subject,
		 "an initiator has switched the write cache, but emulate_write_cache cannot be written: %s",
		 error.text);
}

void kernel_on_write_cache(void *arg)
{
	struct kernel_device *d = arg;

	SCOPE_LOCK(&d->manager->lock);
	kernel_request(d, KERNEL_PUBLISH_WRITE_CACHE);
}

bool kernel_reconfigure(struct kernel_device *d)
{
	struct error error = {"the kernel asks for a change that is not known"};
	int err = -EOPNOTSUPP;

	if (d->lun && d->reconfig.has_config)
		err = reconfigure(d, &error);
	else if (!d->lun || storage_lu_is_absent(d->lun))
		err = error_set(&error, ENODEV, "the storage is not open");
	else if (d->reconfig.has_size)
		err = resize(d, &error);
	else if (d->reconfig.has_write_cache)
		err = set_write_cache(d, &error);
	if (err)
		log_err(d->subject, "change refused: %s", error.text);
	else if (d->reconfig.has_write_cache && flush_cache(d))
		return false;
	kernel_answer_reconfig(d, err);
	return true;
}
