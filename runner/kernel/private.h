/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of this folder share: the manager, a device, and the functions between the files. README.md
 * explains them.
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

#define KERNEL_TIME_OUT 30 /* In seconds, the kernel's default of cmd_time_out. */

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
	/* How long another daemon may take to answer an event of an unknown handler; 0: the default. */
	uint64_t other_daemon_ns;
	const struct fd_store *fd_store;
	struct storage_registry *registry;
	/* The path of the mark that a clean stop leaves. */
	char *mark;
	/*
	 * The mark says that the previous daemon stopped cleanly; the commands in the rings came after
	 * since_ns.
	 */
	bool clean;
	uint64_t since_ns;
	/* The devices whose rings the previous daemon left in a state that needs a reset nevertheless. */
	struct kernel_minors unclean_before;
	struct tcmu_netlink *netlink;

	/*
	 * Guards everything below and the fields of struct kernel_device that say so. It is a leaf and is
	 * held for a short time.
	 */
	pthread_mutex_t lock;
	/*
	 * Signalled when a device or an event of an unknown handler is freed, or the watch of changes has
	 * stopped.
	 */
	pthread_cond_t gone;
	/* All devices (kernel_device.node), also those that are being removed. */
	struct list devices;
	/* Events of devices of unknown handlers that another daemon may still answer (unknown.c). */
	struct list unknown;
	unsigned next_loop;
	struct kernel_manager_defaults defaults;
	/* The device that was refused last, and the reason; "" if none was refused. */
	char refused_label[280];
	struct error refused_error;
	bool closing;
	/* While the manager closes: the commands that remain in the rings came after this time. */
	uint64_t left_ns;
	/* The devices whose rings this daemon leaves in a state that needs a reset. */
	struct kernel_minors unclean;
	/* Every ring may be in such a state, so no mark is written. */
	bool no_mark;

	/* Used by alua.c on loop 0: */
	/* The watch of inotify; fd is -1 if there is none. */
	struct loop_watch changes;
	struct loop_work changes_start, changes_stop;
	bool changes_added;
	bool changes_stopped; /* Protected by lock. */
};

/*
 * The folders that the groups of one device are read from: two of the device, one of each group, and two of
 * each port.
 */
#define KERNEL_FOLDERS_MAX (2 + SCSI_ALUA_GROUPS_MAX + 2 * SCSI_ALUA_PORTS_MAX)

/* What a device does. The table in device.c says which requests are carried out in which state. */
enum kernel_state {
	/* Nothing is served, and no try to open the storage has ended yet. */
	KERNEL_OPENING,
	/* The storage cannot be opened, and nothing is served. */
	KERNEL_FAILED,
	/* The storage cannot be opened, and a stand-in is served. */
	KERNEL_STANDING_IN,
	KERNEL_SERVED,
	/* The device's loop lets the commands in flight end, and submits the job when they have ended. */
	KERNEL_STOPPING,
	KERNEL_STOPPED,
	KERNEL_CLOSED,
};

/* What the job of a device is asked to do. Several requests can be pending. */
enum kernel_request {
	/* The answer to RECONFIG: the flush that it waited for has ended. */
	KERNEL_ANSWER_RECONFIG,
	/*
	 * Close and free the device; the kernel's device does not exist any more. An event does not find it.
	 */
	KERNEL_REMOVE,
	/* Close and free the device, and leave it to the next process. */
	KERNEL_LEAVE,
	/* Serve kernel_device.next. */
	KERNEL_SERVE_NEXT,
	/* Read what may change until the first command, which waits for that. */
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
 * callbacks only note a request and queue the job, unless it is queued or runs already (busy).
 */
struct kernel_device {
	struct list node; /* In manager->devices, under the lock of the manager. */
	struct kernel_manager *manager;
	unsigned minor;
	char label[280];   /* "user_0/disk" */
	char subject[360]; /* The same name with the handler's name, for log lines. */
	/* The device existed before this daemon started. */
	bool found;

