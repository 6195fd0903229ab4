/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tcmu.conf: KEY = VALUE lines. If the file is missing, the defaults are used. A wrong line is reported in
 * the log and skipped.
 */
#ifndef CONFIG_CONF_H
#define CONFIG_CONF_H

#include <stdbool.h>

#include "config/options.h"

struct conf {
	int log_level;
	char *log_dir;   /* NULL if none is set. */
	char *state_dir; /* NULL means the daemon's default. */
	/* The file that the iSCSI front end restores if the command line names none, or NULL. */
	char *saveconfig;
	int threads, pool_threads, spin_us;
	int cmd_time_out; /* In seconds; 0 means no time-out. */
};

/* Main thread. Fills conf. The caller frees it with conf_free(). */
void conf_read(struct conf *conf, const char *path);
void conf_free(struct conf *conf);
/* Fills in the options that the command line has not set, either from conf or with the defaults. */
void conf_complete(const struct conf *conf, struct config_options *options);
/* Returns whether one of the values that are only read at the start is different. */
bool conf_needs_restart(const struct conf *old, const struct conf *fresh);
#endif
