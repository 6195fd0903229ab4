/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The storage object: one disk of the daemon, with its configuration, its state and the logical unit that
 * serves it. Both front ends use storage objects, and no other code opens, identifies, retries, resizes,
 * replaces or closes storage. README.md explains the folder.
 *
 * A storage object exists longer than the logical units that serve it. A disk whose storage cannot be opened
 * is served by a stand-in that answers NOT READY. As soon as the storage can be opened, a new logical unit
 * replaces the stand-in. Therefore, a user of the disk holds a reference to the served logical unit (struct
 * storage_lu), and is notified when there is another one.
 *
 * Unless a comment says something else, the functions must be called on the main thread, and done() and
 * changed() are called there.
 */
#ifndef STORAGE_STORAGE_H
#define STORAGE_STORAGE_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "loop/loop.h"
#include "scsi/scsi.h"
#include "storage/identity.h"
#include "util/error.h"
#include "util/main_queue.h"

/* --- what is served ---------------------------------------------------------------------------- */

/*
 * One opened storage, or its stand-in, with its logical unit. It is closed when its last reference is
 * released.
 */
struct storage_lu;

/* Any thread. The result of these functions is valid as long as the reference to lu is held. */
struct scsi_lu *storage_lu_scsi(const struct storage_lu *lu);
struct backstore *storage_lu_backstore(const struct storage_lu *lu);
/* Any thread. Takes another reference. */
struct storage_lu *storage_lu_get(struct storage_lu *lu);
/*
 * Any thread; does not block. Releases a reference. No command of the caller may use the logical unit any
 * more. When the last reference is released, the storage is closed on a thread of the pool. If lu is NULL,
 * nothing happens.
 */
void storage_lu_put(struct storage_lu *lu);

/* --- the object ---------------------------------------------------------------------------------- */

struct storage;

/* The data that all storage objects share. All of it exists longer than they do. */
struct storage_context {
	struct loop_set *loops;
	struct storage_registry *registry;
	struct main_queue *main;
};

enum storage_status {
	/* The object was created and is not enabled yet. */
	STORAGE_CONFIGURED,
	/* The storage is being opened, or the storage that it replaces is being closed. */
	STORAGE_OPENING,
	STORAGE_SERVED,
	/* The storage cannot be opened at the moment. The daemon tries again every few seconds. */
	STORAGE_FAILED,
	/* The contents that initiators know were lost. An administrator must accept the loss. */
	STORAGE_CONTENTS_LOST,
	/* storage_close() was called, and commands are still in flight. */
	STORAGE_REMOVING,
};
/*
 * Any thread. Returns the name of the state: "configured", "opening", "served", "failed", "contents lost" or
 * "removing".
 */
const char *storage_status_name(enum storage_status status);

/* The settings with which storage is opened. storage_open() copies everything. */
struct storage_settings {
	/* "HANDLER/CONFIG", then ";KEY=VALUE" and ";filter=NAME" (spec.h). */
	const char *config;
	/* The folder in which relative paths in config begin; NULL means the state folder. */
	const char *folder;
	/* In bytes; 0 means the size that the storage has. */
	uint64_t size;
	/* In bytes; 0 means that the handler chooses. */
	uint32_t block_size;
	/*
	 * The largest transfer of one command, in bytes, for VPD page B0h; 0 means the limit of the daemon.
	 */
	uint64_t max_transfer;
	/* The unit serial number that the administrator has set; NULL or "" means none. */
	const char *serial;
	/* NULL means the defaults of scsi.h. */
	const char *vendor, *product, *revision;
	bool read_only;
	/*
	 * Whether existing storage may have more than size bytes, of which the rest is not served. If this is
	 * false, such storage is an error.
	 */
	bool existing;
	/* Whether only storage_resize() changes the size of the disk, and not a change of the storage. */
	bool keeps_size;
	/* Whether storage that is missing and has never been served is created with size bytes. */
	bool create;
	/* The write cache: 0 is off, 1 is on, and a negative value means that the storage decides. */
	int write_cache;
	/*
	 * The time in seconds after which a command that hangs in the storage is answered with an error; 0
	 * means no limit.
	 */
	unsigned time_limit;
	/*
	 * The name of the disk in error messages, such as "--export file//srv/disk.img"; NULL means the name
	 * of the object.
	 */
	const char *origin;
};