	/* --- protected by manager->lock --- */
	struct tcmu_uio_name name; /* Only the job of the device writes it. */
	/* Written by its job, and by its loop while the job waits for the loop. */
	enum kernel_state state;
	/*
	 * Bits of enum kernel_request; KERNEL_SERVE_NEXT is never among them, because it follows from next.
	 */
	unsigned requests;
	/* The job is queued or runs, or the device's loop will submit it. */
	bool busy;
	/* The size that configfs had when the storage was opened, or could not be; 0: not known yet. */
	uint64_t configured_size;
	/* Why the storage cannot be opened, or the ring is broken. */
	struct error error;
	/* The ring is broken. Only the removal of the device helps. */
	bool broken;
	/*
	 * The device exists whether it can be served or not. Otherwise the kernel still waits for the reply
	 * to ADDED.
	 */
	bool stays;
	/* The event ADDED of this device has arrived. */
	bool announced;
	/* The kernel waits for the reply to ADDED, which carries added_id. */
	bool added_reply_pending;
	uint32_t added_id;
	/* The numbers that inotify has given to the folders from which the groups were read. */
	int folders[KERNEL_FOLDERS_MAX];
	unsigned nfolders;
	/* Valid while KERNEL_RECONFIG is requested. */
	struct tcmu_event reconfig;
	/* The value of the write cache that was written to configfs, until its event comes back; -1: none. */
	int write_cache_written;
	/*
	 * The logical unit that is served, or NULL. The job of the device changes it, and holds the only
	 * reference.
	 */
	struct storage_lu *lun;
	/* uio and device.ring are set up. Only the job of the device writes it. */
	bool attached;

