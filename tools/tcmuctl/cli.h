/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The functions for commands that call daemons: options, connections, calls, and the exit status. A command
 * has this form:
 *
 *     if (cli_begin(&cli, args, entries, 1, 1) && cli_connect(&cli))
 *             ... calls, and output ...
 *     return cli_end(&cli);
 */
#ifndef TCMUCTL_CLI_H
#define TCMUCTL_CLI_H

#include <glib.h>

#include "tcmuctl/command.h"
#include "tcmuctl/rpc.h"
#include "tcmuctl/services.h"

struct cli {
	/* The name of the command. */
	const char *command;
	/* The options --socket and --json */
	char *socket;
	gboolean json;
	/* The words of the command line that are not options. */
	char **words;
	unsigned nwords;
	/* An array of struct service; NULL before cli_connect(). */
	GPtrArray *services;
	/* The status for cli_end(). */
	enum tcmuctl_status status;
};

/*
 * Reads the command line. entries are the command's own options in addition to --socket and --json, or NULL.
 * The command must have from min to max words. Otherwise, writes a message, sets the status, and returns
 * false.
 */
bool cli_begin(struct cli *cli, char **args, const GOptionEntry *entries, unsigned min, unsigned max);
/* Connects to the daemons. If none answers, writes a message, sets the status, and returns false. */
bool cli_connect(struct cli *cli);
/* Frees everything, and returns the status. */
enum tcmuctl_status cli_end(struct cli *cli);

/* Writes a message about the command line, and sets the status TCMUCTL_USAGE. */
void cli_refuse_usage(struct cli *cli, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Writes a message, and sets the status. */
void cli_fail(struct cli *cli, enum tcmuctl_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/*
 * Calls a method. params is consumed. Returns the result, which the caller frees with json_object_unref(). If
 * the call fails, writes the error, sets the status, and returns NULL.
 */
JsonObject *cli_call(struct cli *cli, struct service *service, const char *method, JsonObject *params);
/* Returns whether a path begins with the name of a target. */
bool cli_is_target(const char *path);
/*
 * Returns the whole name of an object of the daemon, such as user_0/disk for disk, or a copy of name if there
 * is no such object. The caller frees it with g_free().
 */
char *cli_path_of(struct service *service, const char *name);
/* Returns the daemon that has this object. If none has it, returns the daemon that would create it. */
struct service *cli_service_of(struct cli *cli, const char *path);
/* Drops all daemons except this one. */
void cli_keep_only(struct cli *cli, struct service *service);
/* Return the parameters for a call: none, or only the path of an object. More members can be added. */
JsonObject *cli_params(void);
JsonObject *cli_params_path(const char *path);

/* Prints JSON in several lines. The object is not consumed. */
void cli_print_json(JsonObject *json);
/*
 * Calls a method of all daemons. fn is called with each result, unless --json was given; in this case one
 * document with all results is printed. params may be NULL, and is not consumed. Returns whether all calls
 * have succeeded.
 */
bool cli_call_all(struct cli *cli, const char *method, JsonObject *params,
		  void (*fn)(struct cli *cli, const struct service *service, JsonObject *result));
/* With --json, prints the result, and otherwise the text. Consumes the result. */
void cli_print_result(struct cli *cli, JsonObject *result, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
#endif
