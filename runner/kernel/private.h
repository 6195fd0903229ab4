/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the manager share. */
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
#include "storage/contents.h"

#define KERNEL_TIME_OUT 30 /* seconds, the kernel's default cmd_time_out */

struct kernel_minors {
	unsigned *at;
	size_t n;
};

struct kernel_manager {
	struct loop_set *set;
	struct pool *jobs; /* runs the devices' jobs: a thread for each that has something to do */
	char *state_dir;
	int io_lock;
	/* How long another daemon may take to answer an event of an unknown handler; 0: the default. */
	uint64_t other_daemon_ns;
	const struct fd_store *fd_store;
	struct storage_registry *registry;
	char *mark;                          /* path of the mark of a clean stop */
	bool clean;                          /* the daemon before stopped cleanly, … */
	uint64_t since_ns;                   /* … and what lies in its rings came after this, … */
	struct kernel_minors unclean_before; /* … but for these */
	struct tcmu_netlink *netlink;

	pthread_mutex_t lock; /* of all below and of what struct kernel_device says; short, a leaf */
	pthread_cond_t gone;  /* a device was forgotten, or the watch of changes */
	struct list devices;  /* kernel_device.node; those that are being removed, too */
	/* Events of devices of unknown handlers that another daemon may still answer (unknown.c). */
	struct list unknown;
	unsigned next_loop;
	struct kernel_manager_defaults defaults;
	bool closing;
	uint64_t left_ns;             /* while closing: what we leave in rings came after this */
	struct kernel_minors unclean; /* whose rings we leave in a state that only a reset mends */
	bool no_mark;                 /* every ring may be in such a state */

	/* alua.c: on loop 0 */
	struct loop_watch changes; /* of inotify; fd -1: there is none */
	struct loop_work changes_start, changes_stop;
	bool changes_added;
	bool changes_stopped; /* under lock */
};

/* Folders that the groups of one device are read from: its own two, each group's, and two for each port. */
#define KERNEL_FOLDERS_MAX (2 + SCSI_ALUA_GROUPS_MAX + 2 * SCSI_ALUA_PORTS_MAX)

/* What a device's LUN is made of. */
struct kernel_lun {
	struct backstore *bs;
	struct scsi_lu *lu;        /* NULL: none */
	struct storage_unit *unit; /* NULL: it is not identified yet */
	/* The options that the backstore was opened with, for the log: "cache=none, grow"; "": none. */
	char options[256];
	struct storage_contents *contents;
};

/*
 * One TCMU device. Whatever takes time happens in its job, on a thread of the manager's: events and callbacks
 * only leave a wish and see to it that the job is queued, once (busy).
 */
struct kernel_device {
	struct list node; /* in manager->devices, under its lock */
	struct kernel_manager *manager;
	unsigned minor;
	char label[280];   /* "user_0/disk" */
	char subject[360]; /* the same with the handler's name, for logs */
	bool found;        /* by the scan: it was there before us */

	/* under manager->lock */
	struct tcmu_uio_name name; /* written by its job only */
	enum tcmu_device_state state;
	struct error error; /* FAILED: why */
	bool stays;     /* it exists whether it can be served or not; else the kernel waits for our answer */
	bool announced; /* its ADDED has come */
	bool busy;      /* its job is queued or runs, or its loop will submit it */
	bool removing;  /* wish: to be closed and forgotten; find skips it */
	bool open_wanted;
	bool identify_wanted; /* the first command waits for it */
	bool alua_wanted;
	int folders[KERNEL_FOLDERS_MAX]; /* inotify's numbers of what the groups were read from */
	unsigned nfolders;
	bool reconfig_wanted;
	struct tcmu_event reconfig; /* while wanted */
	bool write_cache_wanted;    /* wish: configfs is to be told of the write cache */
	int write_cache_told;       /* what it was told, until that comes back as an event; -1: nothing */
	bool broken;                /* its ring is; nothing but a removal helps */
	bool added_owed;            /* the kernel waits for the answer to ADDED */
	uint32_t added_id;
	struct kernel_lun lun; /* what is served; changed by its job only */
	bool attached;         /* uio and device.ring are set up; the same */

	/* its job's, and its loop's between start and on_stopped */
	struct pool_job job;
	struct tcmu_configfs cfs;
	struct fd_kept kept; /* uio's descriptor, also for the next process */
	struct tcmu_uio uio;
	bool opened;            /* uio is */
	int enable_fd;          /* held until the kernel has enabled it; -1: it has */
	uint64_t since_ns;      /* the ring's commands came after this */
	bool reset;             /* they are a dead daemon's */
	bool served;            /* the device runs on its loop */
	struct kernel_lun next; /* to be served instead of lun, once that is stopped */
	struct tcmu_device device;
	struct loop_work flush_start; /* write cache switched off */
	struct backstore_io flush;
	int flush_status;
	bool flushed;                 /* flush_status is to be answered */
	struct loop_timer alua_timer; /* the device's loop: alua_wanted soon */
};

/* --- event.c: events, answers, and who is asked to do what */

