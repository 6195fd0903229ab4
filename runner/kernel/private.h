/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Declarations that the files of this folder share: the manager, a device, and the functions of each file.
 * README.md explains them.
 */
#ifndef KERNEL_PRIVATE_H
#define KERNEL_PRIVATE_H

#include <pthread.h>

#include "backstore/backstore.h"
#include "scsi/alua.h"
#include "kernel/configfs.h"
#include "ring/device.h"
#include "kernel/manager.h"
#include "kernel/netlink.h"
#include "kernel/stray_io.h"
#include "kernel/uio.h"
#include "storage/lu.h"

#define KERNEL_TIME_OUT 30 /* The kernel's default of cmd_time_out, in seconds. */

struct kernel_minors {
	unsigned *at;
	size_t n;
};

struct kernel_manager {
	struct loop_set *set;
	/* Runs the jobs of the devices, with a thread for each device that has something to do. */
	struct loop_pool *jobs;
	char *state_dir;
	int io_lock;
	/* How long another daemon may take to answer an event of an unknown handler. 0 means the default. */
	uint64_t other_daemon_ns;
	const struct fd_store *fd_store;
	struct storage_registry *registry;
	/* The path of the mark that a clean stop leaves. */
	char *mark;
	/*
	 * Whether the mark says that the previous daemon stopped cleanly. In this case the commands in the
	 * rings arrived after since_ns.
	 */
	bool clean;
	uint64_t since_ns;
	/* The devices whose rings need a reset in spite of a clean stop of the previous daemon. */
	struct kernel_minors unclean_before;
	struct tcmu_netlink *netlink;

	/*
	 * Guards everything below, and the fields of struct kernel_device that are marked so. No other lock
	 * is taken while it is held, and it is held only for a short time.
	 */
	pthread_mutex_t lock;
	/*
	 * Signalled when a device or an event of an unknown handler is freed, or the watch of changes has
	 * stopped.
	 */
	pthread_cond_t gone;
	/* A list of all devices, linked by kernel_device.node. It includes devices that are being removed. */
	struct list devices;
	/* Events of devices of unknown handlers that another daemon may still answer (unknown.c). */
	struct list unknown;
	unsigned next_loop;
	struct kernel_manager_defaults defaults;
	/* The device that was refused last, and the reason; "" if none was refused. */
	char refused_label[280];
	struct error refused_error;
	bool closing;
	/* While the manager closes: the commands that remain in the rings arrived after this time. */
	uint64_t left_ns;
	/* The devices whose rings this daemon leaves in a state that needs a reset. */
	struct kernel_minors unclean;
	/* Whether any ring may be in such a state, so that no mark is written. */
	bool no_mark;

	/* The following members are used by alua.c on loop 0. */
	/* The watch of the inotify descriptor; fd is -1 if there is none. */
	struct loop_watch changes;
	struct loop_work changes_start, changes_stop;
	bool changes_added;
	bool changes_stopped; /* Protected by lock. */
};

/*
 * The largest number of folders from which the groups of one device are read: two of the device, one of each
 * group, and two of each port.
 */
#define KERNEL_FOLDERS_MAX (2 + SCSI_ALUA_GROUPS_MAX + 2 * SCSI_ALUA_PORTS_MAX)

/* The state of a device. The table in device.c says which requests are carried out in which state. */
enum kernel_state {
	/* Nothing is served, and no attempt to open the storage has ended yet. */
	KERNEL_OPENING,
	/* The storage cannot be opened, and nothing is served. */
	KERNEL_FAILED,
	/* The storage cannot be opened, and a stand-in is served. */
	KERNEL_STANDING_IN,
	KERNEL_SERVED,
	/* The device's loop waits until the commands in flight have ended, and then submits the job. */
	KERNEL_STOPPING,
	KERNEL_STOPPED,
	KERNEL_CLOSED,
};

