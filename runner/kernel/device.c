/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The job of one device: carries out the requests, one after the other, on a thread of the manager's pool. If the device has to be
 * stopped first, the job ends, and the loop submits it again when no command is in flight. So no thread waits for commands.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kernel/private.h"
#include "util/cleanup.h"
#include "util/log.h"

enum task { NOTHING, OPEN, RECONFIG, REPLY, PUBLISH_WRITE_CACHE, STOP, START, CLOSE, IDENTIFY, READ_ALUA };

/* Whether two texts of HANDLER/CONFIG;OPTIONS name the same storage, whatever their options are. */
static bool is_same_storage(const char *a, const char *b)
{
	size_t len = strcspn(a, ";");

	return len == strcspn(b, ";") && !strncmp(a, b, len);
}

/* manager->lock held. Storage cannot be opened for a new device while it is being closed for a device that is removed. */
static bool must_wait(const struct kernel_device *d)
{
	struct list *node, *tmp;

	list_for_each (&d->manager->devices, node, tmp) {
		const struct kernel_device *other = list_entry(node, struct kernel_device, node);

		if (other != d && other->removing && is_same_storage(other->name.config, d->name.config))
			return true;
	}
	return false;
}

static enum task next_task(struct kernel_device *d)
{
	SCOPE_LOCK(&d->manager->lock);

	if (d->flushed)
		return REPLY;
	if (d->removing || d->manager->closing)
		return d->served ? STOP : CLOSE;
	if (d->next)
		return d->served ? STOP : START;
	if (d->identify_wanted) {
		d->identify_wanted = false;
		return IDENTIFY;
	}
	/* The last try has succeeded. */
	if (d->state == TCMU_DEVICE_SERVED)
		d->open_wanted = false;
	if (d->open_wanted && !must_wait(d)) {
		d->open_wanted = false;
		return OPEN;
	}
	if (d->reconfig_wanted && !d->open_wanted)
		return RECONFIG;
	if (d->write_cache_wanted)
		return PUBLISH_WRITE_CACHE;
	if (d->alua_wanted && d->served) {
		d->alua_wanted = false;
		return READ_ALUA;
	}
	d->busy = false;
	return NOTHING;
}

bool kernel_answer_added(struct kernel_device *d, int status)
{
	lock_take(&d->manager->lock);
	bool pending = d->added_reply_pending;
	d->added_reply_pending = false;
	lock_drop(&d->manager->lock);
	return pending &&
	       tcmu_netlink_reply(d->manager->netlink, TCMU_EVENT_ADDED, d->added_id, status) != -ENODEV;
}

/* Logs the error unless the try before has failed with the same one. */
static void set_failed(struct kernel_device *d, bool stays, const struct error *error)
{
	lock_take(&d->manager->lock);
	bool again = d->state == TCMU_DEVICE_FAILED && !strcmp(d->error.text, error->text);
	d->state = TCMU_DEVICE_FAILED;
	d->error = *error;
	d->stays |= stays;
	lock_drop(&d->manager->lock);
	if (!again)
		log_err(d->subject, "not served: %s", error->text);
}

void kernel_failed_but_stays(struct kernel_device *d, const struct error *error)
{
	set_failed(d, true, error);
}

/*
 * ADDED may have arrived while an older try to open the storage was under way, which must not create storage. Then the try
 * that ADDED asks for decides about the reply.
 */
static bool is_opened_again(struct kernel_device *d)
{
	SCOPE_LOCK(&d->manager->lock);

	return d->open_wanted && d->added_reply_pending && !d->removing && !d->manager->closing;
}

void kernel_failed(struct kernel_device *d, int err, const struct error *error)
{
	set_failed(d, false, error);
	if (is_opened_again(d))
		return;
	bool refused = kernel_answer_added(d, err);

	SCOPE_LOCK(&d->manager->lock);
	d->stays |= !refused;
	d->removing |= !d->stays;
}

/* --- close --- */

static void forget(struct kernel_device *d)
{
	struct kernel_manager *manager = d->manager;
	struct list *node, *tmp;

	SCOPE_LOCK(&manager->lock);
	list_del(&d->node);
	/* Other devices may wait for the storage that was just closed. */
	list_for_each (&manager->devices, node, tmp) {
		struct kernel_device *other = list_entry(node, struct kernel_device, node);

		if (other->open_wanted)
			kernel_queue_job(other);
	}
	pthread_cond_broadcast(&manager->gone);
	free(d);
}

/* Closes the device for this process. A device that stays is left to the next process, with the reset if that was not done. */
static void release(struct kernel_device *d)
{
	lock_take(&d->manager->lock);
	bool stays = !d->removing;
	if (stays && (d->reset || d->broken))
		kernel_mark_add_unclean(d->manager, d->minor);
	lock_drop(&d->manager->lock);
	if (!stays && d->manager->fd_store)
		d->manager->fd_store->forget(&d->kept);
	if (d->enable_fd >= 0)
		close(d->enable_fd);
	if (d->opened)
		tcmu_uio_close(&d->uio);
	else if (d->kept.fd >= 0)
		close(d->kept.fd);
}

static void close_device(struct kernel_device *d)
{
	kernel_answer_added(d, -ESHUTDOWN);
	if (d->reconfig_wanted)
		kernel_answer_reconfig(d, -ESHUTDOWN);
	kernel_lun_close(d->next, d->removing);
	kernel_replace_lun(d, NULL);
	release(d);
	log_info(d->subject, "closed");
	forget(d);
}

void kernel_run(struct pool_job *job)
{
	struct kernel_device *d = container_of(job, struct kernel_device, job);

	for (;;) {
		switch (next_task(d)) {
		case NOTHING:
			return;
		case OPEN:
			kernel_open_device(d);
			break;
		case RECONFIG:
			if (!kernel_reconfigure(d))
				return;
			break;
		case REPLY:
			kernel_answer_reconfig(d, d->flush_status);
			break;
		case PUBLISH_WRITE_CACHE:
			kernel_publish_write_cache(d);
			break;
		case STOP:
			tcmu_device_stop(&d->device);
			return;
		case START:
			kernel_start_device(d);
			break;
		case IDENTIFY:
			kernel_identify(d);
			break;
		case READ_ALUA:
			kernel_alua_read(d);
			break;
		case CLOSE:
			close_device(d);
			return;
		}
	}
}
