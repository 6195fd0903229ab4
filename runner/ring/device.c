/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One TCMU device on its loop: fetches commands when the UIO descriptor wakes the loop, passes them to the
 * device server, and publishes completions at the end of the turn. The memory of the ring is left to ring.c,
 * and time limits to expiry.c.
 */
#include "ring/device.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "ring/task.h"
#include "ring/uapi.h"
#include "util/counter.h"
#include "util/log.h"

/* The number of commands that are taken from a ring before the loop serves its other devices. */
#define FETCH_BATCH 64

static void device_gone(struct tcmu_device *device, const char *why)
{
	if (device->gone)
		return;
	device->gone = true;
	log_info(device->name, "%s", why);
	device->on_gone(device);
}

/*
 * Notifies the kernel of completions. uio_write() requires exactly 4 bytes, and runs the kernel's completions
 * in this thread.
 */
static void ring_doorbell(struct tcmu_device *device)
{
	const uint32_t any = 0;

	counter_add(&device->doorbells, 1);
	if (write(device->fd, &any, sizeof(any)) != sizeof(any) && errno != EINTR)
		device_gone(device, "the kernel has removed the device");
}

static void finish_stop(struct tcmu_device *device)
{
	tcmu_expiry_stop(device);
	if (device->registered) {
		loop_poller_del(device->loop, &device->poller);
		loop_watch_del(&device->watch);
	}
	device->registered = false;
	scsi_nexus_detach(&device->nexus);
	slab_destroy(&device->tasks);
	device->on_stopped(device);
}

static void on_publish(struct loop_work *work)
{
	struct tcmu_device *device = container_of(work, struct tcmu_device, publish);

	if (tcmu_ring_publish(&device->ring) && !device->gone)
		ring_doorbell(device);
	if (device->stopping) {
		if (list_empty(&device->inflight) && list_empty(&device->expiry.expired))
			finish_stop(device);
		return;
	}
	/*
	 * Commands that arrived during the completions are fetched now, because the kernel may not wake the
	 * loop again for them.
	 */
	if (!device->gone && tcmu_ring_pending(&device->ring))
		loop_watch_again(&device->watch);
}

void tcmu_device_publish(struct tcmu_device *device)
{
	loop_defer(device->loop, &device->publish);
}

static void execute(struct tcmu_device *device, const struct tcmu_request *request, bool startable)
{
	if (request->op == TCMU_OP_TMR) {
		tcmu_task_abort(device, request);
		return;
	}
	counter_add(&device->commands, 1);
	if (startable)
		tcmu_task_start(device, request);
	else
		tcmu_task_refuse(device, request);
}

/*
 * Looks at the ring. Returns false if it is empty or if the device waits for tcmu_device_resume(). Sets
 * *startable to whether the commands in the ring may be started.
 */
static bool look(struct tcmu_device *device, bool *startable)
{
	if (!tcmu_ring_look(&device->ring))
		return false;
	if (!device->used) {
		device->used = true;
		device->waiting = device->on_first;
		if (device->waiting)
			device->on_first(device);
	}
	if (device->waiting)
		return false;
	*startable = tcmu_expiry_look(device);
	return true;
}

static void fetch(struct tcmu_device *device)
{
	struct tcmu_request request;
	bool startable = false, more = look(device, &startable);

	if (device->waiting)
		return;
	for (unsigned n = 0; n < FETCH_BATCH && more; n++) {
		int got = tcmu_ring_fetch(&device->ring, &request);

		if (got < 0)
			device_gone(device, "the ring is broken: an entry leads out of it");
		if (got <= 0)
			break;
		execute(device, &request, startable);
		/*
		 * The clock is read again for commands that arrived meanwhile, because this thread may have
		 * been stopped.
		 */
		if (device->ring.fetch == device->ring.head)
			more = look(device, &startable);
	}
	/*
	 * This is needed even if no command has completed, because entries that were skipped must be
	 * published.
	 */
	tcmu_device_publish(device);
}

static void on_resume(struct loop_work *work)
{
	struct tcmu_device *device = container_of(work, struct tcmu_device, resume);

	device->waiting = false;
	if (device->stopping || device->gone)
		return;
	if (tcmu_expiry_start(device))
		log_err(device->name, "the timer for the age of commands cannot be started; commands that "
				      "arrive after a pause are answered BUSY");
	fetch(device);
}

void tcmu_device_resume(struct tcmu_device *device)
{
	device->resume.fn = on_resume;
	loop_post(device->loop, &device->resume);
}

/*
 * Returns whether the kernel has removed the device: in this case, read() fails with EIO. The events of poll
 * do not show the removal, because the kernel returns -EIO as if it were a set of events.
 */
static bool removed(const struct tcmu_device *device)
{
	int32_t count;

	return read(device->fd, &count, sizeof(count)) < 0 && errno == EIO;
}

static void on_ready(struct loop_watch *watch, uint32_t events)
{
	struct tcmu_device *device = container_of(watch, struct tcmu_device, watch);

	if (device->stopping || device->gone)
		return;
	if ((events & (EPOLLERR | EPOLLHUP)) && removed(device)) {
		device_gone(device, "the kernel has removed the device");
		return;
	}
	fetch(device);
}

/* Returns whether the ring has a new command. The kernel advances the head before it wakes the daemon. */
static bool poll_ring(struct loop_poller *poller)
{
	struct tcmu_device *device = container_of(poller, struct tcmu_device, poller);

	if (device->stopping || device->gone || device->waiting || !tcmu_ring_pending(&device->ring))
		return false;
	loop_watch_again(&device->watch);
	return true;
}

static void on_start(struct loop_work *work)
{
	struct tcmu_device *device = container_of(work, struct tcmu_device, start);

	scsi_nexus_attach(&device->nexus, NULL, device->lu, device->loop);
	/* The kernel has already reported its own unit attention for power on. */
	atomic_store_explicit(&device->nexus.state, 0, memory_order_relaxed);
	device->watch.fn = on_ready;
	device->watch.fd = device->fd;
	device->watch.events = EPOLLIN;
	int err = tcmu_expiry_start(device);
	if (!err)
		err = loop_watch_add(device->loop, &device->watch);
	if (err) {
		log_err(device->name, "cannot watch the device: %s", strerror(-err));
		device_gone(device, "not served");
		return;
	}
	device->poller.look = poll_ring;
	loop_poller_add(device->loop, &device->poller);
	device->registered = true;
	/* Commands that were in the ring before the start cause no event. */
	fetch(device);
}

void tcmu_device_start(struct tcmu_device *device)
{
	slab_init(&device->tasks, sizeof(struct tcmu_task));
	list_init(&device->inflight);
	list_init(&device->expiry.expired);
	device->stopping = device->gone = device->waiting = false;
	device->start.fn = on_start;
	device->publish.fn = on_publish;
	loop_post(device->loop, &device->start);
}

static void on_stop(struct loop_work *work)
{
	struct tcmu_device *device = container_of(work, struct tcmu_device, stop);

	device->stopping = true;
	/* The next process must know how old the commands that remain in the ring can be. */
	tcmu_ring_look(&device->ring);
	tcmu_expiry_look(device);
	tcmu_device_publish(device);
}

void tcmu_device_stop(struct tcmu_device *device)
{
	device->stop.fn = on_stop;
	loop_post(device->loop, &device->stop);
}
