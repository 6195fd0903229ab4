/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One TCMU device on its loop: fetches commands from the ring when the UIO descriptor wakes the loop, gives
 * them to the device server, and publishes completions, with one doorbell in each turn.
 *
 * A device belongs to one loop for its whole life. Functions that are marked "main" are called on the main
 * thread and only post work to the loop.
 */
#ifndef RING_DEVICE_H
#define RING_DEVICE_H

#include <stdbool.h>
#include <stdint.h>

#include "loop/loop.h"
#include "scsi/scsi.h"
#include "ring/expiry.h"
#include "ring/ring.h"
#include "util/list.h"
#include "util/slab.h"

struct tcmu_device {
	/* The owner sets these members before the start: */
	const char *name; /* for logs: "user_0/disk" */
	struct loop *loop;
	int fd;                /* /dev/uioN, opened with O_NONBLOCK. The owner closes it after the stop. */
	struct tcmu_ring ring; /* The ring is attached. */
	struct scsi_lu *lu;
	/* attrib/cmd_time_out in seconds; 0: none. May also be set before tcmu_device_go_on(). */
	uint64_t time_out;

	/*
	 * On the loop, once: the kernel has removed the device, or its ring is broken. The owner must then
	 * stop the device.
	 */
	void (*on_gone)(struct tcmu_device *device);
	/*
	 * On the loop, once after tcmu_device_stop(): nothing of this device is in flight or registered any
	 * more.
	 */
	void (*on_stopped)(struct tcmu_device *device);
	/*
	 * On the loop, when the kernel sends a command for the first time. From now on a LUN leads to the
	 * device, so the settings that the kernel lets change only before that are fixed. The command waits
	 * in the ring until tcmu_device_go_on(). May be NULL.
	 */
	void (*on_first)(struct tcmu_device *device);
	void *owner;

	/*
	 * The members below belong to the device itself; the owner calls tcmu_expiry_init() before the start.
	 */

	/* The ring does not say which initiator has sent a command, so one nexus stands for all of them. */
	struct scsi_nexus nexus;
	struct loop_watch watch;
	struct loop_poller poller;
	struct loop_work start, stop, kick, go_on;
	struct slab tasks;
	struct list inflight; /* All tcmu_task.node, except those in expiry.late. */
	struct tcmu_expiry expiry;
	bool stopping, gone, registered, used;
	bool waiting;                 /* The device waits for go_on, and fetches nothing. */
	uint64_t commands, doorbells; /* Atomic, relaxed. */
};

/* Main thread. Starts to fetch on the loop. After a stop, it starts again at the entry where it stopped. */
void tcmu_device_start(struct tcmu_device *device);
/*
 * Main thread. Fetches no more commands, lets the commands in flight end, publishes their completions, rings
 * the doorbell, and then calls on_stopped. The next daemon continues at cmd_tail.
 */
void tcmu_device_stop(struct tcmu_device *device);
/* Any thread, once after on_first, unless the device was stopped in the meantime. */
void tcmu_device_go_on(struct tcmu_device *device);
/* On the loop: a completion was written; publishes it at the end of the turn. */
void tcmu_device_kick(struct tcmu_device *device);
#endif
