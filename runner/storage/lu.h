/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One opened storage, or its stand-in, with its logical unit: functions that open, identify and close it.
 * storage.c uses them for storage objects, and the kernel front end uses them for its devices. The functions
 * for references are in storage.h. Functions that may block are called on threads of a pool.
 */
#ifndef STORAGE_LU_H
#define STORAGE_LU_H

#include <stdatomic.h>

#include "storage/storage.h"

struct storage_lu_request {
	struct loop_set *loops;
	struct storage_registry *registry;
	const struct storage_settings *settings;
	/* The name of the object, as in storage_new(). */
	const char *name;
	/* The subject of log lines; NULL means name. */
	const char *subject;
	/* All logical units with the same owner are the same disk (storage_unit_enter()). */
	void *owner;
	/*
	 * The administrator may still change the serial number: storage_lu_identify() is called before the
	 * first command. Until then the disk is not in the list of units.
	 */
	bool is_identified_later;
	/*
	 * The identity must not change, although the settings have no serial number, as for a device that LIO
	 * has created.
	 */
	bool is_identity_fixed;
	/* May be NULL. When it is true, opening may end with -ECANCELED (storage_is_cancelled()). */
	const atomic_bool *is_cancelled;
	/* If the contents were lost, the administrator has been told, and accepts the loss. */
	bool is_loss_accepted;
	/* A logical unit that the new one replaces, perhaps with the same storage; or NULL. */
	const struct storage_lu *replaced;
	/*
	 * Used only for a stand-in: whether it reports that the disk is becoming ready; and whether the
	 * storage hangs, so that the handler must not be called to identify it.
	 */
	bool is_becoming_ready, is_hanging;
	/*
	 * Is called on the main thread, through the queue main, when the logical unit is closed after its
	 * last reference was released. The logical unit is freed after the call. NULL means that the owner
	 * uses storage_lu_close() instead.
	 */
	void (*closed)(void *owner, struct storage_lu *lu);
	struct main_queue *main;
};

/*
 * May block. Opens the storage and makes its logical unit, with one reference. Returns 0, or -errno with
 * error set, which does not name the object. -EINVAL: the settings are wrong. -EEXIST: another unit has the
 * same identity; the error names both. -ENOMEDIUM: storage that is to be created has been served before and
 * is missing now. -EBUSY: another user holds the storage. If the call fails, storage that it has created is
 * removed again.
 */
int storage_lu_open(const struct storage_lu_request *request, struct storage_lu **lu, struct error *error);
/*
 * May block. Makes the stand-in, which answers NOT READY and has the identity of the disk. If another unit
 * has this identity, the stand-in gets a random one.
 */
int storage_lu_open_absent(const struct storage_lu_request *request, struct storage_lu **lu,
			   struct error *error);
/*
 * May block. Checks whether the settings are wrong, so that opening will never succeed. Returns 0, or -EINVAL
 * with error set. The storage is not touched, except that the function looks for a file with the literal name
 * (spec.h).
 */
int storage_lu_check(const struct storage_lu_request *request, struct error *error);
/*
 * May block. To be called before the first command. Chooses the identity again, with the serial number that
 * the administrator has set ("" means none), and adds the disk to the list of units. Returns 0, or -errno
 * with error set; -EEXIST has the same meaning as in storage_lu_open().
 */
int storage_lu_identify(struct storage_lu *lu, const char *serial, struct error *error);

/* An identity that was chosen and added to the list of units, and that the logical unit does not have yet. */
struct storage_naming {
	/* NULL if none was chosen. */
	struct storage_unit *unit;
	struct storage_identity identity;
	/* Whether contents under this identity were lost, because another disk had it. */
	bool is_lost;
};
/*
 * These two functions do what storage_lu_identify() does. The first one may block. The second one must be
 * called where nothing else uses the identity, and takes over naming->unit. If it is not called, the caller
 * must pass naming->unit to storage_unit_leave().
 */
int storage_lu_choose_identity(const struct storage_lu *lu, const char *serial, struct storage_naming *naming,
			       struct error *error);
void storage_lu_take_identity(struct storage_lu *lu, struct storage_naming *naming);

/*
 * May block. Returns whether the request is for the storage that lu has opened. Compares the places that the
 * handler reports (struct tcmur_identity).
 */
bool storage_lu_has_storage(const struct storage_lu *lu, const struct storage_lu_request *request);

bool storage_lu_is_absent(const struct storage_lu *lu);
/*
 * Returns whether the logical unit shares the lock of the one that it replaces. In this case it may be used
 * only when that one is closed.
 */
bool storage_lu_has_taken_over(const struct storage_lu *lu);
/* Returns whether the contents of the disk are in the memory of the daemon. */
bool storage_lu_is_in_memory(const struct storage_lu *lu);
/*
 * Returns whether the storage did not exist and was created when it was opened. Returns false for a disk in
 * memory.
 */
bool storage_lu_was_created(const struct storage_lu *lu);
/*
 * Describes a problem of the storage that is served: it is shorter than the disk, or its path leads to other
 * storage now. Returns "" if there is neither problem.
 */
const char *storage_lu_problem(const struct storage_lu *lu);
/*
 * Returns whether the contents were lost. The logical unit then answers NOT READY until the loss is accepted.
 */
bool storage_lu_is_lost(const struct storage_lu *lu);
/*
 * May block. Accepts the loss of the contents, so that the disk is served with empty contents. If the
 * contents were not lost, nothing happens.
 */
void storage_lu_accept_loss(struct storage_lu *lu);
/*
 * Returns the options with which the storage was opened, such as "cache=none, grow", or "" if there are none.
 */
const char *storage_lu_options(const struct storage_lu *lu);
/* Returns the unit serial number. It is "" before storage_lu_identify() if is_identified_later was set. */
const char *storage_lu_serial(const struct storage_lu *lu);

/*
 * Any thread except a loop. Sets the options of the filters to those in config, which must have the same
 * chain (spec.h) as the text with which the storage was opened. Returns 0, or -errno with error set and
 * nothing changed.
 */
int storage_lu_set_filters(const struct storage_lu *lu, const char *config, struct error *error);

/* Makes the release of the last reference remove the disk forever, and free memory that is kept for it. */
void storage_lu_forget(struct storage_lu *lu);
/* Makes the release of the last reference remove storage that storage_lu_open() has created. */
void storage_lu_discard(struct storage_lu *lu);
/*
 * May block. Closes the logical unit. The caller must have the only reference. If lu is NULL, nothing
 * happens.
 */
void storage_lu_close(struct storage_lu *lu);

struct storage_counters {
	struct backstore_stats io;
	struct scsi_errors errors;
};
/* Any thread that holds a reference, or in closed(). Returns the counters. */
void storage_lu_counters(const struct storage_lu *lu, struct storage_counters *counters);
#endif
