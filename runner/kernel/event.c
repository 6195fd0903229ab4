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

#include "kernel/private.h"
#include "util/cleanup.h"
#include "util/log.h"

void kernel_wake(struct kernel_device *d)
{
	if (d->busy)
		return;
	d->busy = true;
	pool_submit(d->manager->jobs, &d->job);
}

/* manager->lock held. */
static struct kernel_device *find(struct kernel_manager *manager, unsigned minor)
{
	struct list *node, *tmp;

	list_for_each (&manager->devices, node, tmp) {
		struct kernel_device *d = list_entry(node, struct kernel_device, node);

		if (d->minor == minor && !d->removing)
			return d;
	}
	return NULL;
}

/* manager->lock held. */
static void condemn(struct kernel_device *d)
{
	d->removing = true;
	kernel_wake(d);
}

void kernel_condemn(struct kernel_device *d)
{
	SCOPE_LOCK(&d->manager->lock);
	condemn(d);
}

/* Whether a handler that is loaded here serves the device. */
static bool parse_ours(const char *uio_name, struct tcmu_uio_name *name)
{
	return tcmu_uio_name_parse(uio_name, name) && backstore_handler(name->handler);
}

/* rtslib reads a device's configuration from its info file, up to the first blank or colon. */
static void warn_of_cut_config(const struct kernel_device *d)
{
	if (d->name.config[strcspn(d->name.config, " \t\v\f\r:")])
		log_warn(
		    d->subject,
		    "its dev_config '%s' contains a blank or a colon, at which targetcli cuts it off when it "
		    "saves the device; create the device again with ~20 for a blank and ~3a for a colon",
		    d->name.config);
}

/* manager->lock held. NULL when memory is out. */
static struct kernel_device *new_device(struct kernel_manager *manager, unsigned minor,
					const struct tcmu_uio_name *name)
{
	struct kernel_device *d = calloc(1, sizeof(*d));

	if (!d)
		return NULL;
	d->manager = manager;
	d->minor = minor;
	d->name = *name;
	snprintf(d->label, sizeof(d->label), "user_%s/%s", name->hba, name->device);
	snprintf(d->subject, sizeof(d->subject), "%s (%s)", d->label, name->handler);
	d->state = TCMU_DEVICE_OPENING;
	d->open_wanted = true;
	d->job.fn = kernel_run;
	d->kept.fd = d->enable_fd = -1;
	d->write_cache_told = -1;
	d->since_ns = loop_clock_ns();
	d->device.time_out = KERNEL_TIME_OUT;
	d->device.loop = manager->set->loops[manager->next_loop++ % manager->set->nloops];
	list_add_tail(&manager->devices, &d->node);
	warn_of_cut_config(d);
	return d;
}

/* --- events, each with its answer: 0 or -errno, or LATER --- */

#define LATER 1

static bool is_named(const struct kernel_device *d, const struct tcmu_uio_name *name)
{
	return !strcmp(d->name.hba, name->hba) && !strcmp(d->name.device, name->device);
}

/* manager->lock held, as for all here. An answer says no more than this number, so nobody else may answer for it any more: who
 * waited for that has given up. */
static void disown(struct kernel_manager *manager, uint32_t device_id)
{
	struct list *node, *tmp;

	list_for_each (&manager->devices, node, tmp) {
		struct kernel_device *d = list_entry(node, struct kernel_device, node);

		if (d->added_id == device_id)
			d->added_owed = false;
	}
}

static int on_added(struct kernel_manager *manager, const struct tcmu_event *event,
		    const struct tcmu_uio_name *name)
{
	struct kernel_device *d = find(manager, event->minor);

	disown(manager, event->device_id);
	if (manager->closing)
		return -ESHUTDOWN;
	/* Two devices cannot have one minor number: if it was not this one that the scan has found, that is gone. */
	if (d && (d->announced || !is_named(d, name))) {
		condemn(d);
		d = NULL;
	}
	if (!d)
		d = new_device(manager, event->minor, name);
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
	kernel_wake(d);
	return LATER;
}

