/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One TCMU device on its loop: fetches commands from the ring when the uio descriptor wakes it, gives them to
 * the device server, and publishes completions, with one doorbell a turn.
 *
 * A device belongs to one loop for its whole life. What is marked "main" is called elsewhere and only posts.
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
	/* owner, before start */
	const char *name; /* for logs: "user_0/disk" */
	struct loop *loop;
	int fd;                /* /dev/uioN, O_NONBLOCK; the owner closes it after stop */
	struct tcmu_ring ring; /* attached */
	struct scsi_lu *lu;
	uint64_t
	    time_out; /* seconds, attrib/cmd_time_out, 0: none; also to be set before tcmu_device_go_on() */
	/* and tcmu_expiry_init() */
	/* On the loop, once: the kernel removed the device, or its ring makes no sense. The owner then stops
	 * it. */
	void (*on_gone)(struct tcmu_device *device);
	/* On the loop, once after tcmu_device_stop(): nothing of this device is in flight or registered. */
	void (*on_stopped)(struct tcmu_device *device);
	/*
	 * On the loop, when the kernel sends a command for the first time: a LUN leads here from now on, and
	 * what the kernel lets change only before that stands. The command waits in the ring until
	 * tcmu_device_go_on(). May be NULL.
	 */
	void (*on_first)(struct tcmu_device *device);
	void *owner;

	/* device's own */
	struct scsi_nexus nexus; /* the ring names no initiator: one nexus stands for all of them */
	struct loop_watch watch;
	struct loop_poller poller;
	struct loop_work start, stop, kick, go_on;
	struct slab tasks;
	struct list inflight; /* tcmu_task.node, but for those in expiry.late */
	struct tcmu_expiry expiry;
	bool stopping, gone, registered, used;
	bool waiting;                 /* for go_on; fetches nothing meanwhile */
	uint64_t commands, doorbells; /* atomic, relaxed */
};

/* Main. Starts fetching on the loop; once stopped, also again, at the entry where it stopped. */
void tcmu_device_start(struct tcmu_device *device);
/* Main. Fetches no more, lets what is in flight end, publishes it, rings the doorbell, then on_stopped. The
 * next daemon continues at cmd_tail. */
void tcmu_device_stop(struct tcmu_device *device);
/* Any thread, once after on_first, unless the device was stopped meanwhile. */
void tcmu_device_go_on(struct tcmu_device *device);
/* On the loop: a completion was written; publish it at the end of the turn. */
void tcmu_device_kick(struct tcmu_device *device);
#endif