/* A request to the job of a device. Several requests can be pending. */
enum kernel_request {
	/* Reply to RECONFIG, because the flush has ended for which the reply waited. */
	KERNEL_ANSWER_RECONFIG,
	/*
	 * Close and free the device, because the kernel's device does not exist any more. Events do not find
	 * such a device.
	 */
	KERNEL_REMOVE,
	/* Close and free the device, and leave it to the next process. */
	KERNEL_LEAVE,
	/* Serve kernel_device.next. */
	KERNEL_SERVE_NEXT,
	/* Read the settings that could be changed until the first command, which waits for this. */
	KERNEL_IDENTIFY,
	/* Open the storage. */
	KERNEL_OPEN,
	/* Carry out the change that kernel_device.reconfig describes. */
	KERNEL_RECONFIG,
	/* Write the state of the write cache to configfs. */
	KERNEL_PUBLISH_WRITE_CACHE,
	/* Read the target port groups. */
	KERNEL_READ_ALUA,
};

#define KERNEL_BIT(n) (1u << (n))

/*
 * One TCMU device. Everything that takes time happens in its job, on a thread of manager->jobs. Events and
 * callbacks only record a request and queue the job, unless it is queued or running already (busy).
 */
struct kernel_device {
	struct list node; /* Links the device into manager->devices, under the lock of the manager. */
	struct kernel_manager *manager;
	unsigned minor;
	char label[280];   /* "user_0/disk" */
	char subject[360]; /* The name with the name of the handler, for log lines. */
	/* The device existed before this daemon started. */
	bool found;

	/* --- protected by manager->lock --- */
	struct tcmu_uio_name name; /* Only the job of the device writes it. */
	/* The state. The job of the device writes it, or its loop while the job waits for the loop. */
	enum kernel_state state;
	/*
	 * A set of bits, one for each enum kernel_request. KERNEL_SERVE_NEXT is never in the set, because the
	 * member next says whether it is pending.
	 */
	unsigned requests;
	/* The job is queued or running, or the device's loop will submit it. */
	bool busy;
	/* The size in configfs at the last attempt to open the storage; 0 if it is not known yet. */
	uint64_t configured_size;
	/* Why the storage cannot be opened, or the ring is broken. */
	struct error error;
	/* Whether the ring is broken. In this case the administrator can only remove the device. */
	bool broken;
	/*
	 * Whether the device stays if it cannot be served. If this is false, the kernel still waits for the
	 * reply to ADDED, which can refuse the device.
	 */
	bool stays;
	/* Whether the event ADDED of this device has arrived. */
	bool announced;
	/* Whether the kernel waits for the reply to ADDED, which must contain added_id. */
	bool added_reply_pending;
	uint32_t added_id;
	/* The numbers of the inotify watches on the folders from which the groups were read. */
	int folders[KERNEL_FOLDERS_MAX];
	unsigned nfolders;
	/* Valid while KERNEL_RECONFIG is requested. */
	struct tcmu_event reconfig;
	/*
	 * The value of the write cache that the daemon has written to configfs, until the event of this write
	 * arrives; or -1.
	 */
	int write_cache_written;
	/*
	 * The logical unit that is served, or NULL. The job of the device changes it, and holds the only
	 * reference.
	 */
	struct storage_lu *lun;
	/* Whether uio and device.ring are set up. Only the job of the device writes it. */
	bool attached;

	/*
	 * --- used by the job of the device, and by its loop between the stop of the device and on_stopped
	 * ---
	 */
	struct loop_pool_job job;
	struct tcmu_configfs cfs;
	/* The UIO descriptor. The descriptor store keeps a duplicate of it for the next process. */
	struct fd_kept kept;
	struct tcmu_uio uio;
	/* Whether the UIO device is open. */
	bool opened;
	/*
	 * A descriptor of the file "enable", which is held until the kernel has enabled the device; -1 after
	 * that.
	 */
	int enable_fd;
	/* The commands in the ring arrived after this time. */
	uint64_t since_ns;
	/* Whether the ring must be reset before it is served, because a daemon that died has left it. */
	bool reset;
	/* The logical unit that is served instead of lun as soon as the device has stopped, or NULL. */
	struct storage_lu *next;
	struct tcmu_device device;
	/* Starts the flush that is necessary when the write cache has been switched off. */
	struct loop_work flush_start;
	struct backstore_io flush;
	int flush_status;             /* The status of the reply for KERNEL_ANSWER_RECONFIG. */
	struct loop_timer alua_timer; /* On the device's loop: the timer that requests KERNEL_READ_ALUA. */
};

