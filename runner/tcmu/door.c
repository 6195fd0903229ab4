/* SPDX-License-Identifier: Apache-2.0 */
/* The door as a whole: opening, closing, listing. Main thread. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tcmu/door_private.h"
#include "tcmu/parameter.h"
#include "util/cleanup.h"
#include "util/log.h"

/* So many devices may be opened or closed at a time. A backend can hang in that for as long as it likes, and the next
 * device must not wait for it; the bound only keeps a machine's whole storage from taking all of its threads. */
#define MOST_JOBS 1024

/* --- waiters of a dead daemon --- */

static void set_parameter(const char *name, const char *value)
{
	int err = tcmu_module_parameter(name, value);

	if (err)
		log_warn(NULL, "target_core_user: %s: %s; who waits for a dead daemon goes on waiting", name,
			 strerror(-err));
}

static void pause_ms(unsigned ms)
{
	const struct timespec time = {.tv_nsec = ms * 1000000};

	nanosleep(&time, NULL);
}

/* The kernel lets go of all who wait for an answer, with EINTR, and their devices go. */
static void block_and_free_waiters(void)
{
	set_parameter("block_netlink", "1");
	set_parameter("reset_netlink", "1");
	pause_ms(20);
}

/* Shells try again at once: so it stays blocked, and a new try ends with EAGAIN, until all have noticed. */
static void unblock_netlink(void)
{
	pause_ms(100);
	set_parameter("reset_netlink", "1");
	pause_ms(80);
	set_parameter("block_netlink", "0");
}

/* --- open and close --- */

static void door_free(struct tcmu_door *door)
{
	if (door->jobs)
		pool_stop(door->jobs);
	pthread_cond_destroy(&door->gone);
	pthread_mutex_destroy(&door->lock);
	free(door->unclean_before.at);
	free(door->unclean.at);
	free(door->mark);
	free(door->state_dir);
	free(door);
}

static struct tcmu_door *allocate(struct loop_set *set, const struct tcmu_door_options *options)
{
	struct tcmu_door *door = calloc(1, sizeof(*door));

	if (!door)
		return NULL;
	door->set = set;
	door->io_lock = options->io_lock;
	door->fd_store = options->fd_store;
	door->defaults = options->defaults;
	list_init(&door->devices);
	pthread_mutex_init(&door->lock, NULL);
	pthread_cond_init(&door->gone, NULL);
	door->state_dir = strdup(options->state_dir);
	if (door->state_dir && asprintf(&door->mark, "%s/clean-stop", options->run_dir) >= 0)
		return door;
	door->mark = NULL;
	door_free(door);
	return NULL;
}

/* Everybody goes, and has his answer. */
static void close_devices(struct tcmu_door *door)
{
	struct list *node, *tmp;

	SCOPE_LOCK(&door->lock);
	door->closing = true;
	door->left_ns = loop_clock_ns();
	list_for_each (&door->devices, node, tmp)
		door_wake(list_entry(node, struct door_device, node));
	while (!list_empty(&door->devices))
		pthread_cond_wait(&door->gone, &door->lock);
}

struct tcmu_door *tcmu_door_open(struct loop_set *set, const struct tcmu_door_options *options,
				 struct error *error)
{
	struct tcmu_door *door = allocate(set, options);

	if (!door) {
		error_set(error, ENOMEM, "out of memory");
		return NULL;
	}
	if (!pool_start(&door->jobs, MOST_JOBS, error))
		door->netlink = tcmu_netlink_open(door_on_event, door, error);
	if (!door->netlink) {
		door_free(door);
		return NULL;
	}
	door_alua_open(door);
	block_and_free_waiters();
	door_mark_take(door);
	/* What comes after the joining of the group is an event, what was there before is found here; what is
	 * both is told apart by its minor number. */
	int err = tcmu_uio_scan(door_adopt, door, error);

	unblock_netlink();
	if (!err && !tcmu_netlink_start(door->netlink, error))
		return door;
	/* There may be devices that were not found, whose state nobody knows. */
	door->no_mark = true;
	tcmu_door_close(door);
	return NULL;
}

void tcmu_door_close(struct tcmu_door *door)
{
	close_devices(door);
	door_alua_close(door);
	tcmu_netlink_close(door->netlink);
	door_mark_leave(door);
	door_free(door);
}

/* --- retry, defaults, list --- */

void tcmu_door_retry(struct tcmu_door *door)
{
	struct list *node, *tmp;

	SCOPE_LOCK(&door->lock);
	list_for_each (&door->devices, node, tmp) {
		struct door_device *d = list_entry(node, struct door_device, node);

		if (d->state != TCMU_DEVICE_FAILED || d->broken || d->removing)
			continue;
		d->open_wanted = true;
		door_wake(d);
	}
}

void tcmu_door_set_defaults(struct tcmu_door *door, const struct tcmu_door_defaults *defaults)
{
	SCOPE_LOCK(&door->lock);

	door->defaults = *defaults;
}

static void view_device(const struct door_device *d, struct tcmu_device_view *view)
{
	*view = (struct tcmu_device_view){
	    .name = d->label,
	    .config = d->name.config,
	    .minor = d->minor,
	    .state = d->removing || d->door->closing ? TCMU_DEVICE_CLOSING : d->state,
	    .error = d->state == TCMU_DEVICE_FAILED ? d->error.text : "",
	    .size = d->state == TCMU_DEVICE_SERVED ? backstore_size(d->lun.bs) : 0,
	    .commands = __atomic_load_n(&d->device.commands, __ATOMIC_RELAXED),
	    .doorbells = __atomic_load_n(&d->device.doorbells, __ATOMIC_RELAXED),
	    .late = __atomic_load_n(&d->device.expiry.nlate, __ATOMIC_RELAXED),
	};
}

void tcmu_door_list(struct tcmu_door *door, void (*view)(void *arg, const struct tcmu_device_view *view),
		    void *arg)
{
	struct list *node, *tmp;

	SCOPE_LOCK(&door->lock);
	list_for_each (&door->devices, node, tmp) {
		struct tcmu_device_view seen;

		view_device(list_entry(node, struct door_device, node), &seen);
		view(arg, &seen);
	}
}