	/* --- used by the job of the device, and by its loop between start and on_stopped --- */
	struct loop_pool_job job;
	struct tcmu_configfs cfs;
	struct fd_kept kept; /* The UIO descriptor, which is also kept for the next process. */
	struct tcmu_uio uio;
	/* The UIO device is open. */
	bool opened;
	/* The file "enable", held until the kernel has enabled the device; -1 after that. */
	int enable_fd;
	/* The commands in the ring came after this time. */
	uint64_t since_ns;
	/* A daemon that died has left the ring, so the ring is reset before it is served. */
	bool reset;
	/* Is served instead of lun as soon as the device has stopped; NULL: there is none. */
	struct storage_lu *next;
	struct tcmu_device device;
	struct loop_work flush_start; /* The write cache was switched off, so it is flushed. */
	struct backstore_io flush;
	int flush_status;             /* The status for KERNEL_ANSWER_RECONFIG. */
	struct loop_timer alua_timer; /* On the device's loop: requests KERNEL_READ_ALUA soon. */
};

/* manager->lock held. */
static inline bool kernel_is_requested(const struct kernel_device *d, enum kernel_request request)
{
	return d->requests & KERNEL_BIT(request);
}

/* manager->lock held. The device is being closed, for ever or for this process. */
static inline bool kernel_is_ending(const struct kernel_device *d)
{
	return d->requests & (KERNEL_BIT(KERNEL_REMOVE) | KERNEL_BIT(KERNEL_LEAVE));
}

/* manager->lock held, or in the device's job. Its ring is on its loop. */
static inline bool kernel_is_running(const struct kernel_device *d)
{
	return d->state == KERNEL_STANDING_IN || d->state == KERNEL_SERVED;
}

/* --- event.c: events become requests of a device, or are answered at once */

/* Netlink thread. */
void kernel_on_event(void *arg, const struct tcmu_event *event);
/* Main thread. Takes over a device that existed before the start. */
void kernel_adopt(void *arg, unsigned minor, const char *uio_name);
/* manager->lock held. Queues the job unless it is queued or runs. */
void kernel_queue_job(struct kernel_device *d);
/* manager->lock held. Adds a request, and queues the job. */
void kernel_request(struct kernel_device *d, enum kernel_request request);
/* Any thread. The kernel's device does not exist any more: requests that it is closed and freed. */
void kernel_mark_removed(struct kernel_device *d);
/* On the device's loop. */
void kernel_on_gone(struct tcmu_device *device);

/* --- unknown.c: events of devices whose handler is not loaded */

/* Netlink thread. Ensures that the event is answered, by another daemon or by this one. */
void kernel_unknown_event(struct kernel_manager *manager, const struct tcmu_event *event);
/*
 * manager->lock held. A new event with this device_id has come. A reply contains only this number, so the
 * reply to an earlier event would be taken for the reply to this one, and must not be sent any more.
 */
void kernel_unknown_supersede(struct kernel_manager *manager, uint32_t device_id);

/* --- mark.c: what a clean stop tells the next start. Main thread, except for kernel_mark_add_unclean(). */

void kernel_mark_read(struct kernel_manager *manager);
/* Returns whether the ring of the device with this minor number can be continued without a reset. */
bool kernel_mark_is_clean(const struct kernel_manager *manager, unsigned minor);
/* manager->lock held. The ring of this device is left in a state that needs a reset. */
void kernel_mark_add_unclean(struct kernel_manager *manager, unsigned minor);
void kernel_mark_write(const struct kernel_manager *manager);

/* --- device.c: the job of one device, on the pool */

void kernel_run(struct loop_pool_job *job);
/* Returns whether two texts of HANDLER/CONFIG;OPTIONS name the same storage, whatever their options are. */
bool kernel_is_same_storage(const char *a, const char *b);
/* manager->lock held. What lists show. */
enum tcmu_device_state kernel_view_state(const struct kernel_device *d);
/*
 * Any thread. Replies to ADDED if the reply is pending. Returns false if it was not, or if the kernel does
 * not wait for it.
 */
bool kernel_answer_added(struct kernel_device *d, int status);
/*
 * The device's job. The device cannot be served, for the reason err. A new device whose creator waits for the
 * reply is refused and freed. A device that existed before, and one whose creator does not wait, stays in the
 * state "failed".
 */
void kernel_failed(struct kernel_device *d, int err, const struct error *error);
/*
 * The device's job: the storage cannot be served at the moment, but the device stays, and the start answers
 * ADDED.
 */
void kernel_failed_but_stays(struct kernel_device *d, const struct error *error);

/* --- open.c: the device's job opens the UIO device and the storage */

#define KERNEL_PAUSE_NS   50000000
#define KERNEL_WARN_AFTER 20 /* The number of pauses after which a warning is logged. */

/* Opens the UIO device, and the storage or a stand-in for it, which becomes d->next. */
void kernel_open_device(struct kernel_device *d);
/*
 * Returns whether I/O of a daemon that died may still use the ring's buffers. Storage that this daemon holds
 * exclusively has none.
 */
bool kernel_stray_io(const struct kernel_device *d);
/*
 * Sleeps. Returns false if the device is being removed or the daemon stops, so that waiting has no purpose
 * any more.
 */
bool kernel_pause(struct kernel_device *d, long ns);

/* --- start.c: the device's job, from the opened storage to the first command */

/* Serves d->next instead of d->lun. */
void kernel_start_device(struct kernel_device *d);
/* The first command has arrived and waits for this. */
void kernel_identify(struct kernel_device *d);
/*
 * Replaces d->lun by lun, which may be NULL, and closes the old one when no other thread can see it any more.
 */
void kernel_replace_lun(struct kernel_device *d, struct storage_lu *lun);

/*
 * --- lun.c: reads configfs for the storage that d serves, on the pool; runner/storage opens and closes the
 * storage
 */

/*
 * Opens config for d. With make, storage that is missing and has never been served is created. Returns 0, or
 * -errno with error set; -ENOMEDIUM: storage that has been served before is missing.
 */
int kernel_lun_open(struct kernel_device *d, const char *config, bool make, struct storage_lu **lun,
		    struct error *error);
/* Opens the stand-in that answers NOT READY while the storage cannot be opened. */
int kernel_lun_open_absent(struct kernel_device *d, struct storage_lu **lun, struct error *error);
/* Lists show this size while the storage is not open. */
void kernel_note_size(struct kernel_device *d, uint64_t size);
/* With forget, the disk is removed for ever, and so is the memory that is kept for it. lun may be NULL. */
void kernel_lun_close(struct storage_lu *lun, bool forget);
/*
 * The device's job: the administrator has written dev_config again, and so accepts that the contents were
 * lost.
 */
void kernel_lun_accept_loss(struct kernel_device *d);
/*
 * d->next is about to replace d->lun, which is stopped: d->next takes over the mode that initiators have set.
 */
void kernel_lun_take_over(struct kernel_device *d);
/* While the device is stopped or waits for the first command: reads the kernel's command time-out. */
void kernel_lun_expiry(struct kernel_device *d);
/* Before the first command, which waits: reads the serial number, which cannot be changed from now on. */
void kernel_lun_identify(struct kernel_device *d);

/* --- alua.c: the target port groups that the kernel keeps, read when they change */

extern const struct scsi_alua_ops kernel_alua_ops; /* Initialised with the kernel_device as its argument. */

/* Main thread. Without inotify, changes are noticed when initiators ask. */
void kernel_alua_open(struct kernel_manager *manager);
/* Main thread, when no device is left. */
void kernel_alua_close(struct kernel_manager *manager);
/* The device's job: gives d->lun the present groups. */
void kernel_alua_read(struct kernel_device *d);
/* The device's loop: cancels a reading of the groups that an initiator has caused. */
void kernel_alua_stop(struct kernel_device *d);

/* --- reconfig.c */

/* Carries out d->reconfig. Returns false if this ends later, and then submits the job. */
bool kernel_reconfigure(struct kernel_device *d);
/* Replies to the RECONFIG that was carried out. */
void kernel_answer_reconfig(struct kernel_device *d, int status);
/* A loop: an initiator has switched the write cache. d is a struct kernel_device. */
void kernel_on_write_cache(void *d);
/* Writes the state of the write cache to the attribute emulate_write_cache. */
void kernel_publish_write_cache(struct kernel_device *d);
#endif
