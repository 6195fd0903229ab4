/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The identity of a logical unit, for both front ends: its unit serial number and its NAA designator (SPC-4
 * 7.8.6, 7.8.15). README.md explains in which order the sources are used.
 */
#ifndef STORAGE_IDENTITY_H
#define STORAGE_IDENTITY_H

#include <stdbool.h>
#include <stdint.h>

#include "backstore/backstore.h"
#include "storage/state.h"
#include "util/error.h"

/*
 * What all storage objects of a daemon share: the state folder, this machine, and the units that
 * exist.
 */
struct storage_registry;

/*
 * Main thread. Opens the state folder, and starts the pool on which storage is opened and closed. Without a
 * state folder, which is logged, nothing is remembered. Returns NULL if there is no memory or no thread.
 * machine_id: the file with the machine's ID, NULL: /etc/machine-id.
 */
struct storage_registry *storage_registry_new(const char *state_dir, const char *machine_id);
/* Main thread. No unit is left. Waits for the threads of the pool. */
void storage_registry_free(struct storage_registry *registry);

/*
 * Twelve hexadecimal digits that are derived from the ID of this machine, for names that must
 * differ between machines.
 */
#define STORAGE_HOST_SIZE 13
void storage_registry_host(const struct storage_registry *registry, char host[STORAGE_HOST_SIZE]);

enum storage_identity_source {
	/* The administrator has set it. */
	STORAGE_IDENTITY_CONFIGURED,
	/* The disk is new: the serial number is random. */
	STORAGE_IDENTITY_NEW,
	/* The state folder knows it. */
	STORAGE_IDENTITY_SAVED,
	/* The storage itself has a name. */
	STORAGE_IDENTITY_OWN,
	/* From this machine and the place of the storage. */
	STORAGE_IDENTITY_DERIVED,
};

struct storage_identity {
	char serial[STATE_SERIAL_SIZE];
	uint8_t naa[16];
	enum storage_identity_source source;
};

/* The object for which an identity is chosen. */
struct storage_object {
	/* "HANDLER/CONFIG". */
	const char *config;
	/* The handler's description of the storage. */
	const struct tcmur_identity *storage;
	/*
	 * Names the object on this machine, such as "user/disk" (names.h); it tells objects apart
	 * whose storage is their own.
	 */
	const char *name;
	/* The unit serial number that the administrator has set; NULL or "": none. */
	const char *configured;
	/* The contents are new, and only a configured serial number fixes the identity. */
	bool is_new;
	/* The storage does not answer, so what it says of itself is not known. */
	bool is_silent;
};

/*
 * Pool or main thread; may block. Chooses the identity, and remembers it if it is to be remembered. Returns
 * 0, or -errno with error set: the configured serial number cannot be used.
 */
int storage_identity_choose(struct storage_registry *registry, const struct storage_object *object,
			    bool remember, struct storage_identity *identity, struct error *error);

/*
 * Pool or main thread; may block. Returns whether the state folder knows the object, so that its storage has
 * been served before. Also true if the state folder or the file in it cannot be read.
 */
bool storage_identity_is_known(const struct storage_registry *registry, const struct storage_object *object);

/*
 * Pool or main thread; may block. The state folder does not know the object any more, because its storage was
 * created and is removed again before an initiator has seen it.
 */
void storage_identity_forget(struct storage_registry *registry, const struct storage_object *object);

/* The place of one unit in the list of all. */
struct storage_unit;

/*
 * Any thread. Enters a unit into the list. Returns NULL with error set, which names both units: another one
 * has this serial number or designator. name is copied. Units with one owner are the same disk, for example
 * while a new logical unit takes the place of an old one, so they may have the same identity.
 */
struct storage_unit *storage_unit_enter(struct storage_registry *registry, const void *owner,
					const char *name, const struct storage_identity *identity,
					struct error *error);
/* Any thread. NULL: nothing happens. */
void storage_unit_leave(struct storage_unit *unit);
#endif
