/* SPDX-License-Identifier: Apache-2.0 */
/* The ID of this machine, from /etc/machine-id or, if there is none, from the state folder. */
#include "storage/machine.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/random.h>

#include "storage/small_file.h"
#include "util/cleanup.h"

#define ID_DIGITS 32
#define OWN_FILE  "machine-id"

/*
 * Returns whether the text is an ID, which has 32 hexadecimal digits. A file that is empty or contains
 * "uninitialized" has no ID.
 */
static bool is_id(char *text)
{
	text[strcspn(text, "\n")] = '\0';
	for (const char *c = text; *c; c++)
		if (!isxdigit((unsigned char)*c))
			return false;
	return strlen(text) == ID_DIGITS && strspn(text, "0") < ID_DIGITS;
}

static bool read_system_id(const char *path, char *id, size_t size)
{
	CLEANUP_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, id, size - 1);

	if (n < 0)
		return false;
	id[n] = '\0';
	return is_id(id);
}

static void make_id(char id[UUID_SIZE])
{
	uint8_t bytes[16];

	while (getrandom(bytes, sizeof(bytes), 0) != sizeof(bytes))
		;
	char *end = id;
	for (unsigned i = 0; i < sizeof(bytes); i++) {
		static const char digits[] = "0123456789abcdef";

		*end++ = digits[bytes[i] >> 4];
		*end++ = digits[bytes[i] & 15];
	}
	*end = '\0';
}

/*
 * Reads the ID from the state folder, or creates it. If another process creates the file at the same moment,
 * both use the ID of the one that was first.
 */
static int read_or_create_own_id(int folder, char *id, size_t size, struct error *error)
{
	char fresh[UUID_SIZE];

	make_id(fresh);
	int err = folder < 0 ? -ENOENT : (int)small_file_read(folder, OWN_FILE, id, size, error);
	if (err == -ENOENT && folder >= 0) {
		err = small_file_create(folder, OWN_FILE, fresh, error);
		if (!err || err == -EEXIST)
			err = (int)small_file_read(folder, OWN_FILE, id, size, error);
	}
	if (err >= 0 && is_id(id))
		return 0;
	strcpy(id, fresh);
	if (folder < 0)
		return error_set(error, ENOENT,
				 "this machine has no ID, and there is no state folder for one");
	return err < 0 ? err
		       : small_file_refuse(folder, EINVAL, error, "%s is not an ID of 32 digits", OWN_FILE);
}

int storage_machine_derive(const char *path, int folder, char machine[DIGEST_HEX_SIZE], struct error *error)
{
	char id[64];
	int err = 0;

	if (!read_system_id(path, id, sizeof(id)))
		err = read_or_create_own_id(folder, id, sizeof(id), error);
	digest_texts_hex((const char *const[]){"tcmu-runner machine", id, NULL}, machine);
	return err;
}
