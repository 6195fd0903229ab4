/* SPDX-License-Identifier: Apache-2.0 */
/* The command line (GOption) as text and numbers. The texts are checked where they are used. */
#ifndef CONFIG_OPTIONS_H
#define CONFIG_OPTIONS_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "util/error.h"

/* The option was not given, and no default was filled in yet. */
#define CONTROL_UNSET INT_MIN

/* The largest values on the command line and in tcmu.conf. */
#define CONTROL_THREADS_MAX      256
#define CONTROL_POOL_THREADS_MAX 1024
#define CONTROL_SPIN_US_MAX      10000

/*
 * Each member has the name of its option. Lists end with NULL. An option that was not given is NULL or false.
 */
struct config_options {
	char **exports;
	char **portals;
	char **allow_initiators;
	/* Address prefixes. */
	char **allow_addresses;
	char *iqn;
	/* The folder in which the target model is shown as a file system. */
	char *tree;
	char *handler_path;
	/* NULL until the options are completed. */
	char *state_dir;
	char *identity;
	/*
	 * The path of tcmu.conf; whether --config has named it; and whether it must exist. The default file
	 * need not exist, so that the service for exports can name it.
	 */
	char *config;
	bool config_given, config_needed;
	/* NULL if an ordinary user has no run folder. */
	char *run_dir;
	char *pidfile;
	char *log_dir;
	/* --run */
	char *run_command;
	/*
	 * "" means the file that tcmu.conf names, or the default file. If the option was not given, it is
	 * NULL until the options are completed.
	 */
	char *saveconfig;
	char *check_saveconfig;
	char *chap_user, *chap_secret_file;
	char *mutual_user, *mutual_secret_file;
	/* The name of one handler, or "" for all. */
	char *dump_handlers;
	bool chap_discovery;
	bool allow_any;
	bool reveal_targets;
	bool allow_cold_reset;
	bool debug;
	bool version;
	bool no_io_uring;
	/* Whether to serve the kernel's devices in addition to the exports. */
	bool kernel;
	/* CONTROL_UNSET means as many as the system allows. */
	int nofile;
	/*
	 * These three are CONTROL_UNSET until the options are completed. If threads is 0, there is one thread
	 * for each CPU, but at most 8.
	 */
	int threads;
	int pool_threads;
	int spin_us;

	int queue_depth;
	int max_connections;
	int max_half_open;
	int login_timeout;
	int nop_interval, nop_timeout;

	/* For the parser: the set of the options that were given, with one bit for each. */
	uint64_t given;
};

/*
 * Parses and checks argv, which is not changed. --help prints the help and ends the process with status 0.
 * Returns 0, or -EINVAL with error set. The caller frees options in both cases.
 */
int config_options_parse(struct config_options *options, char **argv, struct error *error);
/* Returns whether the options start the iSCSI front end. Without it, the kernel front end starts. */
bool config_options_want_iscsi(const struct config_options *options);
/* Fills in the defaults of options that neither the command line nor tcmu.conf has set. */
void config_options_complete(struct config_options *options);
void config_options_free(struct config_options *options);
#endif