/* manager->lock must be held. */
static inline bool kernel_is_requested(const struct kernel_device *d, enum kernel_request request)
{
	return d->requests & KERNEL_BIT(request);
}

/* manager->lock must be held. Returns whether the device is being removed, or left to the next process. */
static inline bool kernel_is_ending(const struct kernel_device *d)
{
	return d->requests & (KERNEL_BIT(KERNEL_REMOVE) | KERNEL_BIT(KERNEL_LEAVE));
}

/*
 * manager->lock must be held, unless this is called in the device's job. Returns whether the device's loop
 * serves its ring.
 */
static inline bool kernel_is_running(const struct kernel_device *d)
{
	return d->state == KERNEL_STANDING_IN || d->state == KERNEL_SERVED;
}

/* --- event.c: turns events into requests for the job of a device, or answers them at once */

/* Netlink thread. Handles an event. */
void kernel_on_event(void *arg, const struct tcmu_event *event);
/* Main thread. Takes over a device that existed before the start of the daemon. */
void kernel_adopt(void *arg, unsigned minor, const char *uio_name);
/* manager->lock must be held. Queues the job unless it is queued or running. */
void kernel_queue_job(struct kernel_device *d);
/* manager->lock must be held. Adds a request, and queues the job. */
void kernel_request(struct kernel_device *d, enum kernel_request request);
/*
 * Any thread. Requests that the device is closed and freed, because the kernel's device does not exist any
 * more.
 */
void kernel_mark_removed(struct kernel_device *d);
/* On the device's loop. See tcmu_device.on_gone. */
void kernel_on_gone(struct tcmu_device *device);

/* --- unknown.c: events of devices whose handler is not loaded */

/* Netlink thread. Ensures that the event is answered, by another daemon or by this one. */
void kernel_unknown_event(struct kernel_manager *manager, const struct tcmu_event *event);
/*
 * manager->lock must be held. To be called when a new event with this device_id has arrived. A reply contains
 * only this number, so a reply to an earlier event would be taken for the reply to the new one, and must not
 * be sent any more.
 */
void kernel_unknown_supersede(struct kernel_manager *manager, uint32_t device_id);

/*
 * --- mark.c: the mark that a clean stop writes for the next start. Main thread, except for
 * kernel_mark_add_unclean().
 */

void kernel_mark_read(struct kernel_manager *manager);
/* Returns whether the ring of the device with this minor number can be continued without a reset. */
bool kernel_mark_is_clean(const struct kernel_manager *manager, unsigned minor);
/* manager->lock must be held. Records that the ring of this device is left in a state that needs a reset. */
void kernel_mark_add_unclean(struct kernel_manager *manager, unsigned minor);
void kernel_mark_write(const struct kernel_manager *manager);

/* --- device.c: the job of one device, on the pool */

void kernel_run(struct loop_pool_job *job);
/* Returns whether two texts of HANDLER/CONFIG;OPTIONS name the same storage, whatever their options are. */
bool kernel_is_same_storage(const char *a, const char *b);
/* manager->lock must be held. Returns the state for lists. */
enum tcmu_device_state kernel_view_state(const struct kernel_device *d);
/*
 * Any thread. Replies to ADDED if this reply is pending. Returns false if it was not pending, or if the
 * kernel does not wait for it.
 */
bool kernel_answer_added(struct kernel_device *d, int status);
/*
 * In the device's job. Handles a device that cannot be served, for the reason err. A new device whose creator
 * waits for the reply is refused and freed. A device that existed before, and a device whose creator does not
 * wait, stay in the state "failed".
 */
void kernel_failed(struct kernel_device *d, int err, const struct error *error);
/*
 * In the device's job. Handles storage that cannot be served at the moment. The device stays, and the start
 * replies to ADDED.
 */
void kernel_failed_but_stays(struct kernel_device *d, const struct error *error);

/* --- open.c: the device's job opens the UIO device and the storage */

