/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Copies settings and their strings, because callers may change or free their own while an object is opened
 * on another thread.
 */
#include "storage/settings.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "util/bytes.h"

#define NSTRINGS 7

/* Lists the strings of settings. They are const for users of the structure, but a copy owns them. */
static void list_strings(struct storage_settings *settings, const char **strings[NSTRINGS])
{
	strings[0] = &settings->config;
	strings[1] = &settings->folder;
	strings[2] = &settings->serial;
	strings[3] = &settings->vendor;
	strings[4] = &settings->product;
	strings[5] = &settings->revision;
	strings[6] = &settings->origin;
}

int storage_settings_copy(struct storage_settings *to, const struct storage_settings *from)
{
	const char **strings[NSTRINGS];
	bool complete = true;

	*to = *from;
	list_strings(to, strings);
	for (unsigned i = 0; i < NSTRINGS; i++) {
		const char *text = *strings[i];

		*strings[i] = text ? strdup(text) : NULL;
		complete &= !text || *strings[i];
	}
	if (complete)
		return 0;
	storage_settings_clear(to);
	return -ENOMEM;
}

void storage_settings_clear(struct storage_settings *settings)
{
	const char **strings[NSTRINGS];

	list_strings(settings, strings);
	for (unsigned i = 0; i < NSTRINGS; i++)
		free((char *)*strings[i]);
	*settings = (struct storage_settings){.config = NULL};
}
