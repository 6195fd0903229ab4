/* SPDX-License-Identifier: Apache-2.0 */
/* Reads options that several handlers have. */
#include "options.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int config_check_path(const char *config, char *reason, size_t reason_len)
{
	if (config[0] != '\0' && config[strlen(config) - 1] != '/')
		return 0;
	snprintf(reason, reason_len, "\"%s\" is not the path of a file or device", config);
	return -EINVAL;
}

static bool make_path(const struct tcmur_open *open, char *path, size_t path_len)
{
	bool absolute = open->config[0] == '/';
	int n = snprintf(path, path_len, "%s%s%s", absolute ? "" : open->state_dir, absolute ? "" : "/",
			 open->config);

	return n >= 0 && (size_t)n < path_len;
}

int config_path(struct tcmur_open *open, char *path, size_t path_len)
{
	if (!make_path(open, path, path_len))
		return tcmur_open_error(open, ENAMETOOLONG, "%.100s...: the path is too long", open->config);
	return 0;
}

int config_place(const struct tcmur_open *open, char *place, size_t place_len)
{
	char path[PATH_MAX], folder[PATH_MAX], resolved[PATH_MAX];
	int n;

	if (!make_path(open, path, sizeof(path)))
		return -ENAMETOOLONG;
	if (realpath(path, resolved)) {
		n = snprintf(place, place_len, "%s", resolved);
	} else if (errno == ENOENT) {
		/* The file is missing. It is identified by its folder and its name. */
		char *name = strrchr(path, '/') + 1;

		snprintf(folder, sizeof(folder), "%.*s", (int)(name - path), path);
		if (!realpath(folder, resolved))
			return -errno;
		n = snprintf(place, place_len, "%s/%s", strcmp(resolved, "/") ? resolved : "", name);
	} else {
		return -errno;
	}
	return n >= 0 && (size_t)n < place_len ? 0 : -ENAMETOOLONG;
}

int option_cache(struct tcmur_open *open, enum cache_mode fallback, enum cache_mode *mode)
{
	static const char *const names[] = {
	    [CACHE_WRITEBACK] = "writeback",
	    [CACHE_WRITETHROUGH] = "writethrough",
	    [CACHE_NONE] = "none",
	};
	const char *value = tcmur_open_option(open, "cache", names[fallback]);

	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(value, names[i]) == 0) {
			*mode = (enum cache_mode)i;
			return 0;
		}
	}
	return tcmur_open_error(open, EINVAL, "cache=%s: must be writeback, writethrough or none", value);
}

int option_switch(struct tcmur_open *open, const char *name, bool fallback, bool *on)
{
	const char *value = tcmur_open_option(open, name, fallback ? "on" : "off");

	*on = strcmp(value, "on") == 0 || strcmp(value, "1") == 0 || value[0] == '\0';
	if (!*on && strcmp(value, "off") != 0 && strcmp(value, "0") != 0)
		return tcmur_open_error(open, EINVAL, "%s=%s: must be on or off", name, value);
	return 0;
}
