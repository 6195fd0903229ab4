/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the state folder remembers of a storage object: each object has a small file, with a checksum,
 * a previous copy, and mode 0600. Only this folder of the source reads and writes these files.
 */
#ifndef STORAGE_STATE_H
#define STORAGE_STATE_H

#include <stdbool.h>
#include <stddef.h>

#include "storage/digest.h"
#include "util/error.h"

#define STATE_SERIAL_SIZE 224 /* a unit serial number has at most 223 characters */
#define STATE_OWN_SIZE    256
#define STATE_KEY_SIZE    4608
#define STATE_REST_SIZE   16384
#define STATE_NAME_SIZE   96

struct storage_state {
	/* The derived ID of the machine that wrote the file, machine.h. */
	char machine[DIGEST_HEX_SIZE];
	/* The unit serial number of the logical unit. */
	char serial[STATE_SERIAL_SIZE];
	/* What the storage reported about itself then; "": nothing. */
	char own[STATE_OWN_SIZE];
	/*
	 * The boot of the host (boot_id) in which the disk was written first; "": it was not, or
	 * that does not matter.
	 */
	char written_boot[UUID_SIZE];
	/* Lines that this version of the daemon does not know, kept for the version that does. */
	char rest[STATE_REST_SIZE];
};

/*
 * Reads what is known of the object with this key. folder is a descriptor of the state folder. Returns 0;
 * -ENOENT: nothing is known; or another -errno with error set: neither the file nor its previous copy can be
 * used. A bad file is logged.
 */
int storage_state_read(int folder, const char *key, struct storage_state *state, struct error *error);
/*
 * Any thread, but one at a time for each key; may block. When this returns 0, the state is durable. Otherwise
 * returns -errno with error set, and the old state is unchanged.
 */
int storage_state_write(int folder, const char *key, const struct storage_state *state, struct error *error);
/*
 * Any thread, but one at a time for each key; may block. Removes the state of the object. Returns 0, or
 * -errno with error set.
 */
int storage_state_remove(int folder, const char *key, struct error *error);

/* The name of the file of this key in the state folder; it ends with ".state". */
void storage_state_name(const char *key, char name[STATE_NAME_SIZE]);

/* --- state_lock.c: which daemon serves the object. Any thread, but one at a time for each key; may block. */

/*
 * Returns a descriptor. The lock ends when it and all its duplicates are closed, or the process ends.
 * Otherwise -errno with error set: -EBUSY: the error is only the name of the process that has the lock;
 * -EOWNERDEAD: that process has ended, but hangs in storage; others: there is no lock in this folder.
 */
int storage_state_lock(int folder, const char *key, struct error *error);
/* Closes the descriptor. is_last: no duplicate is open. */
void storage_state_unlock(int folder, const char *key, int fd, bool is_last);

/* --- state_text.c: the text of such a file */

/* Fills text with at most size bytes. Returns false if the text is longer. */
bool state_text_format(const char *key, const struct storage_state *state, char *text, size_t size);
/*
 * Returns 0, or -EINVAL with error set: the text is incomplete or damaged, or belongs to another key or
 * version. text is changed.
 */
int state_text_parse(char *text, const char *key, struct storage_state *state, struct error *error);
#endif
