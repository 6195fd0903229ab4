/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The state of storage objects in the state folder. Each object has a small file, with a checksum, a previous
 * copy, and mode 0600. Only the code in runner/storage reads and writes these files.
 */
#ifndef STORAGE_STATE_H
#define STORAGE_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "storage/digest.h"
#include "util/error.h"

#define STATE_SERIAL_SIZE 224 /* A unit serial number has at most 223 characters. */
#define STATE_OWN_SIZE    256
#define STATE_KEY_SIZE    4608
#define STATE_REST_SIZE   16384
#define STATE_NAME_SIZE   96

struct storage_state {
	/* The derived ID of the machine that wrote the file; see machine.h. */
	char machine[DIGEST_HEX_SIZE];
	/* The unit serial number of the logical unit. */
	char serial[STATE_SERIAL_SIZE];
	/* What the storage reported about itself when the file was written; "" if it reported nothing. */
	char own[STATE_OWN_SIZE];
	/*
	 * The boot of the host (boot_id) in which the disk was first written; "" if it was not written, or if
	 * this does not matter for the disk.
	 */
	char written_boot[UUID_SIZE];
	/* Lines that this version of the daemon does not know. They are kept for the version that does. */
	char rest[STATE_REST_SIZE];
};

/*
 * Reads the state of the object with this key. folder is a descriptor of the state folder. Returns 0, -ENOENT
 * if there is no state, or another -errno with error set if neither the file nor its previous copy can be
 * used. A bad file is logged.
 */
int storage_state_read(int folder, const char *key, struct storage_state *state, struct error *error);
/*
 * Any thread, but only one at a time for each key; may block. Returns 0 when the state is durable, or -errno
 * with error set; in this case the previous state is unchanged.
 */
int storage_state_write(int folder, const char *key, const struct storage_state *state, struct error *error);
/*
 * Any thread, but only one at a time for each key; may block. Removes the state of the object. Returns 0, or
 * -errno with error set.
 */
int storage_state_remove(int folder, const char *key, struct error *error);

/* Writes the name of the file for this key in the state folder. It ends with ".state". */
void storage_state_name(const char *key, char name[STATE_NAME_SIZE]);

/*
 * --- state_lock.c: which daemon serves the object. Any thread, but only one at a time for each key; may
 * block.
 */

/*
 * Takes the lock and returns a descriptor. The lock ends when this descriptor and all its duplicates are
 * closed, or when the process ends. Otherwise returns -errno with error set. -EBUSY: the text of error is
 * only the name of the process that has the lock. -EOWNERDEAD: that process has ended, but hangs in storage.
 * Other errors: locks do not work in this folder.
 */
int storage_state_lock(int folder, const char *key, struct error *error);
/* Closes the descriptor. is_last says whether no duplicate of it is open. */
void storage_state_unlock(int folder, const char *key, int fd, bool is_last);

/* --- state_text.c: the text of such a file, whose last line is the checksum of all lines before it */

/* Prints the line with the checksum of text, which has len bytes. */
void state_text_print_checksum(FILE *out, const char *text, size_t len);
/*
 * Checks the checksum in the last line and removes the line. Returns false if there is no correct checksum.
 */
bool state_text_cut_checksum(char *text);

/* Fills text with at most size bytes. Returns false if the text is longer. */
bool state_text_format(const char *key, const struct storage_state *state, char *text, size_t size);
/*
 * Parses text, which is changed. Returns 0, or -EINVAL with error set if the text is incomplete or damaged,
 * or belongs to another key or version.
 */
int state_text_parse(char *text, const char *key, struct storage_state *state, struct error *error);
#endif
