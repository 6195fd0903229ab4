/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tcmu.conf: KEY = VALUE lines. If the file is missing, the defaults are used. A wrong line is reported in
 * the log and skipped.
 */
#ifndef CONFIG_CONF_H
#define CONFIG_CONF_H

#include <stdbool.h>

#include "config/options.h"

struct control_conf {
	int log_level;
	char *log_dir;   /* NULL if none is set. */
	char *state_dir; /* NULL means the daemon's default. */
	/* The file that the iSCSI front end restores if the command line names none, or NULL. */
	char *saveconfig;
	int threads, pool_threads, spin_us;
	int cmd_time_out; /* In seconds; 0 means no time-out. */
};

/* Main thread. Fills conf. The caller frees it with control_conf_free(). */
void control_conf_read(struct control_conf *conf, const char *path);
void control_conf_free(struct control_conf *conf);
/* Fills in the options that the command line has not set, either from conf or with the defaults. */
void control_conf_complete(const struct control_conf *conf, struct control_options *options);
/* Returns whether one of the values that are only read at the start is different. */
bool control_conf_needs_restart(const struct control_conf *old, const struct control_conf *fresh);
#endif
