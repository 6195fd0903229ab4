/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The identity of a logical unit, for both front ends: its unit serial number and its NAA designator (SPC-4
 * 7.8.6, 7.8.15). README.md explains in which order the sources of an identity are tried.
 */
#ifndef STORAGE_IDENTITY_H
#define STORAGE_IDENTITY_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "backstore/backstore.h"
#include "storage/state.h"
#include "util/error.h"

/*
 * The data that all storage objects of a daemon share: the state folder, the ID of this machine, and the list
 * of units.
 */
struct storage_registry;

/*
 * Main thread. Opens the state folder, and starts the pool on which storage is opened and closed. If there is
 * no state folder, this is logged, and no state is saved. machine_id is the file with the machine's ID; NULL
 * means /etc/machine-id. Returns NULL if there is no memory or no thread.
 */
struct storage_registry *storage_registry_new(const char *state_dir, const char *machine_id);
/* Main thread. Waits for the threads of the pool, and frees the registry. No unit may exist any more. */
void storage_registry_free(struct storage_registry *registry);

/*
 * Writes twelve hexadecimal digits that are derived from the ID of this machine, for names that must differ
 * between machines.
 */
#define STORAGE_HOST_SIZE 13
void storage_registry_host(const struct storage_registry *registry, char host[STORAGE_HOST_SIZE]);

enum storage_identity_source {
	/* The administrator has set the serial number. */
	STORAGE_IDENTITY_CONFIGURED,
	/* The disk is new: the serial number is random. */
	STORAGE_IDENTITY_NEW,
	/* The identity was read from the state folder. */
	STORAGE_IDENTITY_SAVED,
	/* The identity is derived from a name that the storage itself reports. */
	STORAGE_IDENTITY_OWN,
	/* The identity is derived from this machine and the place of the storage. */
	STORAGE_IDENTITY_DERIVED,
};

struct storage_identity {
	char serial[STATE_SERIAL_SIZE];
	uint8_t naa[16];
	enum storage_identity_source source;
};

/* Any thread. Returns whether the caller of an opening does not need its result any more. NULL means no. */
static inline bool storage_is_cancelled(const atomic_bool *is_cancelled)
{
	return is_cancelled && atomic_load_explicit(is_cancelled, memory_order_relaxed);
}

/* The object for which an identity is chosen. */
struct storage_object {
	/* "HANDLER/CONFIG". */
	const char *config;
	/* The identity of the storage that the handler reports. */
	const struct tcmur_identity *storage;
	/*
	 * The name of the object on this machine, such as "user/disk" (names.h). It is a part of the identity
	 * if the storage has no place of its own.
	 */
	const char *name;
	/* The unit serial number that the administrator has set; NULL or "" means none. */
	const char *configured;
	/*
	 * The contents are new, so the serial number is random unless the administrator has set one.
	 */
	bool is_new;
	/* May be NULL. When it is true, storage_identity_choose() may end with -ECANCELED. */
	const atomic_bool *is_cancelled;
	/* The storage does not answer, so what it reports about itself is unknown. */
	bool is_hanging;
};

/*
 * Pool or main thread; may block. Chooses the identity, and saves it if remember is true. Returns 0, or
 * -errno with error set if the serial number that the administrator has set cannot be used.
 */
int storage_identity_choose(struct storage_registry *registry, const struct storage_object *object,
			    bool remember, struct storage_identity *identity, struct error *error);

/*
 * Pool or main thread; may block. Returns whether the state folder has a file for the object, so that its
 * storage has been served before. Also returns true if the state folder or the file in it cannot be read.
 */
bool storage_identity_is_known(const struct storage_registry *registry, const struct storage_object *object);

/*
 * Pool or main thread; may block. Removes the file of the object from the state folder. To be called if the
 * storage was created, and is removed again before an initiator has seen it.
 */
void storage_identity_forget(struct storage_registry *registry, const struct storage_object *object);

/* An entry in the list of all units. */
struct storage_unit;

/*
 * Any thread. Adds a unit to the list. Returns NULL with error set if another unit has this serial number or
 * designator; the error names both units. name is copied. Units with the same owner are the same disk, for
 * example while a new logical unit replaces the previous one, so they may have the same identity.
 */
struct storage_unit *storage_unit_enter(struct storage_registry *registry, const void *owner,
					const char *name, const struct storage_identity *identity,
					struct error *error);
/* Any thread. Removes the unit from the list. If unit is NULL, nothing happens. */
void storage_unit_leave(struct storage_unit *unit);
#endif
