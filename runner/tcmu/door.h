/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel's door: all TCMU devices of our handlers, from the kernel's event to the served ring and back. Opening
 * and closing run on a pool of the door's own, one job a device at a time, so that a slow backend delays no other
 * device; netlink is answered when the job is done, or at once where the kernel waits for nothing.
 */
#ifndef TCMU_DOOR_H
#define TCMU_DOOR_H

#include <stdbool.h>
#include <stdint.h>

#include "loop/loop.h"
#include "util/error.h"
#include "util/fd_store.h"

/* What new devices get; of attributes that nobody has set before enabling. */
struct tcmu_door_defaults {
	int cmd_time_out; /* seconds; negative: the kernel's */
};

struct tcmu_door_options {
	const char *state_dir; /* for handlers' relative paths */
	const char *run_dir;   /* where a clean stop leaves its mark, "/run/tcmu-runner"; gone after a reboot */
	int io_lock;           /* tcmu_stray_io_lock()'s; -1: nothing of an earlier process's can be under way */
	const struct fd_store *fd_store; /* NULL: nobody keeps the devices open while there is no process */
	struct tcmu_door_defaults defaults;
};

enum tcmu_device_state {
	TCMU_DEVICE_OPENING,
	TCMU_DEVICE_SERVED,
	TCMU_DEVICE_FAILED,  /* its commands are answered NOT READY; opening is tried again */
	TCMU_DEVICE_CLOSING,
};

struct tcmu_device_view {
	const char *name;      /* "user_0/disk" */
	const char *config;    /* "file//srv/disk.img" */
	unsigned minor;
	enum tcmu_device_state state;
	const char *error;     /* FAILED: why, else "" */
	uint64_t size;         /* bytes, 0 while not served */
	uint64_t commands, doorbells, late; /* late: given up, since the storage took too long */
};

struct tcmu_door;

/*
 * Main. Frees waiters that a dead daemon left in the kernel, adopts the devices that exist, then answers events. After
 * a clean stop of the daemon before, rings go on where they were; otherwise each is blocked, reset once that daemon's
 * I/O is over, and unblocked.
 */
struct tcmu_door *tcmu_door_open(struct loop_set *set, const struct tcmu_door_options *options, struct error *error);
/* Main. Drains and closes all devices, leaves the mark of a clean stop. Commands wait in the rings meanwhile. */
void tcmu_door_close(struct tcmu_door *door);
/* Main. Tries the failed devices again; call it every few seconds. */
void tcmu_door_retry(struct tcmu_door *door);
/* Main. For devices that come from now on. */
void tcmu_door_set_defaults(struct tcmu_door *door, const struct tcmu_door_defaults *defaults);
/* Any thread. Calls view for each device, with a lock held: it must not call the door, nor block. What it gets is valid
 * during the call. */
void tcmu_door_list(struct tcmu_door *door, void (*view)(void *arg, const struct tcmu_device_view *view), void *arg);
#endif
