/* SPDX-License-Identifier: Apache-2.0 */
/* Paths and options that several handlers have, with one meaning and one complaint. */
#ifndef COMMON_OPTIONS_H
#define COMMON_OPTIONS_H

#ifndef TCMUR_API_VERSION
#define TCMUR_API_VERSION 1
#endif
#include <tcmur/handler.h>

enum cache_mode {
	CACHE_WRITEBACK,    /* page cache; a write is stable after a flush */
	CACHE_WRITETHROUGH, /* page cache; each write is stable when it completes */
	CACHE_NONE,         /* O_DIRECT */
};

/* A handler's check_config() where the configuration is a path. */
int config_check_path(const char *config, char *reason, size_t reason_len);
/*
 * For open(): the path to use, relative ones from the state folder. 0, or -ENAMETOOLONG with
 * open->error set.
 */
int config_path(struct tcmur_open *open, char *path, size_t path_len);
/*
 * For identify(): the path without symbolic links, "." and "..". The last part need not exist. 0 or
 * -errno.
 */
int config_place(const struct tcmur_open *open, char *place, size_t place_len);
/* "cache=". For open(): 0, or -EINVAL with open->error set. */
int option_cache(struct tcmur_open *open, enum cache_mode fallback, enum cache_mode *mode);
/* "NAME", "NAME=on" or "=1", "NAME=off" or "=0". For open(): 0, or -EINVAL with open->error set. */
int option_switch(struct tcmur_open *open, const char *name, bool fallback, bool *on);
#endif
