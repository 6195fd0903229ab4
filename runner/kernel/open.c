/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The steps before a device can be served: opens its UIO device, writes its attributes, and has its storage
 * opened by lun.c, again and again while the previous process still holds the storage. start.c has the steps
 * that follow.
 */
#include <errno.h>
#include <stdio.h>
#include <time.h>

#include "kernel/private.h"
#include "util/bytes.h"
#include "util/cleanup.h"
#include "util/log.h"

/*
 * The previous process may still hold the storage of an adopted device for a short time, so opening it is
 * tried this many times.
 */
#define BUSY_TRIES 60

/*
 * Opens the UIO device. Only one process can have it open at a time, and a descriptor that systemd keeps for
 * the next process also counts.
 */
static int open_uio(struct kernel_device *d, struct error *error)
{
	const struct fd_store *store = d->manager->fd_store;
	char kind[16];

	d->uio.fd = d->kept.fd;
	int err = tcmu_uio_open(d->minor, &d->uio, error);

	d->opened = !err;
	d->kept.fd = d->uio.fd;
	if (!store)
		return err;
	snprintf(kind, sizeof(kind), "uio%u", d->minor);
	if (err)
		store->forget(&d->kept);
	else if (!d->kept.name[0])
		store->keep(&d->kept, kind);
	return err;
}

static int attach(struct kernel_device *d, struct error *error)
{
	int err = d->opened ? 0 : tcmu_configfs_device(&d->cfs, d->name.hba, d->name.device, error);

	if (!err && !d->opened)
		err = open_uio(d, error);
	if (err || d->attached || d->enable_fd >= 0)
		return err;
	int fd = tcmu_configfs_hold(&d->cfs, "enable", error);

	d->enable_fd = MAX(fd, -1);
	return MIN(fd, 0);
}

/*
 * Prevents new commands from entering the ring before its reset. A device that the kernel has not configured
 * yet has no commands.
 */
static void block_ring(struct kernel_device *d)
{
	struct error error;
	int err = tcmu_configfs_write(&d->cfs, "action/block_dev", "1", &error);

	if (err == -EINVAL)
		d->reset = false;
	else if (err)
		log_err(d->subject, "%s", error.text);
}

/*
 * Sets the default time-out. If the administrator has set a time-out before the device was enabled, it stays.
 */
static void set_time_out(struct kernel_device *d)
{
	char text[16];
	uint64_t now;

	lock_take(&d->manager->lock);
	int wanted = d->manager->defaults.cmd_time_out;
	lock_drop(&d->manager->lock);
	if (d->found || wanted < 0 || tcmu_configfs_read_u64(&d->cfs, "attrib/cmd_time_out", &now, NULL) ||
	    now != KERNEL_TIME_OUT)
		return;
	snprintf(text, sizeof(text), "%d", wanted);
	tcmu_configfs_write(&d->cfs, "attrib/cmd_time_out", text, NULL);
}

/*
 * Asks the kernel for notices of aborted commands, with which the daemon can cancel their I/O. Without a
 * notice, the kernel waits until an aborted command has ended by itself. Kernels before 5.10 do not have this
 * attribute.
 */
static void ask_for_notices(struct kernel_device *d)
{
	tcmu_configfs_write(&d->cfs, "attrib/tmr_notification", "1", NULL);
}

bool kernel_stray_io(const struct kernel_device *d)
{
	const struct backstore *bs = d->next ? storage_lu_backstore(d->next) : NULL;

	if (!d->reset || (bs && backstore_info(bs)->flags & TCMUR_INFO_EXCLUSIVE))
		return false;
	return tcmu_stray_io(d->manager->io_lock);
}

bool kernel_pause(struct kernel_device *d, long ns)
{
	const struct timespec pause = {.tv_nsec = ns};

	lock_take(&d->manager->lock);
	bool is_ending = kernel_is_ending(d);
	lock_drop(&d->manager->lock);
	if (!is_ending)
		nanosleep(&pause, NULL);
	return !is_ending;
}

/* Returns whether the device is being created now, so that its storage may be created as well. */
static bool is_new(struct kernel_device *d)
{
	SCOPE_LOCK(&d->manager->lock);

	return !d->found || d->added_reply_pending;
}

static int open_patiently(struct kernel_device *d, struct error *error)
{
	int err = kernel_lun_open(d, d->name.config, is_new(d), &d->next, error);
	int tries = 0; /* The number of attempts since the last I/O of the previous process has ended. */

	for (int i = 0; err == -EBUSY && d->found && !d->lun; i++) {
		tries = kernel_stray_io(d) ? 0 : tries + 1;
		if (tries > BUSY_TRIES || !kernel_pause(d, KERNEL_PAUSE_NS))
			break;
		if (i == KERNEL_WARN_AFTER)
			log_warn(d->subject,
				 "the storage cannot be opened yet, so the daemon tries again: %s",
				 error->text);
		err = kernel_lun_open(d, d->name.config, is_new(d), &d->next, error);
	}
	return err;
}

static bool stays(struct kernel_device *d)
{
	SCOPE_LOCK(&d->manager->lock);

	return d->stays;
}

/* Writes the attributes that must be written to a new device before it is enabled. */
static void set_up(struct kernel_device *d)
{
	set_time_out(d);
	ask_for_notices(d);
	/* If a stand-in serves the device, kernel_identify() reads the time-out at the first command. */
	if (!kernel_is_running(d))
		kernel_lun_read_time_out(d);
}

void kernel_open_device(struct kernel_device *d)
{
	struct error error = {""}, none;
	int err = attach(d, &error);

	if (err) {
		/* The device was removed before its events arrived. */
		if (err == -ENODEV)
			kernel_mark_removed(d);
		kernel_failed(d, err, &error);
		return;
	}
	if (d->reset)
		block_ring(d);
	err = open_patiently(d, &error);
	if (!err) {
		set_up(d);
		return;
	}
	/*
	 * After the reply, nothing may be looked up in configfs, so the stand-in is opened before the reply.
	 */
	if (err == -ENOMEDIUM && (d->lun || !kernel_lun_open_absent(d, &d->next, &none))) {
		set_up(d);
		kernel_failed_but_stays(d, &error);
		return;
	}
	kernel_failed(d, err, &error);
	if (stays(d) && !d->lun && kernel_lun_open_absent(d, &d->next, &none))
		log_err(d->subject, "no stand-in can be opened either: %s", none.text);
}
