/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stores and reads the record that a disk in memory was written. The record is the ID of this boot of the
 * host: after the next boot every disk in memory starts empty, which is expected. contents.c interprets the
 * record.
 */
#include "storage/written.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "storage/registry.h"
#include "util/cleanup.h"

#define BOOT_ID "/proc/sys/kernel/random/boot_id"

/*
 * The blank before the slash prevents conflicts, because no other key of the state folder has a blank before
 * its first slash.
 */
void storage_written_serial_key(const char *serial, char *key, size_t size)
{
	snprintf(key, size, "memory with the serial number /%s", serial);
}

/* Reads the ID of the boot. If it is unknown, sets boot to "", and every disk counts as not written. */
static void read_boot(char boot[UUID_SIZE])
{
	CLEANUP_CLOSE int fd = open(BOOT_ID, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, boot, UUID_SIZE - 1);

	boot[n < 0 ? 0 : n] = '\0';
}

bool storage_written_is_noted(const struct storage_registry *registry, const char *key)
{
	CLEANUP_FREE struct storage_state *state = malloc(sizeof(*state));
	char boot[UUID_SIZE];

	read_boot(boot);
	return state && !storage_state_read(registry->folder, key, state, NULL) && boot[0] &&
	       !strcmp(state->written_boot, boot);
}

int storage_written_note(struct storage_registry *registry, const char *key, bool is_written,
			 struct error *error)
{
	CLEANUP_FREE struct storage_state *state = malloc(sizeof(*state));
	char boot[UUID_SIZE] = "";

	if (!state)
		return error_set(error, ENOMEM, "out of memory");
	if (is_written)
		read_boot(boot);
	SCOPE_LOCK(storage_file_lock(registry, key));
	if (storage_state_read(registry->folder, key, state, error))
		*state = (struct storage_state){.machine = ""};
	if (!strcmp(state->written_boot, boot))
		return 0;
	strcpy(state->written_boot, boot);
	if (!is_written && !state->machine[0] && !state->rest[0])
		return storage_state_remove(registry->folder, key, error);
	return storage_state_write(registry->folder, key, state, error);
}