/* Netlink thread. */
void kernel_on_event(void *arg, const struct tcmu_event *event);
/* Main: a device that was there at start. */
void kernel_adopt(void *arg, unsigned minor, const char *uio_name);
/* manager->lock held: has the job run if it does not yet. */
void kernel_wake(struct kernel_device *d);
/* Any thread: the kernel's device is gone. */
void kernel_condemn(struct kernel_device *d);
/* On the device's loop. */
void kernel_on_gone(struct tcmu_device *device);

/* --- unknown.c: events of devices whose handler is not loaded */

/* Netlink thread. Sees to it that the event is answered, by another daemon or by this one. */
void kernel_unknown_event(struct kernel_manager *manager, const struct tcmu_event *event);
/*
 * manager->lock held. An event with this device_id has come. A reply says no more than that number, so a reply to an
 * earlier event would be taken for the reply to this one: it is not sent any more.
 */
void kernel_unknown_supersede(struct kernel_manager *manager, uint32_t device_id);

/* --- mark.c: what a clean stop tells the next start. Main, but for the third. */

void kernel_mark_take(struct kernel_manager *manager);
/* Whether the ring of the device with this number may go on where it is. */
bool kernel_mark_says_clean(const struct kernel_manager *manager, unsigned minor);
/* manager->lock held. It is left in a state that only a reset mends. */
void kernel_mark_unclean(struct kernel_manager *manager, unsigned minor);
void kernel_mark_leave(const struct kernel_manager *manager);

/* --- device.c: the job of one device, on the pool */

void kernel_run(struct pool_job *job);
/* Any thread. Answers ADDED if that is owed. False: it was not, or the kernel does not wait for it. */
bool kernel_answer_added(struct kernel_device *d, int status);
/* The device's job: it cannot be served, by this -errno. A new one whose maker waits for our answer is refused and
 * forgotten; what was there stays, as failed, and so does one whose maker did not wait. */
void kernel_failed(struct kernel_device *d, int err, const struct error *error);
/* The device's job: the storage cannot be served at the moment, but the device stays, and the start answers ADDED. */
void kernel_failed_but_stays(struct kernel_device *d, const struct error *error);

/* --- open.c: what has to be open before; the device's job */

#define KERNEL_PAUSE_NS   50000000
#define KERNEL_TELL_AFTER 20 /* pauses: something is wrong then */

/* Opens the uio device and the storage, which becomes d->next, or a stand-in for it. */
void kernel_open_device(struct kernel_device *d);
/* Whether a dead daemon's I/O may still use the ring's buffers. Storage that is ours alone has none. */
bool kernel_stray_io(const struct kernel_device *d);
/* Sleeps. False when the device is to go: nothing is worth waiting for any more. */
bool kernel_pause(struct kernel_device *d, long ns);

/* --- start.c: from there to the first command; the device's job */

/* Serves d->next instead of d->lun. */
void kernel_start_device(struct kernel_device *d);
/* The first command has come, and waits. */
void kernel_identify(struct kernel_device *d);
/* What was served until now is closed after nobody can see it any more. lun: {0} for nothing. */
void kernel_replace_lun(struct kernel_device *d, struct kernel_lun lun);

/* --- lun.c: what a device serves, on the pool */

/*
 * Opens config for d. make: storage that is missing and has never been served is created. Returns 0 or -errno with error
 * set; -ENOMEDIUM: storage that has been served before is missing.
 */
int kernel_lun_open(struct kernel_device *d, const char *config, bool make, struct kernel_lun *lun,
		    struct error *error);
/* The stand-in while that does not work. */
int kernel_lun_open_absent(struct kernel_device *d, struct kernel_lun *lun, struct error *error);
/* forget: the disk is removed for ever, and so is memory that somebody keeps for it. */
void kernel_lun_close(struct kernel_lun *lun, bool forget);
/* The device's job: the administrator has written dev_config again, and so accepts that the contents were lost. */
void kernel_lun_accept_loss(struct kernel_device *d);
/* d->next is about to replace d->lun, which is stopped: what initiators have chosen there goes on. */
void kernel_lun_take_over(struct kernel_device *d);
/* While the device is stopped, or waits: from when on the kernel gives commands up. */
void kernel_lun_expiry(struct kernel_device *d);
/* What the kernel lets nobody change any more: before the first command, which waits. */
void kernel_lun_identify(struct kernel_device *d);

/* --- alua.c: the target port groups that the kernel keeps, read when they change */

extern const struct scsi_alua_ops kernel_alua_ops; /* with the kernel_device */

/* Main. Without inotify, changes are seen when initiators ask. */
void kernel_alua_open(struct kernel_manager *manager);
/* Main; no device is left. */
void kernel_alua_close(struct kernel_manager *manager);
/* The device's job: gives d->lun.lu the groups as they are now. */
void kernel_alua_read(struct kernel_device *d);
/* The device's loop: nothing will be read for what was asked until now. */
void kernel_alua_stop(struct kernel_device *d);

/* --- reconfig.c */

/* Carries d->reconfig out. False: its end comes by itself and submits the job. */
bool kernel_reconfigure(struct kernel_device *d);
/* The answer to the RECONFIG that was carried out. */
void kernel_answer_reconfig(struct kernel_device *d, int status);
/* A loop: an initiator has switched the write cache of d, a struct kernel_device. */
void kernel_on_write_cache(void *d);
/* Writes emulate_write_cache as the write cache is. */
void kernel_tell_write_cache(struct kernel_device *d);
#endif
