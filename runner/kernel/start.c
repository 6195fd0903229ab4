/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Starts a device whose storage is open: waits until the kernel has enabled it, resets and maps the ring, and
 * prepares for the first command. runner/ring serves the ring from then on.
 */
#include <unistd.h>

#include "kernel/private.h"
#include "util/bytes.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/log.h"

/* The kernel enables a device very soon after the reply. */
#define ENABLE_PAUSE_NS 1000000
#define ENABLE_TRIES    100

/* --- the first command --- */

static void on_first(struct tcmu_device *device)
{
	struct kernel_device *d = device->owner;

	SCOPE_LOCK(&d->manager->lock);
	kernel_request(d, KERNEL_IDENTIFY);
}

void kernel_identify(struct kernel_device *d)
{
	kernel_lun_identify(d);
	kernel_lun_read_time_out(d);
	kernel_alua_read(d);
	tcmu_device_resume(&d->device);
}

/* --- start, and start again with another LUN --- */

static void on_stopped(struct tcmu_device *device)
{
	struct kernel_device *d = device->owner;

	kernel_alua_stop(d);
	lock_take(&d->manager->lock);
	d->state = KERNEL_STOPPED;
	if (d->manager->closing && device->expiry.time_out_ns)
		d->manager->left_ns = MIN(d->manager->left_ns, device->expiry.since_ns);
	lock_drop(&d->manager->lock);
	loop_pool_submit(d->manager->jobs, &d->job);
}

/*
 * Resets the ring. The kernel answers all commands in it with BUSY, and initiators repeat them. The ring
 * cannot be read without a reset, because the daemon that has died may have written completions over requests
 * that it had not completed.
 */
static int reset_ring(struct kernel_device *d, struct error *error)
{
	return d->reset ? tcmu_configfs_write(&d->cfs, "action/reset_ring", "1", error) : 0;
}

static void unblock_ring(struct kernel_device *d)
{
	struct error error;

	if (d->reset && tcmu_configfs_write(&d->cfs, "action/block_dev", "0", &error))
		log_err(d->subject,
			"its ring stays blocked, so its commands wait; write 0 to action/block_dev: %s",
			error.text);
	d->reset = false;
}

/* Waits until the I/O of a daemon that has died has ended. Returns false if the device is being removed. */
static bool await_stray_io(struct kernel_device *d)
{
	for (int i = 0; kernel_stray_io(d); i++) {
		if (!kernel_pause(d, KERNEL_PAUSE_NS))
			return false;
		if (i == KERNEL_WARN_AFTER)
			log_warn(d->subject, "waits for the end of I/O that the previous daemon has left");
	}
	return true;
}

/*
 * Waits until the kernel has enabled the device. Returns false if the device is being removed: another daemon
 * has refused it, or the process that creates it has given up, and its UIO device has disappeared.
 *
 * Somebody may remove the device as soon as the reply has been sent, so nothing here looks anything up in
 * configfs. A look-up would wait for the reply to REMOVED. If this daemon were killed now, the waiting thread
 * would keep its process from ending, and the next daemon, which would send the reply, could not start.
 */
static bool await_enabled(struct kernel_device *d)
{
	uint64_t enabled;

	for (int i = 0; d->enable_fd >= 0; i++) {
		kernel_answer_added(d, 0);
		if (!tcmu_uio_is_device(d->uio.fd, d->minor)) {
			log_info(d->subject, "the kernel does not enable it: another daemon has refused it, "
					     "or the process that creates it has given up");
			kernel_mark_removed(d);
			return false;
		}
		if (!tcmu_configfs_read_held(d->enable_fd, &enabled) && enabled) {
			close(d->enable_fd);
			d->enable_fd = -1;
			break;
		}
		if (!kernel_pause(d, i < ENABLE_TRIES ? ENABLE_PAUSE_NS : KERNEL_PAUSE_NS))
			return false;
	}
	return true;
}

static int attach_ring(struct kernel_device *d, struct error *error)
{
	/* After a reset, the ring is empty. */
	uint64_t since_ns = d->reset ? clock_now_ns() : d->since_ns;
	int err = tcmu_uio_map(d->minor, &d->uio, error);

	if (!err)
		err = tcmu_ring_attach(&d->device.ring, d->uio.map, d->uio.map_len, error);
	if (err)
		return err;
	tcmu_expiry_init(&d->device, since_ns);
	d->device.name = d->subject;
	d->device.fd = d->uio.fd;
	d->device.on_gone = kernel_on_gone;
	d->device.on_stopped = on_stopped;
	d->device.owner = d;
	SCOPE_LOCK(&d->manager->lock);
	d->attached = true;
	return 0;
}

void kernel_replace_lun(struct kernel_device *d, struct storage_lu *lun)
{
	bool opened = lun && !storage_lu_is_absent(lun);

	lock_take(&d->manager->lock);
	struct storage_lu *old = d->lun;
	d->lun = lun;
	/* These requests were for the previous storage. */
	d->requests &= ~(KERNEL_BIT(KERNEL_IDENTIFY) | KERNEL_BIT(KERNEL_READ_ALUA));
	d->state = !lun ? KERNEL_CLOSED : opened ? KERNEL_SERVED : KERNEL_STANDING_IN;
	/*
	 * The memory that is kept for the previous disk is freed if the device is removed, or if another disk
	 * is served now. If the new LUN has taken over the lock of the old one, it serves the same disk with
	 * other options or filters.
	 */
	bool forget = kernel_is_requested(d, KERNEL_REMOVE) || (opened && !storage_lu_has_taken_over(lun));
	lock_drop(&d->manager->lock);
	kernel_lun_close(old, forget);
}

static void log_what_is_served(const struct kernel_device *d)
{
	struct backstore *bs = storage_lu_backstore(d->lun);
	const char *options = storage_lu_options(d->lun);
	char filters[512];

	backstore_print_filters(bs, filters, sizeof(filters));
	log_info(d->subject, "served, %llu bytes%s%s%s%s", (unsigned long long)backstore_size(bs),
		 *options ? ", with " : "", options, *filters ? ", filters: " : "", filters);
}

void kernel_start_device(struct kernel_device *d)
{
	struct error error = {""};

	if (!await_stray_io(d) || !await_enabled(d))
		return;
	int err = reset_ring(d, &error);

	if (err) {
		kernel_lun_close(d->next, false);
		d->next = NULL;
		kernel_failed(d, err, &error);
		return;
	}
	err = d->attached ? 0 : attach_ring(d, &error);
	if (err) {
		kernel_lun_close(d->next, false);
		d->next = NULL;
		lock_take(&d->manager->lock);
		d->broken = true;
		lock_drop(&d->manager->lock);
		kernel_failed(d, err, &error);
		return;
	}
	kernel_lun_take_over(d);
	kernel_replace_lun(d, d->next);
	d->next = NULL;
	d->device.lu = storage_lu_scsi(d->lun);
	d->device.on_first = on_first;
	d->device.used = false;
	tcmu_device_start(&d->device);
	unblock_ring(d);
	if (!storage_lu_is_absent(d->lun))
		log_what_is_served(d);
	kernel_answer_added(d, 0); /* This replies to an event that arrived after the device was enabled. */
}
