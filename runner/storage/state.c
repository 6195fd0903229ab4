/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The files of storage objects in the state folder: chooses their names, and decides which copy is used.
 * small_file.c writes files, and state_text.c interprets their text.
 */
#include "storage/state.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "storage/small_file.h"
#include "util/cleanup.h"
#include "util/log.h"

#define READABLE    40 /* The number of characters of the object's name that the name of the file shows. */
#define HASH_DIGITS 24

/*
 * Makes a name such as "disk.img-0123456789abcdef01234567.state". The first part is for people, and the
 * second part makes the name unique.
 */
void storage_state_name(const char *key, char name[STATE_NAME_SIZE])
{
	const char *slash = strrchr(key, '/');
	char readable[READABLE + 1], hex[DIGEST_HEX_SIZE];

	snprintf(readable, sizeof(readable), "%s", slash && slash[1] ? slash + 1 : key);
	for (char *c = readable; *c; c++)
		if (!isalnum((unsigned char)*c) && *c != '.' && *c != '-')
			*c = '_';
	digest_texts_hex((const char *const[]){key, NULL}, hex);
	snprintf(name, STATE_NAME_SIZE, "%s%s-%.*s.state", readable[0] == '.' ? "_" : "", readable,
		 HASH_DIGITS, hex);
}

static int read_copy(int folder, const char *name, const char *key, struct storage_state *state,
		     struct error *error)
{
	CLEANUP_FREE char *text = malloc(SMALL_FILE_MAX + 1);
	struct error reason;

	if (!text)
		return error_set(error, ENOMEM, "out of memory");
	ssize_t n = small_file_read(folder, name, text, SMALL_FILE_MAX + 1, error);
	if (n < 0)
		return (int)n;
	int err = state_text_parse(text, key, state, &reason);
	return err ? small_file_refuse(folder, -err, error, "%s: %s", name, reason.text) : 0;
}

int storage_state_read(int folder, const char *key, struct storage_state *state, struct error *error)
{
	char name[STATE_NAME_SIZE], old[STATE_NAME_SIZE + 4];
	struct error reason;

	storage_state_name(key, name);
	int err = read_copy(folder, name, key, state, error);
	if (!err || err == -ENOENT)
		return err;
	snprintf(old, sizeof(old), "%s.old", name);
	if (read_copy(folder, old, key, state, &reason)) {
		*state = (struct storage_state){.machine = ""};
		return err;
	}
	log_warn(key, "%s; the previous copy is used", error ? error->text : name);
	return 0;
}

int storage_state_write(int folder, const char *key, const struct storage_state *state, struct error *error)
{
	CLEANUP_FREE char *text = malloc(SMALL_FILE_MAX);
	char name[STATE_NAME_SIZE];

	if (!text)
		return error_set(error, ENOMEM, "out of memory");
	if (!state_text_format(key, state, text, SMALL_FILE_MAX))
		return small_file_refuse(folder, EFBIG, error, "the state of %s is too large", key);
	storage_state_name(key, name);
	return small_file_replace(folder, name, text, error);
}

int storage_state_remove(int folder, const char *key, struct error *error)
{
	char name[STATE_NAME_SIZE];

	storage_state_name(key, name);
	return small_file_remove(folder, name, error);
}
