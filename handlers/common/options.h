/* SPDX-License-Identifier: Apache-2.0 */
/* Options that several handlers have, with one meaning and one complaint. */
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

/* "cache=". For open(): 0, or -EINVAL with open->error set. */
int option_cache(struct tcmur_open *open, enum cache_mode fallback, enum cache_mode *mode);
/* "NAME", "NAME=on", "NAME=off". For open(): 0, or -EINVAL with open->error set. */
int option_switch(struct tcmur_open *open, const char *name, bool fallback, bool *on);
#endif
