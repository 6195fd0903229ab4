/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The manager of the kernel front end: all TCMU devices whose handler is loaded, from the event of the kernel
 * to the end of the device. Devices are opened and closed on a pool of the manager's own, with one job for
 * each device at a time, so that slow storage delays no other device. The reply to an event is sent when its
 * job is done, or at once if the kernel does not need the result.
 */
#ifndef KERNEL_MANAGER_H
#define KERNEL_MANAGER_H

#include <stdbool.h>
#include <stdint.h>

#include "loop/loop.h"
#include "storage/identity.h"
#include "util/error.h"
#include "util/fd_store.h"

/* The values that new devices get for attributes that were not set before the device was enabled. */
struct kernel_manager_defaults {
	int cmd_time_out; /* In seconds; a negative value means the kernel's default. */
};

struct kernel_manager_options {
	const char *state_dir; /* The folder in which the handlers' relative paths begin. */
	/* The folder of the mark of a clean stop, "/run/tcmu-runner". A reboot empties this folder. */
	const char *run_dir;
	/*
	 * The descriptor of tcmu_stray_io_lock(), or -1 if no I/O of an earlier process can be in progress.
	 */
	int io_lock;
	/*
	 * How long another daemon may take to answer an event of a handler that is not loaded here. 0 means
	 * 10 seconds.
	 */
	uint64_t other_daemon_ns;
	const struct fd_store *fd_store;   /* NULL if the devices are not kept open while no process runs. */
	struct storage_registry *registry; /* The registry must exist longer than the manager. */
	struct kernel_manager_defaults defaults;
};

enum tcmu_device_state {
	TCMU_DEVICE_OPENING,
	TCMU_DEVICE_SERVED,
	/* The device's commands are answered NOT READY, and its storage is opened again later. */
	TCMU_DEVICE_FAILED,
	TCMU_DEVICE_CLOSING,
};

struct tcmu_device_view {
	const char *name;   /* "user_0/disk" */
	const char *config; /* "file//srv/disk.img" */
	unsigned minor;
	enum tcmu_device_state state;
	/*
	 * Tells why the device is failed, or describes a problem of its storage, such as a file that was
	 * shortened. The text is empty if the device has no problem.
	 */
	const char *error;
	/* In bytes. While the device is not served, this is the configured size, or 0 if it is unknown. */
	uint64_t size;
	/* late counts the commands that expired because the storage took too long. */
	uint64_t commands, doorbells, late;
};

struct kernel_manager;

/*
 * Main thread. Frees the processes that wait for a daemon that has died, adopts the devices that exist, and
 * then answers events. After a clean stop of the previous daemon, the rings continue where they were.
 * Otherwise each ring is blocked, reset when the I/O of that daemon has ended, and unblocked.
 */
struct kernel_manager *kernel_manager_open(struct loop_set *set, const struct kernel_manager_options *options,
					   struct error *error);
/*
 * Main thread. Drains and closes all devices, and writes the mark of a clean stop. Commands that arrive
 * afterwards wait in the rings. If devices are not closed after timeout_ms milliseconds, they are logged, the
 * mark says that their rings need a reset, and the function returns false. The manager stays in use in this
 * case, and the caller ends the process.
 */
bool kernel_manager_close(struct kernel_manager *manager, unsigned timeout_ms);
/*
 * Main thread, to be called every few seconds. Tries the failed devices again, and notices that storage was
 * shortened, restored or replaced.
 */
void kernel_manager_tick(struct kernel_manager *manager);
/* Main thread. Sets the defaults for devices that are added from now on. */
void kernel_manager_set_defaults(struct kernel_manager *manager,
				 const struct kernel_manager_defaults *defaults);
/*
 * Any thread. Calls view for each device with a lock held, so view must not call the manager and must not
 * block. The argument of view is valid only during the call.
 */
void kernel_manager_list(struct kernel_manager *manager,
			 void (*view)(void *arg, const struct tcmu_device_view *view), void *arg);
/*
 * Any thread. Copies the reason why a device was refused, and its name, such as "user_0/disk", with at most
 * size bytes. The device is the last one that was refused because its storage could not be opened. It does
 * not exist, so no list shows it. Returns false if none was refused.
 */
bool kernel_manager_last_refusal(struct kernel_manager *manager, char *name, size_t size,
				 struct error *error);
#endif
