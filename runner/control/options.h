/* SPDX-License-Identifier: Apache-2.0 */
/* The command line (GOption), as text and numbers; what the texts mean is checked by whoever uses them. */
#ifndef CONTROL_OPTIONS_H
#define CONTROL_OPTIONS_H

#include <stdbool.h>

#include "util/error.h"

struct control_options {
	char **exports;          /* --export, NULL-terminated; NULL when none, as all lists here */
	char **portals;          /* --portal */
	char **allow_initiators; /* --allow-initiator */
	char *iqn;               /* --iqn */
	char *handler_path;
	char *state_dir;
	char *chap_user, *chap_secret_file;
	char *mutual_user, *mutual_secret_file;
	bool chap_discovery;
	bool allow_any;
	bool debug;
	bool version;
	bool dump_handlers;
	bool no_io_uring;
	int threads; /* 0: one a CPU, at most 8 */
	int pool_threads;
	int spin_us;
	int queue_depth;
	int max_connections;
	int max_half_open;
	int login_timeout;
	int nop_interval, nop_timeout;
};

/* Parses and range-checks; -h prints the help and exits 0. 0, or -EINVAL with error set. argv is not changed.
 */
int control_options_parse(struct control_options *options, char **argv, struct error *error);
void control_options_free(struct control_options *options);
#endif
