/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The storage object: one disk of the daemon, with its configuration, its state and the logical unit that
 * serves it. Both front ends use storage objects, and no other code opens, identifies, retries, resizes,
 * replaces or closes storage. README.md explains the folder.
 *
 * A storage object outlives the logical units that serve it. A disk whose storage cannot be opened is
 * served by a stand-in that answers NOT READY; as soon as the storage opens, a new logical unit takes its
 * place. A user of the disk therefore holds a reference to the served logical unit (struct storage_lu), and
 * is notified when there is another one.
 *
 * Unless a comment says something else, the functions are called on the main thread, and done() and changed()
 * are called there.
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

/* Any thread. The logical unit; it is valid as long as the reference is held. */
struct scsi_lu *storage_lu_scsi(const struct storage_lu *lu);
struct backstore *storage_lu_backstore(const struct storage_lu *lu);
/* Any thread. */
struct storage_lu *storage_lu_get(struct storage_lu *lu);
/*
 * Any thread; does not block. Releases a reference; no command of the caller may use the logical unit any
 * more. When the last reference is released, the storage is closed on a thread of the pool. NULL has no
 * effect.
 */
void storage_lu_put(struct storage_lu *lu);

/* --- the object ---------------------------------------------------------------------------------- */

struct storage;

/* What all storage objects share. Everything in it outlives them. */
struct storage_context {
	struct loop_set *loops;
	struct storage_registry *registry;
	struct main_queue *main;
};

enum storage_status {
	/* Created and not enabled yet. */
	STORAGE_CONFIGURED,
	/* The storage is being opened, or the storage that it replaces is being closed. */
	STORAGE_OPENING,
	STORAGE_SERVED,
	/* The storage cannot be opened at the moment; opening it is tried again. */
	STORAGE_FAILED,
	/* The contents that initiators know were lost; an administrator must accept the loss. */
	STORAGE_CONTENTS_LOST,
	/* storage_close() was called, and commands are still in flight. */
	STORAGE_REMOVING,
};
/* Any thread. "configured", "opening", "served", "failed", "contents lost", "removing". */
const char *storage_status_name(enum storage_status status);

/* How the storage is opened. storage_open() copies everything. */
struct storage_settings {
	/* "HANDLER/CONFIG", then ";KEY=VALUE" and ";filter=NAME" (spec.h). */
	const char *config;
	/* Where relative paths in config begin; NULL: the state folder. */
	const char *folder;
	/* Bytes; 0: what the storage has. */
	uint64_t size;
	/* Bytes; 0: the handler's choice. */
	uint32_t block_size;
	/* Largest transfer of one command, in bytes, for VPD page B0h; 0: the daemon's limit. */
	uint64_t max_transfer;
	/* The unit serial number that the administrator has set; NULL or "": none. */
	const char *serial;
	/* NULL: the defaults of scsi.h. */
	const char *vendor, *product, *revision;
	bool read_only;
	/*
	 * Storage that exists may have more than size bytes; the rest is not served. Otherwise it is an
	 * error.
	 */
	bool existing;
	/* Storage that is missing and has never been served is created with size bytes. */
	bool create;
	/* The write cache: negative: as the storage says; 0: off; 1: on. */
	int write_cache;
	/* Seconds until a command that hangs in the storage is answered with an error; 0: no limit. */
	unsigned time_limit;
	/*
	 * The name of the disk in error messages, such as "--export file//srv/disk.img"; NULL: the object's
	 * name.
	 */
	const char *origin;
};

/* The owner of the object is notified of changes. */
struct storage_owner {
	/*
	 * The state, the size, the health, or the logical unit that serves the disk has changed.
	 * storage_served() may return another one than before; the owner notifies all users of the disk, and
	 * releases its own reference to the old one.
	 */
	void (*changed)(void *arg, struct storage *storage);
	void *arg;
};

/*
 * err: 0 or -errno, then error says why in one line that names the object. A request that is refused, or that
 * has nothing to do, may call done() before it returns; every other request calls it later.
 */
typedef void storage_done(void *arg, int err, const struct error *error);

/*
 * Creates an object in the state STORAGE_CONFIGURED. name, such as "user_0/disk", names the object on this
 * machine: in log lines, in the state folder, and for storage that has no place of its own. Returns NULL if
 * there is no memory.
 */
struct storage *storage_new(const struct storage_context *context, const char *name,
			    const struct storage_owner *owner);
/*
 * Opens the storage on a thread of its own, so that storage that hangs delays nothing else. Calls done()
 * when the storage is served or cannot be opened. patient: if the storage cannot be opened, a stand-in
 * serves the disk, the state becomes STORAGE_FAILED, opening is tried again every few seconds, and done()
 * reports the error. Otherwise the state becomes STORAGE_CONFIGURED again. The settings are refused with
 * -EINVAL if they are wrong, even if the object is patient.
 *
 * If the storage of a patient object does not answer for some seconds, a stand-in says that the disk is
 * becoming ready, and done() is called with -EINPROGRESS. The state stays STORAGE_OPENING until the storage
 * answers.
 */