#define KERNEL_PAUSE_NS   50000000
#define KERNEL_WARN_AFTER 20 /* The number of pauses after which a warning is logged. */

/* Opens the UIO device and the storage. The storage, or a stand-in for it, becomes d->next. */
void kernel_open_device(struct kernel_device *d);
/*
 * Returns whether I/O of a daemon that has died may still use the buffers of the ring. If this daemon holds
 * the storage exclusively, no such I/O exists.
 */
bool kernel_stray_io(const struct kernel_device *d);
/*
 * Sleeps for ns nanoseconds. Returns false if the device is being removed or the daemon stops, so that
 * further waiting has no purpose.
 */
bool kernel_pause(struct kernel_device *d, long ns);

/* --- start.c: the device's job, from opened storage to the first command */

/* Serves d->next instead of d->lun. */
void kernel_start_device(struct kernel_device *d);
/* In the device's job. To be called when the first command has arrived, which waits for this. */
void kernel_identify(struct kernel_device *d);
/*
 * Replaces d->lun with lun, which may be NULL, and closes the previous one when no other thread can use it
 * any more.
 */
void kernel_replace_lun(struct kernel_device *d, struct storage_lu *lun);

/*
 * --- lun.c: reads configfs for the storage that d serves, on the pool; runner/storage opens and closes the
 * storage
 */

/*
 * Opens the storage of config for d. If make is true, storage that is missing and has never been served is
 * created. Returns 0, or -errno with error set. -ENOMEDIUM means that storage which has been served before is
 * missing.
 */
int kernel_lun_open(struct kernel_device *d, const char *config, bool make, struct storage_lu **lun,
		    struct error *error);
/* Opens the stand-in that answers NOT READY while the storage cannot be opened. */
int kernel_lun_open_absent(struct kernel_device *d, struct storage_lu **lun, struct error *error);
/* Records the size that lists show while the storage is not open. */
void kernel_note_size(struct kernel_device *d, uint64_t size);
/*
 * Closes the storage. If forget is true, the disk is removed forever, and the memory that is kept for it is
 * freed. lun may be NULL.
 */
void kernel_lun_close(struct storage_lu *lun, bool forget);
/*
 * In the device's job. To be called when the administrator has written dev_config again, and has thereby
 * accepted the loss of the contents.
 */
void kernel_lun_accept_loss(struct kernel_device *d);
/*
 * To be called while d->lun is stopped and d->next is about to replace it. d->next takes over the mode
 * parameters that initiators have set.
 */
void kernel_lun_take_over(struct kernel_device *d);
/*
 * To be called while the device is stopped or waits for the first command. Reads the kernel's command
 * time-out.
 */
void kernel_lun_read_time_out(struct kernel_device *d);
/*
 * To be called before the first command, which waits for this. Reads the serial number, which cannot be
 * changed from now on.
 */
void kernel_lun_identify(struct kernel_device *d);

/* --- alua.c: the target port groups that the kernel keeps, read when they change */

extern const struct scsi_alua_ops kernel_alua_ops; /* Initialised with the kernel_device as its argument. */

/* Main thread. Begins to watch for changes. Without inotify, changes are noticed only when initiators ask. */
void kernel_alua_open(struct kernel_manager *manager);
/* Main thread. To be called when there is no device any more. */
void kernel_alua_close(struct kernel_manager *manager);
/* In the device's job. Reads the groups, and passes them to d->lun. */
void kernel_alua_read(struct kernel_device *d);
/* On the device's loop. Cancels the request to read the groups that an initiator has caused. */
void kernel_alua_stop(struct kernel_device *d);

/* --- reconfig.c */

/*
 * Carries out d->reconfig. Returns false if this takes until later; the job is then submitted again when it
 * has ended.
 */
bool kernel_reconfigure(struct kernel_device *d);
/* Replies to the event RECONFIG that was carried out. */
void kernel_answer_reconfig(struct kernel_device *d, int status);
/* On a loop. To be called when an initiator has switched the write cache. d is a struct kernel_device. */
void kernel_on_write_cache(void *d);
/* Writes the state of the write cache to the attribute emulate_write_cache. */
void kernel_publish_write_cache(struct kernel_device *d);
#endif