/*
 * Answered at once: the kernel ignores the status, and until it has the answer nobody can look anything up in
 * the HBA's folder, our own jobs included.
 */
static int on_removed(struct kernel_manager *manager, const struct tcmu_event *event)
{
	struct kernel_device *d = find(manager, event->minor);

	if (d)
		condemn(d);
	return 0;
}

/* Our own writing to configfs, which waits for this answer: nothing is to be done. */
static bool is_told(struct kernel_device *d, const struct tcmu_event *event)
{
	if (!event->has_write_cache || d->write_cache_told != event->write_cache)
		return false;
	d->write_cache_told = -1;
	return true;
}

static int on_reconfig(struct kernel_manager *manager, const struct tcmu_event *event)
{
	struct kernel_device *d = find(manager, event->minor);

	if (d && is_told(d, event))
		return 0;
	if (manager->closing)
		return -ESHUTDOWN;
	if (!d)
		return -ENODEV;
	if (d->reconfig_wanted)
		return -EBUSY;
	d->reconfig = *event;
	d->reconfig_wanted = true;
	kernel_wake(d);
	return LATER;
}

void kernel_on_event(void *arg, const struct tcmu_event *event)
{
	struct kernel_manager *manager = arg;
	struct tcmu_uio_name name;
	int status = 0;

	lock_take(&manager->lock);
	kernel_unknown_supersede(manager, event->device_id);
	lock_drop(&manager->lock);
	if (!parse_ours(event->uio_name, &name)) {
		kernel_unknown_event(manager, event);
		return;
	}
	lock_take(&manager->lock);
	switch (event->type) {
	case TCMU_EVENT_ADDED:
		status = on_added(manager, event, &name);
		break;
	case TCMU_EVENT_REMOVED:
		status = on_removed(manager, event);
		break;
	case TCMU_EVENT_RECONFIG:
		status = on_reconfig(manager, event);
		break;
	}
	lock_drop(&manager->lock);
	if (status != LATER)
		tcmu_netlink_reply(manager->netlink, event->type, event->device_id, status);
}

/* --- what is no event --- */

static bool is_open_on(int fd, const void *arg)
{
	return tcmu_uio_is(fd, *(const unsigned *)arg);
}

void kernel_adopt(void *arg, unsigned minor, const char *uio_name)
{
	struct kernel_manager *manager = arg;
	struct fd_kept kept = {.fd = -1};
	struct tcmu_uio_name name;

	if (!parse_ours(uio_name, &name)) {
		log_info(NULL, "%s: left alone, no handler of ours", uio_name);
		/* It may have been, and be again. */
		if (!kernel_mark_says_clean(manager, minor)) {
			SCOPE_LOCK(&manager->lock);
			kernel_mark_unclean(manager, minor);
		}
		return;
	}
	if (manager->fd_store)
		manager->fd_store->take(is_open_on, &minor, &kept);
	SCOPE_LOCK(&manager->lock);
	struct kernel_device *d = new_device(manager, minor, &name);

	if (!d) {
		log_err(NULL, "%s: out of memory", uio_name);
		if (kept.fd >= 0)
			close(kept.fd);
		return;
	}
	d->kept = kept;
	d->found = d->stays = true;
	d->reset = !kernel_mark_says_clean(manager, minor);
	d->since_ns = manager->since_ns;
	kernel_wake(d);
}

/* The kernel's device is gone without an event that reached us, or its ring makes no sense. */
void kernel_on_gone(struct tcmu_device *device)
{
	struct kernel_device *d = device->owner;

	SCOPE_LOCK(&d->manager->lock);
	if (device->ring.broken) {
		d->broken = true;
		d->state = TCMU_DEVICE_FAILED;
		error_set(&d->error, EPROTO, "the kernel's ring is broken");
		return;
	}
	condemn(d);
}
