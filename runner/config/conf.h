/* SPDX-License-Identifier: Apache-2.0 */
/* tcmu.conf: KEY = VALUE lines. A missing file means defaults; a wrong line is named in the log and left out.
 */
#ifndef CONFIG_CONF_H
#define CONFIG_CONF_H

#include <stdbool.h>

#include "config/options.h"

struct control_conf {
	int log_level;
	char *log_dir;   /* NULL: none */
	char *state_dir; /* NULL: the daemon's own */
	/* What the iSCSI front end restores if the command line names no file; NULL: nothing. */
	char *saveconfig;
	int threads, pool_threads, spin_us;
	int cmd_time_out; /* seconds, 0: none */
};

/* Main thread. Fills conf, which is freed with control_conf_free(). */
void control_conf_read(struct control_conf *conf, const char *path);
void control_conf_free(struct control_conf *conf);
/* What the command line left open is taken from conf, and then from the defaults. */
void control_conf_complete(const struct control_conf *conf, struct control_options *options);
/* Returns whether they differ in what is only read at start. */
bool control_conf_needs_restart(const struct control_conf *old, const struct control_conf *fresh);
#endif
