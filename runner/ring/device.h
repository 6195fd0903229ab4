/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One TCMU device on its loop: fetches commands from the ring when the UIO descriptor wakes the loop, passes
 * them to the device server, and publishes completions, with one doorbell write in each turn. A device
 * belongs to the same loop for its whole life. Functions that are marked "main" are called on the main thread
 * and only post work to the loop.
 */
#ifndef RING_DEVICE_H
#define RING_DEVICE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "loop/loop.h"
#include "scsi/scsi.h"
#include "ring/expiry.h"
#include "ring/ring.h"
#include "util/list.h"
#include "util/slab.h"

struct tcmu_device {
	/* --- The owner sets these members before the start. */

	/* The name for logs, for example "user_0/disk". */
	const char *name;
	struct loop *loop;
	/* A descriptor of /dev/uioN that was opened with O_NONBLOCK. The owner closes it after the stop. */
	int fd;
	struct tcmu_ring ring; /* After tcmu_ring_attach(). */
	struct scsi_lu *lu;
	/*
	 * The value of attrib/cmd_time_out in seconds; 0 means that there is none. It may also be set before
	 * tcmu_device_resume().
	 */
	uint64_t time_out;

	/*
	 * Is called once on the loop if the kernel has removed the device, or if its ring is broken. The
	 * owner must then stop the device.
	 */
	void (*on_gone)(struct tcmu_device *device);
	/*
	 * Is called once on the loop after tcmu_device_stop(), when nothing of this device is in flight or
	 * registered any more.
	 */
	void (*on_stopped)(struct tcmu_device *device);
	/*
	 * Is called on the loop when the kernel sends the first command. This command shows that a LUN leads
	 * to the device, so the settings that the kernel allows to be changed only without a LUN are final.
	 * The command waits in the ring until tcmu_device_resume() is called. May be NULL.
	 */
	void (*on_first)(struct tcmu_device *device);
	void *owner;

	/*
	 * The members below belong to the device itself; the owner calls tcmu_expiry_init() before the start.
	 */

	/*
	 * The ring does not say which initiator has sent a command, so one nexus represents all initiators.
	 */
	struct scsi_nexus nexus;
	struct loop_watch watch;
	struct loop_poller poller;
	struct loop_work start, stop, publish, resume;
	struct slab tasks;
	struct list inflight; /* A list of all tasks (tcmu_task.node), except those in expiry.expired. */
	struct tcmu_expiry expiry;
	bool stopping, gone, registered, used;
	/* Whether the device waits for tcmu_device_resume() and fetches nothing. */
	bool waiting;
	_Atomic uint64_t commands, doorbells; /* See util/counter.h. */
};

/*
 * Main thread. Begins to fetch commands on the loop. After a stop, the device continues at the entry where it
 * stopped.
 */
void tcmu_device_start(struct tcmu_device *device);
/*
 * Main thread. Stops fetching commands, waits until the commands in flight have ended, publishes their
 * completions, notifies the kernel, and then calls on_stopped. The next daemon continues at cmd_tail.
 */
void tcmu_device_stop(struct tcmu_device *device);
/*
 * Any thread. Makes the device fetch the command for which it has called on_first, and all later ones. To be
 * called once after on_first, unless the device was stopped meanwhile.
 */
void tcmu_device_resume(struct tcmu_device *device);
/*
 * On the loop. At the end of the turn, publishes the completions that have been written, and notifies the
 * kernel.
 */
void tcmu_device_publish(struct tcmu_device *device);
#endif
