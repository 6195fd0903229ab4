/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The job of one device: does what is wished for, one thing after the other, on a thread of the door's pool.
 * Where a device has to be stopped first, the job ends, and the loop submits it again once nothing is in
 * flight: so no thread waits for commands.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tcmu/door_private.h"
#include "tcmu/uapi.h"
#include "util/bytes.h"
#include "util/cleanup.h"
#include "util/log.h"

/* A found device's storage may be held for a moment by whoever had it before. */
#define PAUSE_NS   50000000
#define BUSY_TRIES 60
#define TELL_AFTER 20 /* pauses: something is wrong then */

/* Enabling takes no time once it is answered for. */
#define ENABLE_PAUSE_NS 1000000
#define ENABLE_TRIES    100

enum task { NOTHING, OPEN, RECONFIG, REPLY, TELL_WRITE_CACHE, STOP, START, CLOSE, IDENTIFY, READ_ALUA };

/* door->lock held. Storage that is being closed for a device that goes cannot be opened for one that comes.
 */
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

/* A new device is refused and forgotten; one that was there stays, as failed, and so does one whose maker did not wait
 * for our answer. */
static void failed(struct door_device *d, int err, const struct error *error)
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

static bool stays(struct door_device *d)
{
	SCOPE_LOCK(&d->door->lock);

	return d->stays;
}

/* --- open --- */

/* As long as the device is open, be it for this process or the next, nobody else can open it. */
static int open_uio(struct door_device *d, struct error *error)
{
	const struct fd_store *store = d->door->fd_store;
	char kind[16];

	d->uio.fd = d->kept.fd;
	int err = tcmu_uio_open(d->minor, &d->uio, error);

	d->opened = !err;
	d->kept.fd = d->uio.fd;
	if (!store)
		return err;
	snprintf(kind, sizeof(kind), "uio%u", d->minor);
	if (err)
		store->forget(&d->kept);
	else if (!d->kept.name[0])
		store->keep(&d->kept, kind);
	return err;
}

static int attach(struct door_device *d, struct error *error)
{
	if (d->opened)
		return 0;
	int err = tcmu_configfs_device(&d->cfs, d->name.hba, d->name.device, error);

	return err ? err : open_uio(d, error);
}

/* Nothing new enters the ring until door_unblock. A device that the kernel has not configured yet has nothing
 * in it. */
static void block_ring(struct door_device *d)
{
	struct error error;
	int err = tcmu_configfs_write(&d->cfs, "action/block_dev", "1", &error);

	if (err == -EINVAL)
		d->reset = false;
	else if (err)
		log_err(d->subject, "%s", error.text);
}

/* Not where somebody chose a time before enabling the device. */
static void set_time_out(struct door_device *d)
{
	char text[16];
	uint64_t now;

	lock_take(&d->door->lock);
	int wanted = d->door->defaults.cmd_time_out;
	lock_drop(&d->door->lock);
	if (d->found || wanted < 0 || tcmu_configfs_read_u64(&d->cfs, "attrib/cmd_time_out", &now, NULL) ||
	    now != KERNEL_TIME_OUT)
		return;
	snprintf(text, sizeof(text), "%d", wanted);
	tcmu_configfs_write(&d->cfs, "attrib/cmd_time_out", text, NULL);
}

/* --- what a killed daemon has left under way --- */

/* Whether a dead daemon's I/O may still use the ring's buffers. Storage that is ours alone has none. */
static bool stray_io(const struct door_device *d)
{
	if (!d->reset || (d->next.bs && backstore_info(d->next.bs)->flags & TCMUR_INFO_EXCLUSIVE))
		return false;
	return tcmu_stray_io(d->door->io_lock);
}

/* False when the device is to go: nothing is worth waiting for any more. */
static bool pause_unless_going(struct door_device *d, long ns)
{
	const struct timespec pause = {.tv_nsec = ns};

	lock_take(&d->door->lock);
	bool going = d->removing || d->door->closing;
	lock_drop(&d->door->lock);
	if (!going)
		nanosleep(&pause, NULL);
	return !going;
}

static int open_patiently(struct door_device *d, struct error *error)
{
	int err = door_lun_open(d, d->name.config, &d->next, error);

	for (int i = 0; err == -EBUSY && d->found && !d->lun.lu; i++) {
		if ((i >= BUSY_TRIES && !stray_io(d)) || !pause_unless_going(d, PAUSE_NS))
			break;
		if (i == TELL_AFTER)
			log_warn(d->subject, "waits: %s", error->text);
		err = door_lun_open(d, d->name.config, &d->next, error);
	}
	return err;
}

/* False: the device is to go. */
static bool await_stray_io(struct door_device *d)
{
	for (int i = 0; stray_io(d); i++) {
		if (!pause_unless_going(d, PAUSE_NS))
			return false;
		if (i == TELL_AFTER)
			log_warn(d->subject, "waits: I/O of the daemon before is still under way");
	}
	return true;
}

static void open_device(struct door_device *d)
{
	struct error error = {""}, none;
	int err = attach(d, &error);

	if (err) {
		/* It went before the kernel's events reached us. */
		if (err == -ENODEV)
			door_condemn(d);
		failed(d, err, &error);
		return;
	}
	if (d->reset)
		block_ring(d);
	err = open_patiently(d, &error);
	if (!err) {
		set_time_out(d);
		return;
	}
	failed(d, err, &error);
	if (stays(d) && !d->lun.lu && door_lun_open_absent(d, &d->next, &none))
		log_err(d->subject, "no stand-in either: %s", none.text);
}

