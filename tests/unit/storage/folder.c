/* SPDX-License-Identifier: Apache-2.0 */
/* A temporary folder that is removed after the test. */
#include "folder.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

char folder[64];

int folder_make(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/storage.XXXXXX");
	return mkdtemp(folder) ? 0 : -1;
}

int folder_remove(void **state)
{
	char command[96];

	(void)state;
	snprintf(command, sizeof(command), "rm -r %s", folder);
	return system(command);
}

const char *folder_path(const char *name)
{
	static char path[400];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

void folder_put(const char *name, const char *text)
{
	FILE *file = fopen(folder_path(name), "w");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

const char *folder_find(const char *suffix)
{
	static char name[256];
	const struct dirent *entry;
	unsigned found = 0;
	DIR *dir = opendir(folder);

	assert_non_null(dir);
	while ((entry = readdir(dir))) {
		size_t len = strlen(entry->d_name), end = strlen(suffix);

		if (len < end || strcmp(entry->d_name + len - end, suffix))
			continue;
		snprintf(name, sizeof(name), "%s", entry->d_name);
		found++;
	}
	closedir(dir);
	assert_int_equal(found, 1);
	return name;
}

char *folder_get(const char *suffix)
{
	static char text[65536];
	FILE *file = fopen(folder_path(folder_find(suffix)), "r");

	assert_non_null(file);
	text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
	fclose(file);
	return text;
}
