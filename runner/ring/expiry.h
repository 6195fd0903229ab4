/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ends commands before the kernel's command time-out (attrib/cmd_time_out). When this time has passed, the
 * kernel answers the initiator itself and does not tell the daemon. If the command is executed later, it may
 * do harm: a WRITE may undo a newer WRITE. Therefore, a command that may be too old is not started, and a
 * command that takes too long is cancelled (scsi_expire()), early enough to end before the kernel's time-out.
 *
 * Ring entries carry no time stamp. Each time the daemon looks at the ring, it records the time and the end
 * of the entries. When it has fetched everything up to that end, all entries that are still in the ring
 * arrived after that time (since_ns). While no commands arrive, the loop's pulse makes the daemon look at the
 * ring periodically. If the process was stopped or the machine was suspended, the daemon did not look for a
 * long time, and the entries that it then finds may be too old.
 *
 * With a time-out T, nothing is started after 3/4 T, and commands that are running then are cancelled before
 * 7/8 T. The pulse's clock cancels them at 5/8 T; the clock may lag by T/8, and a beat may come T/8 later.
 */
#ifndef RING_EXPIRY_H
#define RING_EXPIRY_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "loop/loop.h"
#include "util/list.h"

struct tcmu_device;

struct tcmu_expiry {
	/* 0 means that commands do not expire, and that the members below are not used. */
	uint64_t time_out_ns;
	uint64_t deadline_ns; /* The deadline of commands that are fetched now. */
	uint64_t since_ns;    /* The commands in the ring arrived after this time. */
	/*
	 * The mark: the time of an earlier look at the ring, and the number of bytes that must still be
	 * fetched until the end that the ring had at this time.
	 */
	uint64_t mark_ns;
	uint32_t mark_left;
	uint32_t seen_fetch; /* The value of ring.fetch at the last look. */
	/* A list of the tasks (tcmu_task.node) that have expired and have not ended. */
	struct list expired;
	/* The time of the next warning that the storage hangs, or 0 if there was none yet. */
	uint64_t next_warning_ns;
	bool refusing; /* Whether the last look has found commands that may be too old. */
	bool running;  /* Whether the pulse is started. */
	struct loop_pulse pulse;
	/* The number of all commands that have ever expired. Accessed atomically and relaxed. */
	_Atomic uint64_t nexpired;
};

/*
 * To be called before the device starts for the first time, with device->expiry zeroed. since_ns is a time of
 * CLOCK_MONOTONIC after which the commands in the ring arrived.
 */
void tcmu_expiry_init(struct tcmu_device *device, uint64_t since_ns);
/*
 * On the loop, before commands are fetched, and again when device->time_out may have changed, which the
 * kernel allows only while no LUN leads to the device. Returns 0 or -errno.
 */
int tcmu_expiry_start(struct tcmu_device *device);
void tcmu_expiry_stop(struct tcmu_device *device);
/*
 * On the loop, after tcmu_ring_look(). Returns false if the commands in the ring may be too old to be
 * started.
 */
bool tcmu_expiry_look(struct tcmu_device *device);
#endif
