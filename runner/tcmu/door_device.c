/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The job of one device: does what is wished for, one thing after the other, on a thread of the door's pool.
 * Where a device has to be stopped first, the job ends, and the loop submits it again once nothing is in
 * flight: so no thread waits for commands.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tcmu/door_private.h"
#include "util/cleanup.h"
#include "util/log.h"

enum task { NOTHING, OPEN, RECONFIG, REPLY, TELL_WRITE_CACHE, STOP, START, CLOSE, IDENTIFY, READ_ALUA };

/* door->lock held. Storage that is being closed for a device that goes cannot be opened for one that comes. */
static bool must_wait(const struct door_device *d)
{
	struct list *node, *tmp;

	list_for_each (&d->door->devices, node, tmp) {
		const struct door_device *other = list_entry(node, struct door_device, node);

		if (other != d && other->removing && !strcmp(other->name.config, d->name.config))
			return true;
	}
	return false;
}

static enum task next_task(struct door_device *d)
{
	SCOPE_LOCK(&d->door->lock);

	if (d->flushed)
		return REPLY;
	if (d->removing || d->door->closing)
		return d->served ? STOP : CLOSE;
	if (d->next.lu)
		return d->served ? STOP : START;
	if (d->identify_wanted) {
		d->identify_wanted = false;
		return IDENTIFY;
	}
	if (d->state == TCMU_DEVICE_SERVED) /* the last try went well */
		d->open_wanted = false;
	if (d->open_wanted && !must_wait(d)) {
		d->open_wanted = false;
		return OPEN;
	}
	if (d->reconfig_wanted && !d->open_wanted)
		return RECONFIG;
	if (d->write_cache_wanted)
		return TELL_WRITE_CACHE;
	if (d->alua_wanted && d->served) {
		d->alua_wanted = false;
		return READ_ALUA;
	}
	d->busy = false;
	return NOTHING;
}

bool door_answer_added(struct door_device *d, int status)
{
	lock_take(&d->door->lock);
	bool owed = d->added_owed;
	d->added_owed = false;
	lock_drop(&d->door->lock);
	return owed && tcmu_netlink_reply(d->door->netlink, TCMU_EVENT_ADDED, d->added_id, status) != -ENODEV;
}

void door_failed(struct door_device *d, int err, const struct error *error)
{
	lock_take(&d->door->lock);
	bool again = d->state == TCMU_DEVICE_FAILED && !strcmp(d->error.text, error->text);
	d->state = TCMU_DEVICE_FAILED;
	d->error = *error;
	lock_drop(&d->door->lock);
	if (!again)
		log_err(d->subject, "not served: %s", error->text);
	bool refused = door_answer_added(d, err);

	SCOPE_LOCK(&d->door->lock);
	d->stays |= !refused;
	d->removing |= !d->stays;
}

/* --- close --- */

static void forget(struct door_device *d)
{
	struct tcmu_door *door = d->door;
	struct list *node, *tmp;

	SCOPE_LOCK(&door->lock);
	list_del(&d->node);
	/* Whoever waits for the storage that was just closed. */
	list_for_each (&door->devices, node, tmp) {
		struct door_device *other = list_entry(node, struct door_device, node);

		if (other->open_wanted)
			door_wake(other);
	}
	pthread_cond_broadcast(&door->gone);
	free(d);
}

/* Leaves what stays in the kernel to the next process: its descriptor, and the reset if that was not done. */
static void leave(struct door_device *d)
{
	lock_take(&d->door->lock);
	bool stays = !d->removing;
	if (stays && (d->reset || d->broken))
		door_mark_unclean(d->door, d->minor);
	lock_drop(&d->door->lock);
	if (!stays && d->door->fd_store)
		d->door->fd_store->forget(&d->kept);
	if (d->enable_fd >= 0)
		close(d->enable_fd);
	if (d->opened)
		tcmu_uio_close(&d->uio);
	else if (d->kept.fd >= 0)
		close(d->kept.fd);
}

static void close_device(struct door_device *d)
{
	door_answer_added(d, -ESHUTDOWN);
	if (d->reconfig_wanted)
		door_answer_reconfig(d, -ESHUTDOWN);
	door_lun_close(&d->next);
	door_replace_lun(d, (struct door_lun){0});
	leave(d);
	log_info(d->subject, "closed");
	forget(d);
}

void door_run(struct pool_job *job)
{
	struct door_device *d = container_of(job, struct door_device, job);

	for (;;) {
		switch (next_task(d)) {
		case NOTHING:
			return;
		case OPEN:
			door_open_device(d);
			break;
		case RECONFIG:
			if (!door_reconfigure(d))
				return;
			break;
		case REPLY:
			door_answer_reconfig(d, d->flush_status);
			break;
		case TELL_WRITE_CACHE:
			door_tell_write_cache(d);
			break;
		case STOP:
			tcmu_device_stop(&d->device);
			return;
		case START:
			door_start_device(d);
			break;
		case IDENTIFY:
			door_identify(d);
			break;
		case READ_ALUA:
			door_alua_read(d);
			break;
		case CLOSE:
			close_device(d);
			return;
		}
	}
}
