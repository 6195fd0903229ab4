/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The target port groups that the kernel keeps. inotify reports writes to configfs: when something changes in
 * a folder from which the groups of a device were read, they are read again. inotify does not report other
 * changes, such as another LUN that leads to the device, or a state that the kernel changes itself. To notice
 * these changes, the groups are read again soon after an initiator has asked for them; the initiator itself
 * gets the known state. configfs_alua.c reads the groups.
 */
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "kernel/configfs_alua.h"
#include "kernel/private.h"
#include "util/cleanup.h"
#include "util/log.h"

#define CHANGES (IN_MODIFY | IN_CREATE | IN_DELETE | IN_ONLYDIR)
/* The groups are read at most once in this time, however often initiators ask. */
#define SOON_NS 20000000

/* --- initiators ask --- */

static void on_timer(struct loop_timer *timer)
{
	struct kernel_device *d = container_of(timer, struct kernel_device, alua_timer);

	SCOPE_LOCK(&d->manager->lock);
	kernel_request(d, KERNEL_READ_ALUA);
}

static void on_asked(void *arg)
{
	struct kernel_device *d = arg;

	if (loop_timer_is_armed(&d->alua_timer))
		return;
	d->alua_timer.fn = on_timer;
	loop_timer_arm(d->device.loop, &d->alua_timer, SOON_NS);
}

void kernel_alua_stop(struct kernel_device *d)
{
	if (loop_timer_is_armed(&d->alua_timer))
		loop_timer_cancel(&d->alua_timer);
}

static int set_state(void *arg, uint16_t group, enum scsi_alua_state state)
{
	struct kernel_device *d = arg;
	struct error error;
	int err = tcmu_configfs_alua_set(&d->cfs, group, state, &error);

	if (err)
		log_warn(d->subject, "an initiator's change of target port group %u failed: %s", group,
			 error.text);
	else
		log_info(d->subject, "an initiator changed target port group %u to state %d", group, state);
	return err;
}

const struct scsi_alua_ops kernel_alua_ops = {on_asked, set_state};

/* --- reading --- */

/* Watches a folder before anything in it is read, so that no change between the two is missed. */
static void on_folder(void *arg, const char *path)
{
	struct kernel_device *d = arg;

	if (d->manager->changes.fd < 0)
		return;
	int number = inotify_add_watch(d->manager->changes.fd, path, CHANGES);
	if (number < 0) {
		/* The reader itself notices that a folder does not exist. */
		if (errno != ENOENT)
			log_warn(d->subject, "cannot watch %s: %s", path, strerror(errno));
		return;
	}
	SCOPE_LOCK(&d->manager->lock);
	if (d->nfolders < KERNEL_FOLDERS_MAX)
		d->folders[d->nfolders++] = number;
}

void kernel_alua_read(struct kernel_device *d)
{
	struct scsi_alua alua;
	struct error error;

	lock_take(&d->manager->lock);
	d->nfolders = 0;
	lock_drop(&d->manager->lock);
	if (!tcmu_configfs_alua_read(&d->cfs, on_folder, d, &alua, &error))
		scsi_lu_set_alua(storage_lu_scsi(d->lun), &alua);
	else
		log_warn(d->subject, "target port groups: %s", error.text);
}

/* --- changes, on loop 0 --- */

static bool reads_from(const struct kernel_device *d, int folder)
{
	for (unsigned i = 0; i < d->nfolders; i++)
		if (d->folders[i] == folder)
			return true;
	return false;
}

/* manager->lock must be held. */
static void on_change(struct kernel_manager *manager, const struct inotify_event *event)
{
	struct list *node, *tmp;

	list_for_each (&manager->devices, node, tmp) {
		struct kernel_device *d = list_entry(node, struct kernel_device, node);

		if (event->mask & IN_Q_OVERFLOW || reads_from(d, event->wd))
			kernel_request(d, KERNEL_READ_ALUA);
	}
}

static void on_changes(struct loop_watch *watch, uint32_t events)
{
	struct kernel_manager *manager = container_of(watch, struct kernel_manager, changes);
	_Alignas(struct inotify_event) char buffer[4096];
	ssize_t n;

	(void)events;
	SCOPE_LOCK(&manager->lock);
	while ((n = read(watch->fd, buffer, sizeof(buffer))) > 0) {
		const struct inotify_event *event;

		for (char *p = buffer; p < buffer + n; p += sizeof(*event) + event->len) {
			event = (const struct inotify_event *)p;
			on_change(manager, event);
		}
	}
}

static void start_watching(struct loop_work *work)
{
	struct kernel_manager *manager = container_of(work, struct kernel_manager, changes_start);
	int err = loop_watch_add(manager->set->loops[0], &manager->changes);

	if (err)
		log_warn(NULL, "inotify: %s; changes of target port groups are seen late", strerror(-err));
	manager->changes_added = !err;
}

static void stop_watching(struct loop_work *work)
{
	struct kernel_manager *manager = container_of(work, struct kernel_manager, changes_stop);

	if (manager->changes_added)
		loop_watch_del(&manager->changes);
	SCOPE_LOCK(&manager->lock);
	manager->changes_stopped = true;
	pthread_cond_broadcast(&manager->gone);
}

void kernel_alua_open(struct kernel_manager *manager)
{
	manager->changes.fn = on_changes;
	manager->changes.events = EPOLLIN;
	manager->changes.fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (manager->changes.fd < 0) {
		log_warn(NULL, "inotify: %s; changes of target port groups are seen late", strerror(errno));
		return;
	}
	manager->changes_start.fn = start_watching;
	loop_post(manager->set->loops[0], &manager->changes_start);
}

void kernel_alua_close(struct kernel_manager *manager)
{
	if (manager->changes.fd < 0)
		return;
	manager->changes_stop.fn = stop_watching;
	loop_post(manager->set->loops[0], &manager->changes_stop);
	lock_take(&manager->lock);
	while (!manager->changes_stopped)
		pthread_cond_wait(&manager->gone, &manager->lock);
	lock_drop(&manager->lock);
	close(manager->changes.fd);
}
