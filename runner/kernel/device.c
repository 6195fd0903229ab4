/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The job of one device. It carries out the requests, one after the other, on a thread of the manager's pool.
 * The table at the end says which request is carried out in which state. If the device must be stopped first,
 * the job ends, and the device's loop submits it again when no command is in flight. Therefore no thread
 * waits for commands.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kernel/private.h"
#include "util/bytes.h"
#include "util/cleanup.h"
#include "util/log.h"

bool kernel_is_same_storage(const char *a, const char *b)
{
	size_t len = strcspn(a, ";");

	return len == strcspn(b, ";") && !strncmp(a, b, len);
}

/*
 * manager->lock must be held. Returns whether storage must not be opened yet for a new device, because it is
 * still being closed for a device that is removed.
 */
static bool must_wait(const struct kernel_device *d)
{
	struct list *node, *tmp;

	list_for_each (&d->manager->devices, node, tmp) {
		const struct kernel_device *other = list_entry(node, struct kernel_device, node);

		if (other != d && kernel_is_requested(other, KERNEL_REMOVE) &&
		    kernel_is_same_storage(other->name.config, d->name.config))
			return true;
	}
	return false;
}

enum tcmu_device_state kernel_view_state(const struct kernel_device *d)
{
	if (kernel_is_ending(d) || d->state == KERNEL_CLOSED)
		return TCMU_DEVICE_CLOSING;
	if (d->broken || d->state == KERNEL_FAILED || d->state == KERNEL_STANDING_IN)
		return TCMU_DEVICE_FAILED;
	if (d->state == KERNEL_OPENING)
		return TCMU_DEVICE_OPENING;
	/* While the device is stopped to serve another LUN, lists show the state that it had before. */
	return storage_lu_is_absent(d->lun) ? TCMU_DEVICE_FAILED : TCMU_DEVICE_SERVED;
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

/* Logs the error unless the previous try has failed with the same error. */
static void set_failed(struct kernel_device *d, bool stays, const struct error *error)
{
	lock_take(&d->manager->lock);
	bool again = kernel_view_state(d) == TCMU_DEVICE_FAILED && !strcmp(d->error.text, error->text);
	if (!kernel_is_running(d))
		d->state = KERNEL_FAILED;
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
 * Returns whether the storage must be opened a second time. ADDED may arrive while an earlier attempt to open
 * it is in progress. This earlier attempt must not create storage, so the second attempt, which ADDED
 * requests, decides about the reply.
 */
static bool is_opened_again(struct kernel_device *d)
{
	SCOPE_LOCK(&d->manager->lock);

	return kernel_is_requested(d, KERNEL_OPEN) && d->added_reply_pending && !kernel_is_ending(d);
}

void kernel_failed(struct kernel_device *d, int err, const struct error *error)
{
	set_failed(d, false, error);
	if (is_opened_again(d))
		return;
	bool refused = kernel_answer_added(d, err);

	SCOPE_LOCK(&d->manager->lock);
	d->stays |= !refused;
	if (!d->stays)
		d->requests |= KERNEL_BIT(KERNEL_REMOVE);
	if (!refused)
		return;
	snprintf(d->manager->refused_label, sizeof(d->manager->refused_label), "%s", d->label);
	d->manager->refused_error = *error;
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

		if (kernel_is_requested(other, KERNEL_OPEN))
			kernel_queue_job(other);
	}
	pthread_cond_broadcast(&manager->gone);
	free(d);
}

/*
 * Closes the device for this process. A device that continues to exist is left to the next process, which
 * also resets the ring if this process has not done it.
 */
static void release(struct kernel_device *d)
{
	lock_take(&d->manager->lock);
	bool stays = !kernel_is_requested(d, KERNEL_REMOVE);
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

static bool close_device(struct kernel_device *d)
{
	lock_take(&d->manager->lock);
	bool is_removed = kernel_is_requested(d, KERNEL_REMOVE);
	bool is_changing = kernel_is_requested(d, KERNEL_RECONFIG);
	lock_drop(&d->manager->lock);
	kernel_answer_added(d, -ESHUTDOWN);
	if (is_changing)
		kernel_answer_reconfig(d, -ESHUTDOWN);
	kernel_lun_close(d->next, is_removed);
	kernel_replace_lun(d, NULL);
	release(d);
	log_info(d->subject, "closed");
	forget(d);
	return false;
}

/* --- the table of requests --- */

static bool stop(struct kernel_device *d)
{
	tcmu_device_stop(&d->device);
	return false;
}

static bool start(struct kernel_device *d)
{
	kernel_start_device(d);
	return true;
}

static bool open_storage(struct kernel_device *d)
{
	kernel_open_device(d);
	return true;
}

static bool identify(struct kernel_device *d)
{
	kernel_identify(d);
	return true;
}

static bool answer_reconfig(struct kernel_device *d)
{
	kernel_answer_reconfig(d, d->flush_status);
	return true;
}

static bool publish_write_cache(struct kernel_device *d)
{
	kernel_publish_write_cache(d);
	return true;
}

static bool read_alua(struct kernel_device *d)
{
	kernel_alua_read(d);
	return true;
}

#define IN(state) KERNEL_BIT(KERNEL_##state)
#define RUNNING   (IN(STANDING_IN) | IN(SERVED))
#define IDLE      (IN(OPENING) | IN(FAILED) | IN(STOPPED))
#define NOT_OPEN  (IN(OPENING) | IN(FAILED) | IN(STANDING_IN))
#define ANY       (RUNNING | IDLE)
#define SAME      (-1)

/*
 * The table says what the job does for a request. The rows are in the order of importance: the first row
 * applies whose request is pending and whose states contain the state of the device.
 */
static const struct rule {
	enum kernel_request request;
	unsigned states;
	/* The name of the request in the debug log. */
	const char *text;
	/* Returns false if the job ends here: the device's loop submits it again, or the device is freed. */
	bool (*run)(struct kernel_device *d);
	/* The new state of the device. SAME means that run() sets it. */
	int next;
	/* Whether the request is removed from the pending ones before run() is called. */
	bool is_taken;
} rules[] = {
    {KERNEL_ANSWER_RECONFIG, ANY, "answers a change", answer_reconfig, SAME, false},
    {KERNEL_REMOVE, RUNNING, "stops to be removed", stop, KERNEL_STOPPING, false},
    {KERNEL_REMOVE, IDLE, "is removed", close_device, SAME, false},
    {KERNEL_LEAVE, RUNNING, "stops to be left", stop, KERNEL_STOPPING, false},
    {KERNEL_LEAVE, IDLE, "is left to the next process", close_device, SAME, false},
    {KERNEL_SERVE_NEXT, RUNNING, "stops to serve another LUN", stop, KERNEL_STOPPING, false},
    {KERNEL_SERVE_NEXT, IDLE, "starts", start, SAME, false},
    {KERNEL_IDENTIFY, RUNNING, "prepares for the first command", identify, SAME, true},
    {KERNEL_OPEN, NOT_OPEN, "opens its storage", open_storage, SAME, true},
    {KERNEL_RECONFIG, ANY, "is changed", kernel_reconfigure, SAME, false},
    {KERNEL_PUBLISH_WRITE_CACHE, ANY, "publishes its write cache", publish_write_cache, SAME, false},
    {KERNEL_READ_ALUA, RUNNING, "reads its target port groups", read_alua, SAME, true},
};

static const char *state_name(enum kernel_state state)
{
	static const char *const names[] = {
	    [KERNEL_OPENING] = "opening",         [KERNEL_FAILED] = "failed",
	    [KERNEL_STANDING_IN] = "standing in", [KERNEL_SERVED] = "served",
	    [KERNEL_STOPPING] = "stopping",       [KERNEL_STOPPED] = "stopped",
	    [KERNEL_CLOSED] = "closed",
	};

	return names[state];
}

/* manager->lock must be held. */
static bool can_run(const struct kernel_device *d, const struct rule *rule)
{
	bool is_pending =
	    rule->request == KERNEL_SERVE_NEXT ? d->next != NULL : kernel_is_requested(d, rule->request);

	if (!is_pending || !(rule->states & KERNEL_BIT(d->state)))
		return false;
	if (rule->request == KERNEL_OPEN)
		return !must_wait(d);
	/* A change needs the storage, so it waits until the storage has been opened. */
	return rule->request != KERNEL_RECONFIG || !kernel_is_requested(d, KERNEL_OPEN);
}

/* Takes the next request. If there is none, marks the job as not busy and returns NULL. */
static const struct rule *next_rule(struct kernel_device *d)
{
	SCOPE_LOCK(&d->manager->lock);

	/* The storage is open, so a request to open it has no purpose any more. */
	if (d->state == KERNEL_SERVED)
		d->requests &= ~KERNEL_BIT(KERNEL_OPEN);
	for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
		const struct rule *rule = &rules[i];

		if (!can_run(d, rule))
			continue;
		log_debug(d->subject, "%s (%s)", rule->text, state_name(d->state));
		if (rule->is_taken)
			d->requests &= ~KERNEL_BIT(rule->request);
		if (rule->next != SAME)
			d->state = (enum kernel_state)rule->next;
		return rule;
	}
	d->busy = false;
	return NULL;
}

void kernel_run(struct loop_pool_job *job)
{
	struct kernel_device *d = container_of(job, struct kernel_device, job);
	const struct rule *rule;

	while ((rule = next_rule(d)) && rule->run(d))
		;
}
