/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel front end's manager: all TCMU devices whose handler is loaded, from the kernel's event to the
 * served ring and back. Opening and closing run on a pool of the manager's own, one job for each device at a
 * time, so that slow storage delays no other device. The reply to an event is sent when its job is done, or
 * at once if the kernel does not need the result.
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
	int cmd_time_out; /* In seconds; negative: the kernel's default. */
};

struct kernel_manager_options {
	const char *state_dir; /* The folder in which the handlers' relative paths begin. */
	const char *run_dir; /* where a clean stop leaves its mark, "/run/tcmu-runner"; gone after a reboot */
	/* The descriptor of tcmu_stray_io_lock(); -1: no I/O of an earlier process can be in progress. */
	int io_lock;
	/*
	 * How long another daemon may take to answer an event of a handler that is not loaded here; 0: 10
	 * seconds.
	 */
	uint64_t other_daemon_ns;
	const struct fd_store *fd_store;   /* NULL: the devices are not kept open while no process runs. */
	struct storage_registry *registry; /* Must outlive the manager. */
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
	const char *error; /* FAILED: why, else "" */
	/* In bytes. While the device is not served, the size that is configured; 0: not known yet. */
	uint64_t size;
	/* late counts commands that expired because the storage took too long. */
	uint64_t commands, doorbells, late;
};

struct kernel_manager;

/*
 * Main thread. Frees the processes that wait for a daemon that died, adopts the devices that exist, and then
 * answers events. After a clean stop of the previous daemon, the rings continue where they were. Otherwise
 * each ring is blocked, reset when the I/O of that daemon has ended, and unblocked.
 */
struct kernel_manager *kernel_manager_open(struct loop_set *set, const struct kernel_manager_options *options,
					   struct error *error);
/*
 * Main thread. Drains and closes all devices, and leaves the mark of a clean stop. After that, commands wait
 * in the rings. If devices are not closed after timeout_ms milliseconds, they are logged, the mark says that
 * their rings need a reset, and the result is false. The manager stays in use then, and the caller ends the
 * process.
 */
bool kernel_manager_close(struct kernel_manager *manager, unsigned timeout_ms);
/* Main thread. Tries the failed devices again. To be called every few seconds. */
void kernel_manager_retry(struct kernel_manager *manager);
/* Main thread. For devices that are added from now on. */
void kernel_manager_set_defaults(struct kernel_manager *manager,
				 const struct kernel_manager_defaults *defaults);
/*
 * Any thread. Calls view for each device with a lock held: view must not call the manager and must not block.
 * Its argument is valid during the call.
 */
void kernel_manager_list(struct kernel_manager *manager,
			 void (*view)(void *arg, const struct tcmu_device_view *view), void *arg);
/*
 * Any thread. Copies the name of the device that was refused last because its storage could not be opened,
 * "user_0/disk" of at most size bytes, and the reason. Such a device does not exist, so no list shows it.
 * Returns false if none was refused.
 */
bool kernel_manager_last_refusal(struct kernel_manager *manager, char *name, size_t size,
				 struct error *error);
#endif
