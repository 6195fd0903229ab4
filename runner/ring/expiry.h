/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel's command time-out (attrib/cmd_time_out) from this side. When it has passed the kernel answers
 * the initiator itself, without telling us, and whatever becomes of the command later surprises somebody: a
 * WRITE may undo a newer one. So a command that may have got too old is not begun, and one that takes too
 * long is called back (scsi_expire()), both early enough that the kernel's time-out has not passed.
 *
 * An entry of the ring has no time. But what lies there came after the last time at which the ring was seen
 * to end where nothing is left now: a beat of the loop's pulse looks for that when there are no commands. A
 * daemon that was stopped, or a machine that was suspended, has not looked.
 *
 * Of a time-out T nothing is begun after 3/4 T, and what runs then is called back before 7/8 T: 5/8 T by the
 * pulse's clock, that is behind by up to T/8, and a beat of T/8 for noticing.
 */
#ifndef RING_EXPIRY_H
#define RING_EXPIRY_H

#include <stdbool.h>
#include <stdint.h>

#include "loop/loop.h"
#include "util/list.h"

struct tcmu_device;

struct tcmu_expiry {
	uint64_t time_out_ns; /* 0: commands do not expire, and nothing of the following is kept up */
	uint64_t deadline_ns; /* of what is fetched now */
	uint64_t since_ns;    /* what lies in the ring came after it */
	/* The ring's end at an earlier look, and how many bytes are to be fetched up to there. */
	uint64_t mark_ns;
	uint32_t mark_left;
	uint32_t fetch;   /* ring.fetch at the last look */
	struct list late; /* tcmu_task.node of those that took too long and are not over */
	uint64_t complain_ns;
	bool refusing, running;
	struct loop_pulse pulse;
	uint64_t nlate; /* atomic, relaxed: all there ever were */
};

/*
 * Before the device starts for the first time, device->expiry being zero: what lies in its ring came after
 * since_ns, CLOCK_MONOTONIC.
 */
void tcmu_expiry_init(struct tcmu_device *device, uint64_t since_ns);
/*
 * On the loop, around the time in which commands are fetched or in flight; again when device->time_out may be
 * another, which the kernel only allows while no LUN leads here. Returns 0 or -errno.
 */
int tcmu_expiry_start(struct tcmu_device *device);
void tcmu_expiry_stop(struct tcmu_device *device);
/* On the loop, after tcmu_ring_look(). Returns false if what it saw may be too old to be begun. */
bool tcmu_expiry_look(struct tcmu_device *device);
#endif
