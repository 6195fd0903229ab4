/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Events of devices whose handler is not loaded. The kernel makes the process that enables, changes or
 * removes such a device wait for a reply, without a limit and without reacting to signals. If no other daemon
 * listens for events, this daemon replies at once. Otherwise the other daemon may serve the handler, and this
 * daemon replies only after a limited time. Events of loaded handlers are left to event.c.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "kernel/private.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/log.h"

#define SECOND_NS         1000000000ull
#define OTHER_DAEMON_WAIT (10 * SECOND_NS)

/* An event that another daemon may answer until the deadline. */
struct kernel_unknown {
	struct list node; /* In manager->unknown, protected by manager->lock. */
	struct kernel_manager *manager;
	struct loop_pool_job job;
	struct tcmu_event event;
	uint64_t deadline_ns;
	/*
	 * Whether a newer event with the same device_id has arrived, so that the kernel no longer waits for
	 * this reply. Protected by manager->lock.
	 */
	bool superseded;
};

/* --- messages --- */

static void print_loaded_handlers(char *text, size_t size)
{
	const struct tcmur_handler *handler;
	size_t len = 0;

	snprintf(text, size, "none");
	for (unsigned i = 0; (handler = backstore_handler_at(i)) && len < size; i++)
		len += (size_t)snprintf(text + len, size - len, "%s%s", i ? ", " : "", handler->name);
}

/* Logs the refusal. why is the reason for it. */
static void log_refusal(const struct tcmu_event *event, const char *why)
{
	struct tcmu_uio_name name;
	char loaded[256];

	if (event->type == TCMU_EVENT_REMOVED)
		return;
	if (!tcmu_uio_name_parse(event->uio_name, &name)) {
		log_err(NULL,
			"%s: refused: its dev_config does not begin with HANDLER/, so no daemon can serve it",
			event->uio_name);
		return;
	}
	print_loaded_handlers(loaded, sizeof(loaded));
	log_err(NULL, "user_%s/%s: refused: no handler '%s' is loaded (loaded: %s), and %s", name.hba,
		name.device, name.handler, loaded, why);
}

/* --- the reply --- */

/* Returns the status of the reply. The kernel ignores the status of a removal. */
static int status_of(enum tcmu_event_type type)
{
	return type == TCMU_EVENT_REMOVED ? 0 : -ENOENT;
}

static void refuse(struct kernel_manager *manager, const struct tcmu_event *event, const char *why)
{
	if (tcmu_netlink_reply(manager->netlink, event->type, event->device_id, status_of(event->type)) !=
	    -ENODEV)
		log_refusal(event, why);
}

/*
 * Sleeps until the deadline, or until the manager closes or a newer event has superseded this one. Returns
 * whether the kernel may still wait for the reply.
 */
static bool await_other_daemon(struct kernel_unknown *unknown)
{
	struct kernel_manager *manager = unknown->manager;
	const struct timespec pause = {.tv_nsec = KERNEL_PAUSE_NS};
	bool waiting = true;

	while (waiting) {
		lock_take(&manager->lock);
		waiting = !unknown->superseded && !manager->closing && clock_now_ns() < unknown->deadline_ns;
		lock_drop(&manager->lock);
		if (waiting)
			nanosleep(&pause, NULL);
	}
	SCOPE_LOCK(&manager->lock);
	return !unknown->superseded;
}

static void reply_after_wait(struct loop_pool_job *job)
{
	struct kernel_unknown *unknown = container_of(job, struct kernel_unknown, job);
	struct kernel_manager *manager = unknown->manager;

	if (await_other_daemon(unknown))
		refuse(manager, &unknown->event, "the other daemon that listens did not reply in time");
	SCOPE_LOCK(&manager->lock);
	list_del(&unknown->node);
	pthread_cond_broadcast(&manager->gone);
	free(unknown);
}

static bool wait_for_other_daemon(struct kernel_manager *manager, const struct tcmu_event *event)
{
	struct kernel_unknown *unknown = calloc(1, sizeof(*unknown));

	if (!unknown)
		return false;
	unknown->manager = manager;
	unknown->event = *event;
	unknown->deadline_ns =
	    clock_now_ns() + (manager->other_daemon_ns ? manager->other_daemon_ns : OTHER_DAEMON_WAIT);
	unknown->job.fn = reply_after_wait;
	lock_take(&manager->lock);
	bool closing = manager->closing;
	if (!closing)
		list_add_tail(&manager->unknown, &unknown->node);
	lock_drop(&manager->lock);
	if (closing) {
		free(unknown);
		return false;
	}
	loop_pool_submit(manager->jobs, &unknown->job);
	return true;
}

void kernel_unknown_supersede(struct kernel_manager *manager, uint32_t device_id)
{
	struct list *node, *tmp;

	list_for_each (&manager->unknown, node, tmp) {
		struct kernel_unknown *unknown = list_entry(node, struct kernel_unknown, node);

		unknown->superseded |= unknown->event.device_id == device_id;
	}
}

void kernel_unknown_event(struct kernel_manager *manager, const struct tcmu_event *event)
{
	if (!tcmu_netlink_has_other_listener(manager->netlink)) {
		refuse(manager, event, "no other daemon listens for its events");
		return;
	}
	if (event->type == TCMU_EVENT_ADDED)
		log_info(NULL, "%s: its handler is not loaded here; another daemon listens and may serve it",
			 event->uio_name);
	if (!wait_for_other_daemon(manager, event))
		refuse(manager, event, "this daemon cannot wait for the reply of the other daemon");
}
