/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Events, as wishes to a device's job. Nothing here blocks, and each event of ours is answered once: here, or
 * by the job that carries it out.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tcmu/door_private.h"
#include "util/cleanup.h"
#include "util/log.h"

void door_wake(struct door_device *d)
{
	if (d->busy)
		return;
	d->busy = true;
	pool_submit(d->door->jobs, &d->job);
}

/* door->lock held. */
static struct door_device *find(struct tcmu_door *door, unsigned minor)
{
	struct list *node, *tmp;

	list_for_each (&door->devices, node, tmp) {
		struct door_device *d = list_entry(node, struct door_device, node);

		if (d->minor == minor && !d->removing)
			return d;
	}
	return NULL;
}

/* door->lock held. */
static void condemn(struct door_device *d)
{
	d->removing = true;
	door_wake(d);
}

void door_condemn(struct door_device *d)
{
	SCOPE_LOCK(&d->door->lock);
	condemn(d);
}

/* A device of one of our handlers? Others' are not ours to answer. */
static bool parse_ours(const char *uio_name, struct tcmu_uio_name *name)
{
	return tcmu_uio_name_parse(uio_name, name) && backstore_handler(name->handler);
}

/* door->lock held. NULL when memory is out. */
static struct door_device *new_device(struct tcmu_door *door, unsigned minor,
				      const struct tcmu_uio_name *name)
{
	struct door_device *d = calloc(1, sizeof(*d));

	if (!d)
		return NULL;
	d->door = door;
	d->minor = minor;
	d->name = *name;
	snprintf(d->label, sizeof(d->label), "user_%s/%s", name->hba, name->device);
	snprintf(d->subject, sizeof(d->subject), "%s (%s)", d->label, name->handler);
	d->state = TCMU_DEVICE_OPENING;
	d->open_wanted = true;
	d->job.fn = door_run;
	d->kept.fd = d->enable_fd = -1;
	d->write_cache_told = -1;
	d->since_ns = loop_clock_ns();
	d->device.time_out = KERNEL_TIME_OUT;
	d->device.loop = door->set->loops[door->next_loop++ % door->set->nloops];
	list_add_tail(&door->devices, &d->node);
	return d;
}

/* --- events, each with its answer: 0 or -errno, or LATER --- */

#define LATER 1

static bool is_named(const struct door_device *d, const struct tcmu_uio_name *name)
{
	return !strcmp(d->name.hba, name->hba) && !strcmp(d->name.device, name->device);
}

/* door->lock held, as for all here. An answer says no more than this number, so nobody else may answer for it any more: who
 * waited for that has given up. */
static void disown(struct tcmu_door *door, uint32_t device_id)
{
	struct list *node, *tmp;

	list_for_each (&door->devices, node, tmp) {
		struct door_device *d = list_entry(node, struct door_device, node);

		if (d->added_id == device_id)
			d->added_owed = false;
	}
}

static int on_added(struct tcmu_door *door, const struct tcmu_event *event, const struct tcmu_uio_name *name)
{
	struct door_device *d = find(door, event->minor);

	disown(door, event->device_id);
	if (door->closing)
		return -ESHUTDOWN;
	/* Two devices cannot have one minor number: if it was not this one that the scan has found, that is gone. */
	if (d && (d->announced || !is_named(d, name))) {
		condemn(d);
		d = NULL;
	}
	if (!d)
		d = new_device(door, event->minor, name);
	if (!d)
		return -ENOMEM;
	d->announced = true;
	if (d->state == TCMU_DEVICE_SERVED)
		return 0;
	if (d->state == TCMU_DEVICE_FAILED)
		d->open_wanted = true;
	d->stays = false; /* the kernel waits: what fails now is refused */
	d->added_owed = true;
	d->added_id = event->device_id;
	door_wake(d);
	return LATER;
}

/*
 * Answered at once: the kernel ignores the status, and until it has the answer nobody can look anything up in
 * the HBA's folder, our own jobs included.
 */
static int on_removed(struct tcmu_door *door, const struct tcmu_event *event)
{
	struct door_device *d = find(door, event->minor);

	if (d)
		condemn(d);
	return 0;
}

/* Our own writing to configfs, which waits for this answer: nothing is to be done. */
static bool is_told(struct door_device *d, const struct tcmu_event *event)
{
	if (!event->has_write_cache || d->write_cache_told != event->write_cache)
		return false;
	d->write_cache_told = -1;
	return true;
}

static int on_reconfig(struct tcmu_door *door, const struct tcmu_event *event)
{
	struct door_device *d = find(door, event->minor);

	if (d && is_told(d, event))
		return 0;
	if (door->closing)
		return -ESHUTDOWN;
	if (!d)
		return -ENODEV;
	if (d->reconfig_wanted)
		return -EBUSY;
	d->reconfig = *event;
	d->reconfig_wanted = true;
	door_wake(d);
	return LATER;
}

void door_on_event(void *arg, const struct tcmu_event *event)
{
	struct tcmu_door *door = arg;
	struct tcmu_uio_name name;
	int status = 0;

	if (!parse_ours(event->uio_name, &name)) {
		/* If nobody has that handler, whoever enables it waits for ever, and wonders. */
		log_at(event->type == TCMU_EVENT_ADDED ? LOG_LEVEL_INFO : LOG_LEVEL_DEBUG, NULL,
		       "%s: no handler of ours; the kernel waits for another daemon's answer",
		       event->uio_name);
		return;
	}
	lock_take(&door->lock);
	switch (event->type) {
	case TCMU_EVENT_ADDED:
		status = on_added(door, event, &name);
		break;
	case TCMU_EVENT_REMOVED:
		status = on_removed(door, event);
		break;
	case TCMU_EVENT_RECONFIG:
		status = on_reconfig(door, event);
		break;
	}
	lock_drop(&door->lock);
	if (status != LATER)
		tcmu_netlink_reply(door->netlink, event->type, event->device_id, status);
}

/* --- what is no event --- */

static bool is_open_on(int fd, const void *arg)
{
	return tcmu_uio_is(fd, *(const unsigned *)arg);
}

void door_adopt(void *arg, unsigned minor, const char *uio_name)
{
	struct tcmu_door *door = arg;
	struct fd_kept kept = {.fd = -1};
	struct tcmu_uio_name name;

	if (!parse_ours(uio_name, &name)) {
		log_info(NULL, "%s: left alone, no handler of ours", uio_name);
		/* It may have been, and be again. */
		if (!door_mark_says_clean(door, minor)) {
			SCOPE_LOCK(&door->lock);
			door_mark_unclean(door, minor);
		}
		return;
	}
	if (door->fd_store)
		door->fd_store->take(is_open_on, &minor, &kept);
	SCOPE_LOCK(&door->lock);
	struct door_device *d = new_device(door, minor, &name);

	if (!d) {
		log_err(NULL, "%s: out of memory", uio_name);
		if (kept.fd >= 0)
			close(kept.fd);
		return;
	}
	d->kept = kept;
	d->found = d->stays = true;
	d->reset = !door_mark_says_clean(door, minor);
	d->since_ns = door->since_ns;
	door_wake(d);
}

/* The kernel's device is gone without an event that reached us, or its ring makes no sense. */
void door_on_gone(struct tcmu_device *device)
{
	struct door_device *d = device->owner;

	SCOPE_LOCK(&d->door->lock);
	if (device->ring.broken) {
		d->broken = true;
		d->state = TCMU_DEVICE_FAILED;
		error_set(&d->error, EPROTO, "the kernel's ring is broken");
		return;
	}
	condemn(d);
}
