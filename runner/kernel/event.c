/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Turns the kernel's events into requests for the job of a device. Nothing here blocks. Each event of a
 * loaded handler gets one reply, either from here or from the job that carries out the request (device.c).
 * Events of other handlers are left to unknown.c.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kernel/private.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/log.h"

void kernel_queue_job(struct kernel_device *d)
{
	if (d->busy)
		return;
	d->busy = true;
	loop_pool_submit(d->manager->jobs, &d->job);
}

void kernel_request(struct kernel_device *d, enum kernel_request request)
{
	d->requests |= KERNEL_BIT(request);
	kernel_queue_job(d);
}

/* manager->lock must be held. */
static struct kernel_device *find(struct kernel_manager *manager, unsigned minor)
{
	struct list *node, *tmp;

	list_for_each (&manager->devices, node, tmp) {
		struct kernel_device *d = list_entry(node, struct kernel_device, node);

		if (d->minor == minor && !kernel_is_requested(d, KERNEL_REMOVE))
			return d;
	}
	return NULL;
}

void kernel_mark_removed(struct kernel_device *d)
{
	SCOPE_LOCK(&d->manager->lock);
	kernel_request(d, KERNEL_REMOVE);
}

/* Returns whether a handler that is loaded here serves the device. */
static bool parse_ours(const char *uio_name, struct tcmu_uio_name *name)
{
	return tcmu_uio_name_parse(uio_name, name) && backstore_handler(name->handler);
}

/*
 * Warns if rtslib will read only a part of the configuration: it reads it from the device's info file, up to
 * the first blank or colon.
 */
static void warn_of_cut_config(const struct kernel_device *d)
{
	if (d->name.config[strcspn(d->name.config, " \t\v\f\r:")])
		log_warn(
		    d->subject,
		    "its dev_config '%s' contains a blank or a colon, at which targetcli cuts it off when it "
		    "saves the device; create the device again with ~20 for a blank and ~3a for a colon",
		    d->name.config);
}

/* manager->lock must be held. Returns NULL if there is no memory. */
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
	d->state = KERNEL_OPENING;
	d->requests = KERNEL_BIT(KERNEL_OPEN);
	d->job.fn = kernel_run;
	d->kept.fd = d->enable_fd = -1;
	d->write_cache_written = -1;
	d->since_ns = clock_now_ns();
	d->device.time_out = KERNEL_TIME_OUT;
	d->device.loop = manager->set->loops[manager->next_loop++ % manager->set->nloops];
	list_add_tail(&manager->devices, &d->node);
	warn_of_cut_config(d);
	return d;
}

/* --- events; each function returns the status of the reply: 0 or -errno, or LATER --- */

#define LATER 1

static bool is_named(const struct kernel_device *d, const struct tcmu_uio_name *name)
{
	return !strcmp(d->name.hba, name->hba) && !strcmp(d->name.device, name->device);
}

/*
 * manager->lock must be held here and in all functions below. Ensures that no earlier event with this
 * device_id is answered any more. A reply contains only device_id, so the kernel would take the reply to an
 * earlier event, whose sender has given up, for the reply to the new one.
 */
static void forget_pending_reply(struct kernel_manager *manager, uint32_t device_id)
{
	struct list *node, *tmp;

	list_for_each (&manager->devices, node, tmp) {
		struct kernel_device *d = list_entry(node, struct kernel_device, node);

		if (d->added_id == device_id)
			d->added_reply_pending = false;
	}
}

static int on_added(struct kernel_manager *manager, const struct tcmu_event *event,
		    const struct tcmu_uio_name *name)
{
	struct kernel_device *d = find(manager, event->minor);

	forget_pending_reply(manager, event->device_id);
	if (manager->closing)
		return -ESHUTDOWN;
	/*
	 * Two devices cannot have the same minor number. If the known device has another name, it does not
	 * exist any more.
	 */
	if (d && (d->announced || !is_named(d, name))) {
		kernel_request(d, KERNEL_REMOVE);
		d = NULL;
	}
	if (!d)
		d = new_device(manager, event->minor, name);
	if (!d)
		return -ENOMEM;
	d->announced = true;
	if (d->broken)
		return -EPROTO;
	if (kernel_view_state(d) == TCMU_DEVICE_SERVED)
		return 0;
	if (kernel_view_state(d) == TCMU_DEVICE_FAILED)
		d->requests |= KERNEL_BIT(KERNEL_OPEN);
	/* The kernel waits for the reply, so a failure can refuse the device. */
	d->stays = false;
	d->added_reply_pending = true;
	d->added_id = event->device_id;
	kernel_queue_job(d);
	return LATER;
}

/*
 * Handles the removal of a device. The reply is sent at once, and the kernel ignores its status. Until it
 * arrives, every look-up in the folder of the HBA waits, including the look-ups of the daemon's own jobs.
 */
static int on_removed(struct kernel_manager *manager, const struct tcmu_event *event)
{
	struct kernel_device *d = find(manager, event->minor);

	if (d)
		kernel_request(d, KERNEL_REMOVE);
	return 0;
}

/*
 * Returns whether the event was caused by the daemon's own write to configfs, which waits for this reply. In
 * this case nothing has to be done.
 */
static bool is_own_write(struct kernel_device *d, const struct tcmu_event *event)
{
	if (!event->has_write_cache || d->write_cache_written != event->write_cache)
		return false;
	d->write_cache_written = -1;
	return true;
}

static int on_reconfig(struct kernel_manager *manager, const struct tcmu_event *event)
{
	struct kernel_device *d = find(manager, event->minor);

	if (d && is_own_write(d, event))
		return 0;
	if (manager->closing)
		return -ESHUTDOWN;
	if (!d)
		return -ENODEV;
	if (kernel_is_requested(d, KERNEL_RECONFIG))
		return -EBUSY;
	d->reconfig = *event;
	kernel_request(d, KERNEL_RECONFIG);
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

/* --- devices that appear or disappear without an event --- */

static bool is_open_on(int fd, const void *arg)
{
	return tcmu_uio_is_device(fd, *(const unsigned *)arg);
}

void kernel_adopt(void *arg, unsigned minor, const char *uio_name)
{
	struct kernel_manager *manager = arg;
	struct fd_kept kept = {.fd = -1};
	struct tcmu_uio_name name;

	if (!parse_ours(uio_name, &name)) {
		log_info(NULL, "%s: it is not adopted, because its handler is not loaded", uio_name);
		/*
		 * The handler may have been loaded by the previous daemon, and may be loaded by the next one.
		 */
		if (!kernel_mark_is_clean(manager, minor)) {
			SCOPE_LOCK(&manager->lock);
			kernel_mark_add_unclean(manager, minor);
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
	d->reset = !kernel_mark_is_clean(manager, minor);
	d->since_ns = manager->since_ns;
	kernel_queue_job(d);
}

/* Is called when the kernel's device has disappeared without an event, or when its ring is broken. */
void kernel_on_gone(struct tcmu_device *device)
{
	struct kernel_device *d = device->owner;

	SCOPE_LOCK(&d->manager->lock);
	if (device->ring.broken) {
		d->broken = true;
		error_set(&d->error, EPROTO, "the kernel's ring is broken");
		return;
	}
	kernel_request(d, KERNEL_REMOVE);
}