/* --- the first command --- */

static void on_first(struct tcmu_device *device)
{
	struct door_device *d = device->owner;

	SCOPE_LOCK(&d->door->lock);
	d->identify_wanted = true;
	door_wake(d);
}

static void identify(struct door_device *d)
{
	door_lun_identify(d);
	door_lun_expiry(d);
	door_alua_read(d);
	tcmu_device_go_on(&d->device);
}

/* --- start, and start again with another LUN --- */

static void on_stopped(struct tcmu_device *device)
{
	struct door_device *d = device->owner;

	door_alua_stop(d);
	d->served = false;
	lock_take(&d->door->lock);
	if (d->door->closing && device->expiry.time_out_ns)
		d->door->left_ns = MIN(d->door->left_ns, device->expiry.since_ns);
	lock_drop(&d->door->lock);
	pool_submit(d->door->jobs, &d->job);
}

/* What is in the ring is answered BUSY, which initiators repeat. Without that it cannot be read: a dead daemon has written
 * its answers over requests that it had not answered yet. */
static int reset_ring(struct door_device *d, struct error *error)
{
	return d->reset ? tcmu_configfs_write(&d->cfs, "action/reset_ring", "1", error) : 0;
}

static void unblock_ring(struct door_device *d)
{
	struct error error;

	if (d->reset && tcmu_configfs_write(&d->cfs, "action/block_dev", "0", &error))
		log_err(d->subject, "stays blocked: %s", error.text);
	d->reset = false;
}

/* Who aborts a command waits for its end. Told of it we call its I/O back; else it just ends some time. */
static void ask_for_notices(const struct door_device *d)
{
	if (d->device.ring.flags & TCMU_FLAG_TMR)
		tcmu_configfs_write(&d->cfs, "attrib/tmr_notification", "1", NULL);
}

/*
 * The kernel enables it once it has our answer, or without. Or another daemon has refused it, or its maker has given up
 * waiting, and its uio device goes: false, the device is to go.
 */
static bool await_enabled(struct door_device *d)
{
	uint64_t enabled;

	for (int i = 0;; i++) {
		door_answer_added(d, 0);
		if (!tcmu_uio_is(d->uio.fd, d->minor))
			break;
		if (!tcmu_configfs_read_u64(&d->cfs, "enable", &enabled, NULL) && enabled)
			return true;
		if (!pause_unless_going(d, i < ENABLE_TRIES ? ENABLE_PAUSE_NS : PAUSE_NS))
			return false;
	}
	log_info(d->subject, "the kernel has given it up");
	door_condemn(d);
	return false;
}

static int attach_ring(struct door_device *d, struct error *error)
{
	/* A reset leaves nothing in it. */
	uint64_t since_ns = d->reset ? loop_clock_ns() : d->since_ns;
	int err = tcmu_uio_map(d->minor, &d->uio, error);

	if (!err)
		err = tcmu_ring_attach(&d->device.ring, d->uio.map, d->uio.map_len, error);
	if (err)
		return err;
	ask_for_notices(d);
	tcmu_expiry_init(&d->device, since_ns);
	d->device.name = d->subject;
	d->device.fd = d->uio.fd;
	d->device.on_gone = door_on_gone;
	d->device.on_stopped = on_stopped;
	d->device.owner = d;
	SCOPE_LOCK(&d->door->lock);
	d->attached = true;
	return 0;
}

/* What was served until now is closed after nobody can see it any more. lun: {0} for nothing. */
static void replace_lun(struct door_device *d, struct door_lun lun)
{
	lock_take(&d->door->lock);
	struct door_lun old = d->lun;
	d->lun = lun;
	d->identify_wanted = d->alua_wanted = false; /* of the old one */
	if (!lun.lu)
		d->state = TCMU_DEVICE_CLOSING;
	else if (!backstore_is_absent(lun.bs))
		d->state = TCMU_DEVICE_SERVED;
	lock_drop(&d->door->lock);
	door_lun_close(&old);
}

static void start(struct door_device *d)
{
	struct error error = {""};

	if (!await_stray_io(d) || !await_enabled(d))
		return;
	int err = reset_ring(d, &error);

	if (err) {
		door_lun_close(&d->next);
		failed(d, err, &error);
		return;
	}
	err = d->attached ? 0 : attach_ring(d, &error);
	if (err) {
		door_lun_close(&d->next);
		lock_take(&d->door->lock);
		d->broken = true;
		lock_drop(&d->door->lock);
		failed(d, err, &error);
		return;
	}
	door_lun_take_over(d);
	replace_lun(d, d->next);
	d->next = (struct door_lun){0};
	d->device.lu = d->lun.lu;
	d->device.on_first = on_first;
	d->device.used = false;
	door_lun_expiry(d);
	d->served = true;
	tcmu_device_start(&d->device);
	unblock_ring(d);
	if (!backstore_is_absent(d->lun.bs))
		log_info(d->subject, "served, %llu bytes", (unsigned long long)backstore_size(d->lun.bs));
	door_answer_added(d, 0); /* to an event that came after it was enabled */
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
	replace_lun(d, (struct door_lun){0});
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
			open_device(d);
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
			start(d);
			break;
		case IDENTIFY:
			identify(d);
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
