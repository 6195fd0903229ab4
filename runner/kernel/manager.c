/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The manager as a whole: start, stop, retries and the list of devices. Main thread. event.c and device.c
 * handle a single device.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "kernel/private.h"
#include "kernel/parameter.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/counter.h"
#include "util/log.h"

/*
 * The number of devices that can be opened or closed at the same time. Storage may hang for an unlimited
 * time, and no other device may have to wait for it. The limit only prevents failing storage from using up
 * all threads that the machine allows.
 */
#define MOST_JOBS 1024
/*
 * After a failed start everything must be closed, however long it takes, because the caller frees the loops.
 */
#define NO_LIMIT_MS UINT_MAX

/* --- processes that wait for a daemon that died --- */

static void set_parameter(const char *name, const char *value)
{
	int err = tcmu_module_parameter(name, value);

	if (err)
		log_warn(NULL,
			 "target_core_user: parameter %s: %s; processes that wait for a daemon that has died "
			 "stay blocked",
			 name, strerror(-err));
}

static void pause_ms(unsigned ms)
{
	const struct timespec time = {.tv_nsec = ms * 1000000};

	nanosleep(&time, NULL);
}

/*
 * The kernel ends the wait of every process for a reply with EINTR, and removes the devices that these
 * processes were creating.
 */
static void block_and_free_waiters(void)
{
	set_parameter("block_netlink", "1");
	set_parameter("reset_netlink", "1");
	pause_ms(20);
}

/*
 * Ends the blocking of netlink. A shell repeats the interrupted system call at once, so netlink stays blocked
 * until all processes have noticed, and a repeated call ends with EAGAIN.
 */
static void unblock_netlink(void)
{
	pause_ms(100);
	set_parameter("reset_netlink", "1");
	pause_ms(80);
	set_parameter("block_netlink", "0");
}

/* --- open and close --- */

static void kernel_free(struct kernel_manager *manager)
{
	if (manager->jobs)
		loop_pool_stop(manager->jobs);
	pthread_cond_destroy(&manager->gone);
	pthread_mutex_destroy(&manager->lock);
	free(manager->unclean_before.at);
	free(manager->unclean.at);
	free(manager->mark);
	free(manager->state_dir);
	free(manager);
}

static struct kernel_manager *allocate(struct loop_set *set, const struct kernel_manager_options *options)
{
	struct kernel_manager *manager = calloc(1, sizeof(*manager));

	if (!manager)
		return NULL;
	manager->set = set;
	manager->io_lock = options->io_lock;
	manager->fd_store = options->fd_store;
	manager->registry = options->registry;
	manager->other_daemon_ns = options->other_daemon_ns;
	manager->defaults = options->defaults;
	list_init(&manager->devices);
	list_init(&manager->unknown);
	pthread_mutex_init(&manager->lock, NULL);
	lock_init_condition(&manager->gone);
	manager->state_dir = strdup(options->state_dir);
	if (manager->state_dir && asprintf(&manager->mark, "%s/clean-stop", options->run_dir) >= 0)
		return manager;
	manager->mark = NULL;
	kernel_free(manager);
	return NULL;
}

/* manager->lock must be held. */
static bool is_empty(const struct kernel_manager *manager)
{
	return list_empty(&manager->devices) && list_empty(&manager->unknown);
}

/*
 * manager->lock must be held. A device that is left in use has a ring in an unknown state. The next process
 * resets the ring as soon as the I/O of this process has ended.
 */
static void leave_what_hangs(struct kernel_manager *manager)
{
	struct list *node, *tmp;

	list_for_each (&manager->devices, node, tmp) {
		struct kernel_device *d = list_entry(node, struct kernel_device, node);

		log_err(d->subject, "is not closed: commands are in flight, or its storage does not answer");
		kernel_mark_add_unclean(manager, d->minor);
	}
}

/* Closes all devices and sends every pending reply. Returns false if devices are left after this time. */
static bool close_devices(struct kernel_manager *manager, unsigned timeout_ms)
{
	const struct timespec until = clock_timespec(clock_now_ns() + timeout_ms * NS_PER_MS);
	struct list *node, *tmp;

	SCOPE_LOCK(&manager->lock);
	manager->closing = true;
	manager->left_ns = clock_now_ns();
	list_for_each (&manager->devices, node, tmp)
		kernel_request(list_entry(node, struct kernel_device, node), KERNEL_LEAVE);
	while (!is_empty(manager))
		if (pthread_cond_timedwait(&manager->gone, &manager->lock, &until))
			break;
	if (!is_empty(manager))
		leave_what_hangs(manager);
	return is_empty(manager);
}