void storage_open(struct storage *storage, const struct storage_settings *settings, bool patient,
		  storage_done *done, void *arg);
/*
 * Closes the disk. The state becomes STORAGE_REMOVING, and changed() is called, so that the owner and all
 * users release their references. done() is called with 0 after the storage is closed; then the object is
 * free. If it is not closed after timeout_s seconds, done() is called with -EBUSY, and the object stays in
 * the state STORAGE_REMOVING until storage_close() is called again. forget: the disk is removed for ever, so
 * memory that is kept for it is freed.
 */
void storage_close(struct storage *storage, bool forget, unsigned timeout_s, storage_done *done, void *arg);
/*
 * Like storage_close() for an object that nobody has used yet, because the start for which it was opened has
 * failed: storage that storage_open() has created is removed again. Blocks until the object is freed, or
 * until its storage has not answered for 30 seconds, which is logged. Meanwhile it runs the work of the main
 * thread's queue, so done() and changed() of other objects may be called; it must not be called inside
 * changed().
 */
void storage_discard(struct storage *storage);

/*
 * What serves the disk now, without a reference; NULL in the states CONFIGURED and REMOVING, and in OPENING
 * until a stand-in or the new logical unit says that the disk is becoming ready.
 */
struct storage_lu *storage_served(const struct storage *storage);
const char *storage_name(const struct storage *storage);
enum storage_status storage_status(const struct storage *storage);

/*
 * Opens the storage again, with new settings, and serves the new logical unit instead of the old one. On
 * failure nothing changes. A disk in memory that is served is refused with -EINVAL, since it would become
 * empty. The loss of contents is accepted in the state STORAGE_CONTENTS_LOST only.
 *
 * If it is the same storage, whose lock the old logical unit has, the state becomes STORAGE_OPENING, and the
 * disk is becoming ready until the old one is closed. Where the lock cannot be handed over, the storage is
 * opened after that; if this fails, the state becomes STORAGE_FAILED. done() is called with -EINPROGRESS if
 * this takes too long, because commands are in flight.
 */
void storage_replace(struct storage *storage, const struct storage_settings *settings, storage_done *done,
		     void *arg);
/* Enlarges the storage to size bytes if its handler can do that, and then the disk. */
void storage_resize(struct storage *storage, uint64_t size, storage_done *done, void *arg);
/*
 * The administrator accepts that the contents were lost: the disk is served, empty, as soon as the state
 * folder says so; then changed() and done() are called. -EINVAL in another state, -EBUSY while another
 * change is in progress.
 */
void storage_accept_loss(struct storage *storage, storage_done *done, void *arg);
/*
 * Gives a disk that no LUN leads to another unit serial number. "": the daemon chooses it. done() is called
 * when the state folder has it, so no LUN may lead to the disk before. -EEXIST with an error that names
 * both disks, -EBUSY while another change is under way.
 */
void storage_set_serial(struct storage *storage, const char *serial, storage_done *done, void *arg);
/*
 * Gives the filters of a disk that is served other options, which the storage also gets when it is opened
 * again. config has the same chain (spec.h) as the settings. -EBUSY while another change is under way.
 * Nothing has changed if the result is not 0; then error is set.
 */
int storage_set_filters(struct storage *storage, const char *config, struct error *error);
/*
 * To be called every few seconds: tries failed objects again, and looks whether the storage has grown or was
 * replaced.
 */
void storage_tick(struct storage *storage);
/*
 * Writes everything to stable storage, as SYNCHRONIZE CACHE does. done() may come late if the storage hangs.
 */
void storage_flush(struct storage *storage, storage_done *done, void *arg);

/* --- health ---------------------------------------------------------------------------------------- */

#define STORAGE_SENSE_KEYS SCSI_SENSE_KEYS

struct storage_health {
	/* Why the storage could not be opened, or the last error of an I/O; "": none. */
	char last_error[256];
	/* The time of that error (CLOCK_REALTIME); 0: never. */
	time_t last_error_time;
	/* Commands that ended with CHECK CONDITION, by sense key, since the object was created. */
	uint64_t sense_keys[STORAGE_SENSE_KEYS];
	/*
	 * The storage of the open descriptor is shorter than the disk, or was replaced by other storage of
	 * the same name.
	 */
	bool is_short, is_replaced;
};
void storage_health(const struct storage *storage, struct storage_health *health);

/* What a list of storage objects shows. */
struct storage_view {
	/* Bytes. */
	uint64_t size;
	uint32_t block_size;
	/* "" while the disk is not identified. */
	char serial[224];
	/* The options that are in effect, "KEY=VALUE, KEY=VALUE". */
	char options[256];
	bool read_only, write_cache;
	/* The storage did not exist and was created when it was opened. */
	bool was_created;
	/* The contents are in the memory of the daemon, or were lost with it. */
	bool is_in_memory;
	/* Since the object was created, also of storage that was replaced. */
	uint64_t reads, writes, read_bytes, write_bytes, others, errors;
};
void storage_view(const struct storage *storage, struct storage_view *view);
#endif
