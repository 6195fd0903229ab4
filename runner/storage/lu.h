/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One opened storage, or its stand-in, with its logical unit: how it is opened, identified and closed.
 * storage.c uses these functions for storage objects, and the kernel front end uses them for its devices.
 * References and the logical unit itself are in storage.h.
 *
 * Functions that may block are called on threads of a pool.
 */
#ifndef STORAGE_LU_H
#define STORAGE_LU_H

#include "storage/storage.h"

struct storage_lu_request {
	struct loop_set *loops;
	struct storage_registry *registry;
	const struct storage_settings *settings;
	/* The object's name, as in storage_new(). */
	const char *name;
	/* The subject of log lines; NULL: name. */
	const char *subject;
	/* All logical units of one owner are the same disk (storage_unit_enter()). */
	void *owner;
	/*
	 * The administrator has not finished naming the disk: storage_lu_identify() follows before the first
	 * command. Until then the disk is not in the list of units.
	 */
	bool is_identified_later;
	/*
	 * The identity is fixed, although the settings have no serial number, as for a device that LIO knows.
	 */
	bool is_identity_fixed;
	/* If the contents were lost, the administrator knows and accepts it. */
	bool is_loss_accepted;
	/* A logical unit whose place the new one takes, perhaps on the same storage; NULL: none. */
	const struct storage_lu *replaced;
	/*
	 * The stand-in says that the disk is becoming ready; with is_silent, the storage hangs, so it is not
	 * asked who it is.
	 */
	bool is_becoming_ready, is_silent;
	/*
	 * Runs on the main thread, which main's queue wakes, when the logical unit is closed after its last
	 * reference was released. The logical unit is freed after the call. NULL: the owner uses
	 * storage_lu_close().
	 */
	void (*closed)(void *owner, struct storage_lu *lu);
	struct main_queue *main;
};

/*
 * May block. Opens the storage and makes its logical unit, with one reference. Returns 0, or -errno with
 * error set, which does not name the object: -EINVAL if the settings are wrong, -EEXIST if another unit has
 * the same identity (the error names both), -ENOMEDIUM if storage that is to be created has been served
 * before and is missing now, -EBUSY if another user holds the storage. A failed call leaves no storage behind
 * that it has created.
 */
int storage_lu_open(const struct storage_lu_request *request, struct storage_lu **lu, struct error *error);
/*
 * May block. Makes the stand-in that answers NOT READY, with the identity that the disk had and will have
 * again. Where another unit has this identity, the stand-in has a random one.
 */
int storage_lu_open_absent(const struct storage_lu_request *request, struct storage_lu **lu,
			   struct error *error);
/*
 * May block. Whether the settings are wrong, so that opening cannot succeed later either: 0 or -EINVAL with
 * error set. It does not touch the storage, except that it looks for a file with the literal name (spec.h).
 */
int storage_lu_check(const struct storage_lu_request *request, struct error *error);
/*
 * May block. Before the first command: chooses the identity again, with the serial number that the
 * administrator has set ("": none), and enters the disk into the list of units. Returns 0, or -errno with
 * error set: -EEXIST as in storage_lu_open().
 */
int storage_lu_identify(struct storage_lu *lu, const char *serial, struct error *error);

/*
 * An identity that is chosen and entered into the list of units, and that the logical unit does not have
 * yet.
 */
struct storage_naming {
	/* NULL: none is chosen. */
	struct storage_unit *unit;
	struct storage_identity identity;
	/* The contents under this identity were lost: another disk had it. */
	bool is_lost;
};
/*
 * storage_lu_identify() in two steps: the first one may block. The second one runs where nothing else uses
 * the identity, and takes over naming->unit, which storage_unit_leave() would give up otherwise.
 */
int storage_lu_choose_identity(const struct storage_lu *lu, const char *serial, struct storage_naming *naming,
			       struct error *error);
void storage_lu_take_identity(struct storage_lu *lu, struct storage_naming *naming);

/* May block. The request is for the storage that lu has opened, as far as their places tell. */
bool storage_lu_has_storage(const struct storage_lu *lu, const struct storage_lu_request *request);

bool storage_lu_is_absent(const struct storage_lu *lu);
/* It shares the lock of the logical unit that it replaces, and may be used when that one is closed. */
bool storage_lu_has_taken_over(const struct storage_lu *lu);
/* The contents of the disk are in the memory of the daemon. */
bool storage_lu_is_in_memory(const struct storage_lu *lu);
/* The storage did not exist and was created when it was opened. Memory does not count. */
bool storage_lu_was_created(const struct storage_lu *lu);
/* The contents were lost, and the logical unit answers NOT READY until the loss is accepted. */
bool storage_lu_is_lost(const struct storage_lu *lu);
/* May block. Serves the empty disk. Nothing happens if the contents were not lost. */
void storage_lu_accept_loss(struct storage_lu *lu);
/* The options that the storage was opened with: "cache=none, grow"; "": none. */
const char *storage_lu_options(const struct storage_lu *lu);
/* The unit serial number; "" before storage_lu_identify() where that follows. */
const char *storage_lu_serial(const struct storage_lu *lu);

/*
 * Any thread except a loop. Gives the filters the options that config has for them; it must have the same
 * chain (spec.h) as the text with which the storage was opened. Returns 0, or -errno with error set and
 * nothing changed.
 */
int storage_lu_set_filters(const struct storage_lu *lu, const char *config, struct error *error);

/* Removes the disk for ever when the last reference is released; memory that is kept for it is freed. */
void storage_lu_forget(struct storage_lu *lu);
/* When the last reference is released: storage that storage_lu_open() has created is removed again. */
void storage_lu_discard(struct storage_lu *lu);
/* May block. Closes the logical unit; the caller's reference is the only one. NULL: nothing happens. */
void storage_lu_close(struct storage_lu *lu);

struct storage_counters {
	struct backstore_stats io;
	struct scsi_errors errors;
};
/* Any thread while it holds a reference, or in closed(). */
void storage_lu_counters(const struct storage_lu *lu, struct storage_counters *counters);
#endif
