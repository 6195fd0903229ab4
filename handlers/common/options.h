/* SPDX-License-Identifier: Apache-2.0 */
/* Paths and options that several handlers have, with the same meaning and the same error messages. */
#ifndef COMMON_OPTIONS_H
#define COMMON_OPTIONS_H

#ifndef TCMUR_API_VERSION
#define TCMUR_API_VERSION 1
#endif
#include <tcmur/handler.h>

enum cache_mode {
	CACHE_WRITEBACK,    /* Writes go to the page cache and are stable after a flush. */
	CACHE_WRITETHROUGH, /* Writes go to the page cache, and each write is stable when it completes. */
	CACHE_NONE,         /* The file is opened with O_DIRECT. */
};

/* The callback check_config() of handlers whose configuration is a path. */
int config_check_path(const char *config, char *reason, size_t reason_len);
/*
 * For open(). Finds the path to use. A relative path begins in the state folder. Returns 0, or -ENAMETOOLONG
 * with open->error set.
 */
int config_path(struct tcmur_open *open, char *path, size_t path_len);
/*
 * For identify(). Finds the path without symbolic links, "." and "..". The last part need not exist. Returns
 * 0 or -errno.
 */
int config_place(const struct tcmur_open *open, char *place, size_t place_len);
/* For open(). Reads "cache=". Returns 0, or -EINVAL with open->error set. */
int option_cache(struct tcmur_open *open, enum cache_mode fallback, enum cache_mode *mode);
/*
 * For open(). Reads a switch. NAME, NAME=on and NAME=1 switch it on, NAME=off and NAME=0 switch it off, and
 * without NAME it has the value fallback. Returns 0, or -EINVAL with open->error set.
 */
int option_switch(struct tcmur_open *open, const char *name, bool fallback, bool *on);
#endif