/* The owner of the object is notified of changes. */
struct storage_owner {
	/*
	 * Is called when the state, the size, the health, or the logical unit that serves the disk has
	 * changed. storage_served() may return another logical unit than before. The owner then notifies all
	 * users of the disk, and releases its own reference to the previous one.
	 */
	void (*changed)(void *arg, struct storage *storage);
	void *arg;
};

/*
 * A function that is called when a request has been carried out. err is 0 or -errno, and error then says why
 * in one line that names the object. If a request is refused, or has nothing to do, done() may be called
 * before the function that makes the request returns; otherwise it is called later.
 */
typedef void storage_done(void *arg, int err, const struct error *error);

/*
 * Creates an object in the state STORAGE_CONFIGURED. name, such as "user_0/disk", is the name of the object
 * on this machine: in log lines, and in the state folder if its storage has no place of its own. Returns NULL
 * if there is no memory.
 */
struct storage *storage_new(const struct storage_context *context, const char *name,
			    const struct storage_owner *owner);
/*
 * Opens the storage on a thread of its own, so that storage that hangs delays nothing else. Calls done() when
 * the storage is served or cannot be opened. Wrong settings are always refused with -EINVAL.
 *
 * If the storage cannot be opened and patient is false, the state becomes STORAGE_CONFIGURED again. If
 * patient is true, a stand-in serves the disk, the state becomes STORAGE_FAILED, opening is tried again every
 * few seconds, and done() reports the error.
 *
 * If patient is true and the storage does not answer for some seconds, a stand-in says that the disk is
 * becoming ready, and done() is called with -EINPROGRESS. The state stays STORAGE_OPENING until the storage
 * answers.
 */
void storage_open(struct storage *storage, const struct storage_settings *settings, bool patient,
		  storage_done *done, void *arg);
/*
 * Closes the disk. The state becomes STORAGE_REMOVING, and changed() is called, so that the owner and all
 * users release their references. When the storage is closed, done() is called with err 0, and the object is
 * freed. If the storage is not closed after timeout_s seconds, done() is called with -EBUSY, and the object
 * stays in the state STORAGE_REMOVING until storage_close() is called again. If forget is true, the disk is
 * removed forever, and memory that is kept for it is freed.
 */
void storage_close(struct storage *storage, bool forget, unsigned timeout_s, storage_done *done, void *arg);
/*
 * Does the same as storage_close() for an object that nobody has used yet, because the start for which it was
 * opened has failed: storage that storage_open() has created is removed again. Blocks until the object is
 * freed, or until its storage has not answered for 30 seconds, which is logged. Meanwhile the function runs
 * the work of the main thread's queue, so done() and changed() of other objects may be called. It must not be
 * called inside changed().
 */
void storage_discard(struct storage *storage);

/*
 * Returns the logical unit that serves the disk, without a reference. Returns NULL in the states CONFIGURED
 * and REMOVING, and in the state OPENING until a stand-in or the new logical unit says that the disk is
 * becoming ready.
 */
struct storage_lu *storage_served(const struct storage *storage);
const char *storage_name(const struct storage *storage);
enum storage_status storage_status(const struct storage *storage);