struct kernel_manager *kernel_manager_open(struct loop_set *set, const struct kernel_manager_options *options,
					   struct error *error)
{
	struct kernel_manager *manager = allocate(set, options);

	if (!manager) {
		error_set(error, ENOMEM, "out of memory");
		return NULL;
	}
	if (!loop_pool_start(&manager->jobs, MOST_JOBS, error))
		manager->netlink = tcmu_netlink_open(kernel_on_event, manager, error);
	if (!manager->netlink) {
		kernel_free(manager);
		return NULL;
	}
	kernel_alua_open(manager);
	block_and_free_waiters();
	kernel_mark_read(manager);
	/*
	 * A device that is added after this socket has joined the group is reported by an event. A device
	 * that existed before is found here. If both apply to a device, its minor number shows that it is the
	 * same one.
	 */
	int err = tcmu_uio_scan(kernel_adopt, manager, error);

	unblock_netlink();
	if (!err && !tcmu_netlink_start(manager->netlink, error))
		return manager;
	/* Some devices may not have been found, so the state of their rings is not known. */
	manager->no_mark = true;
	kernel_manager_close(manager, NO_LIMIT_MS);
	return NULL;
}

bool kernel_manager_close(struct kernel_manager *manager, unsigned timeout_ms)
{
	if (!close_devices(manager, timeout_ms)) {
		lock_take(&manager->lock);
		kernel_mark_write(manager);
		lock_drop(&manager->lock);
		return false;
	}
	kernel_alua_close(manager);
	tcmu_netlink_close(manager->netlink);
	kernel_mark_write(manager);
	kernel_free(manager);
	return true;
}

/* --- tick, defaults, list --- */

void kernel_manager_tick(struct kernel_manager *manager)
{
	struct list *node, *tmp;

	SCOPE_LOCK(&manager->lock);
	list_for_each (&manager->devices, node, tmp) {
		struct kernel_device *d = list_entry(node, struct kernel_device, node);

		if ((d->state == KERNEL_FAILED || d->state == KERNEL_STANDING_IN) && !d->broken)
			kernel_request(d, KERNEL_OPEN);
		else if (kernel_view_state(d) == TCMU_DEVICE_SERVED)
			backstore_refresh(storage_lu_backstore(d->lun));
	}
}

void kernel_manager_set_defaults(struct kernel_manager *manager,
				 const struct kernel_manager_defaults *defaults)
{
	SCOPE_LOCK(&manager->lock);

	manager->defaults = *defaults;
}

static void view_device(const struct kernel_device *d, struct tcmu_device_view *view)
{
	enum tcmu_device_state state = kernel_view_state(d);

	*view = (struct tcmu_device_view){
	    .name = d->label,
	    .config = d->name.config,
	    .minor = d->minor,
	    .state = state,
	    .error = state == TCMU_DEVICE_FAILED   ? d->error.text
		     : state == TCMU_DEVICE_SERVED ? storage_lu_problem(d->lun)
						   : "",
	    .size = state == TCMU_DEVICE_SERVED ? backstore_size(storage_lu_backstore(d->lun))
						: d->configured_size,
	    .commands = counter_read(&d->device.commands),
	    .doorbells = counter_read(&d->device.doorbells),
	    .late = counter_read(&d->device.expiry.nexpired),
	};
}

void kernel_manager_list(struct kernel_manager *manager,
			 void (*view)(void *arg, const struct tcmu_device_view *view), void *arg)
{
	struct list *node, *tmp;

	SCOPE_LOCK(&manager->lock);
	list_for_each (&manager->devices, node, tmp) {
		struct tcmu_device_view seen;

		view_device(list_entry(node, struct kernel_device, node), &seen);
		view(arg, &seen);
	}
}

bool kernel_manager_last_refusal(struct kernel_manager *manager, char *name, size_t size, struct error *error)
{
	SCOPE_LOCK(&manager->lock);

	snprintf(name, size, "%s", manager->refused_label);
	*error = manager->refused_error;
	return *name;
}
