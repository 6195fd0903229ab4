/* SPDX-License-Identifier: Apache-2.0 */
/* The command line (GOption), as text and numbers; what the texts mean is checked by whoever uses them. */
#ifndef CONFIG_OPTIONS_H
#define CONFIG_OPTIONS_H

#include <limits.h>
#include <stdbool.h>

#include "util/error.h"

/* Not given, and not filled in yet. */
#define CONTROL_UNSET INT_MIN

struct control_options {
	char **exports;          /* --export, NULL-terminated; NULL when none, as all lists here */
	char **portals;          /* --portal */
	char **allow_initiators; /* --allow-initiator */
	char *iqn;               /* --iqn */
	char *handler_path;
	char *state_dir; /* NULL until completed */
	char *identity;  /* --identity; NULL: not given */
	char *config;    /* path of tcmu.conf */
	bool config_given;
	char *run_dir;
	char *log_dir; /* NULL: none given */
	char *chap_user, *chap_secret_file;
	char *mutual_user, *mutual_secret_file;
	bool chap_discovery;
	bool allow_any;
	bool debug;
	bool version;
	bool dump_handlers;
	bool no_io_uring;
	bool kernel; /* serve the kernel's devices beside the exports */
	int nofile;  /* CONTROL_UNSET: as many as there may be */
	/* CONTROL_UNSET until completed */
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
/* What neither the command line nor tcmu.conf said. */
void control_options_complete(struct control_options *options);
void control_options_free(struct control_options *options);
#endif