/*
 * Opens the storage again with new settings, and serves the new logical unit in place of the previous one. On
 * failure nothing changes. A disk in memory that is served is refused with -EINVAL, because it would become
 * empty. In the state STORAGE_CONTENTS_LOST, the request also accepts the loss of the contents.
 *
 * If the new settings are for the same storage, whose lock the previous logical unit holds, the state becomes
 * STORAGE_OPENING, and initiators are told that the disk is becoming ready until the previous logical unit is
 * closed. If its lock cannot be handed over, the storage is opened only after it is closed. If this fails,
 * the state becomes STORAGE_FAILED. If the previous logical unit is not closed for too long, because its
 * commands are still in flight, done() is called with -EINPROGRESS.
 */
void storage_replace(struct storage *storage, const struct storage_settings *settings, storage_done *done,
		     void *arg);
/* Enlarges the storage to size bytes, if its handler can do that, and then the disk. */
void storage_resize(struct storage *storage, uint64_t size, storage_done *done, void *arg);
/*
 * Accepts for the administrator that the contents were lost. The disk is served, empty, as soon as this is
 * recorded in the state folder. Then changed() and done() are called. Errors: -EINVAL in any other state, or
 * -EBUSY while another change is in progress.
 */
void storage_accept_loss(struct storage *storage, storage_done *done, void *arg);
/*
 * Gives another unit serial number to a disk to which no LUN leads. If serial is "", the daemon chooses it.
 * done() is called when the serial number is in the state folder, and no LUN may lead to the disk before.
 * Errors: -EEXIST with an error that names both disks if another one has the serial number, or -EBUSY while
 * another change is in progress.
 */
void storage_set_serial(struct storage *storage, const char *serial, storage_done *done, void *arg);
/*
 * Changes the options of the filters of a disk that is served. The storage also gets them when it is opened
 * again. config must have the same chain (spec.h) as the settings. Returns 0, or -errno with error set and
 * nothing changed; -EBUSY means that another change is in progress.
 */
int storage_set_filters(struct storage *storage, const char *config, struct error *error);
/*
 * Tries failed objects again, and checks whether the storage has grown or was replaced. To be called every
 * few seconds.
 */
void storage_tick(struct storage *storage);
/*
 * Writes all data to stable storage, as SYNCHRONIZE CACHE does. If the storage hangs, done() may be called
 * late.
 */
void storage_flush(struct storage *storage, storage_done *done, void *arg);

/* Returns whether a thread of the pool opens or changes the storage, or will do so. */
bool storage_has_job(const struct storage *storage);

/* --- health ---------------------------------------------------------------------------------------- */

#define STORAGE_SENSE_KEYS SCSI_SENSE_KEYS

struct storage_health {
	/* Why the storage could not be opened, or the last error of an I/O; "" if there was none. */
	char last_error[256];
	/* The time of this error in CLOCK_REALTIME, or 0 if there was none. */
	time_t last_error_time;
	/*
	 * The number of commands that ended with CHECK CONDITION since the object was created, by sense key.
	 */
	uint64_t sense_keys[STORAGE_SENSE_KEYS];
	/*
	 * Whether the storage that is open is shorter than the disk, and whether it was replaced by other
	 * storage of the same name.
	 */
	bool is_short, is_replaced;
	/* What storage_lu_problem() says about the storage that is open, or "". */
	const char *problem;
};
void storage_health(const struct storage *storage, struct storage_health *health);

/* The properties of a storage object for lists. */
struct storage_view {
	/* Bytes. */
	uint64_t size;
	uint32_t block_size;
	/* "" as long as the disk is not identified. */
	char serial[224];
	/* The options that are in effect, in the form "KEY=VALUE, KEY=VALUE". */
	char options[256];
	bool read_only, write_cache;
	/* The storage did not exist and was created when it was opened. */
	bool was_created;
	/* The contents are in the memory of the daemon, or were lost together with it. */
	bool is_in_memory;
	/* The counters since the object was created. They include storage that was replaced. */
	uint64_t reads, writes, read_bytes, write_bytes, others, errors;
};
void storage_view(const struct storage *storage, struct storage_view *view);
#endif
