/* SPDX-License-Identifier: Apache-2.0 */
/* What has to be open before a device can be served: its uio device and its storage. */
#include <errno.h>
#include <stdio.h>
#include <time.h>

#include "tcmu/door_private.h"
#include "util/bytes.h"
#include "util/cleanup.h"
#include "util/log.h"

/* A found device's storage may be held for a moment by whoever had it before. */
#define BUSY_TRIES 60

/* As long as the device is open, be it for this process or the next, nobody else can open it. */
static int open_uio(struct door_device *d, struct error *error)
{
	const struct fd_store *store = d->door->fd_store;
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

static int attach(struct door_device *d, struct error *error)
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

/* Nothing new enters the ring until the reset. A device that the kernel has not configured yet has nothing in it. */
static void block_ring(struct door_device *d)
{
	struct error error;
	int err = tcmu_configfs_write(&d->cfs, "action/block_dev", "1", &error);

	if (err == -EINVAL)
		d->reset = false;
	else if (err)
		log_err(d->subject, "%s", error.text);
}

/* Not where somebody chose a time before enabling the device. */
static void set_time_out(struct door_device *d)
{
	char text[16];
	uint64_t now;

	lock_take(&d->door->lock);
	int wanted = d->door->defaults.cmd_time_out;
	lock_drop(&d->door->lock);
	if (d->found || wanted < 0 || tcmu_configfs_read_u64(&d->cfs, "attrib/cmd_time_out", &now, NULL) ||
	    now != KERNEL_TIME_OUT)
		return;
	snprintf(text, sizeof(text), "%d", wanted);
	tcmu_configfs_write(&d->cfs, "attrib/cmd_time_out", text, NULL);
}

/* Who aborts a command waits for its end. Told of it we call its I/O back; else it just ends some time. Kernels before
 * 5.10 have no such attribute. */
static void ask_for_notices(struct door_device *d)
{
	tcmu_configfs_write(&d->cfs, "attrib/tmr_notification", "1", NULL);
}

bool door_stray_io(const struct door_device *d)
{
	if (!d->reset || (d->next.bs && backstore_info(d->next.bs)->flags & TCMUR_INFO_EXCLUSIVE))
		return false;
	return tcmu_stray_io(d->door->io_lock);
}

bool door_pause(struct door_device *d, long ns)
{
	const struct timespec pause = {.tv_nsec = ns};

	lock_take(&d->door->lock);
	bool going = d->removing || d->door->closing;
	lock_drop(&d->door->lock);
	if (!going)
		nanosleep(&pause, NULL);
	return !going;
}

/* Whoever makes it now waits for our answer, or did not want to. */
static bool is_new(struct door_device *d)
{
	SCOPE_LOCK(&d->door->lock);

	return !d->found || d->added_owed;
}

static int open_patiently(struct door_device *d, struct error *error)
{
	int err = door_lun_open(d, d->name.config, is_new(d), &d->next, error);

	for (int i = 0; err == -EBUSY && d->found && !d->lun.lu; i++) {
		if ((i >= BUSY_TRIES && !door_stray_io(d)) || !door_pause(d, DOOR_PAUSE_NS))
			break;
		if (i == DOOR_TELL_AFTER)
			log_warn(d->subject, "waits: %s", error->text);
		err = door_lun_open(d, d->name.config, is_new(d), &d->next, error);
	}
	return err;
}

static bool stays(struct door_device *d)
{
	SCOPE_LOCK(&d->door->lock);

	return d->stays;
}

void door_open_device(struct door_device *d)
{
	struct error error = {""}, none;
	int err = attach(d, &error);

	if (err) {
		/* It went before the kernel's events reached us. */
		if (err == -ENODEV)
			door_condemn(d);
		door_failed(d, err, &error);
		return;
	}
	if (d->reset)
		block_ring(d);
	err = open_patiently(d, &error);
	if (!err) {
		set_time_out(d);
		ask_for_notices(d);
		if (!d->served) /* by a stand-in; then the first command sees to it */
			door_lun_expiry(d);
		return;
	}
	door_failed(d, err, &error);
	if (stays(d) && !d->lun.lu && door_lun_open_absent(d, &d->next, &none))
		log_err(d->subject, "no stand-in either: %s", none.text);
}
