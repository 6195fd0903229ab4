/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the commands that speak to daemons share: options, connections, calls, and the exit status.
 * A command has the form if (cli_begin(&cli, args, entries, 1, 1) && cli_connect(&cli)) ... calls,
 * and output ... return cli_end(&cli);
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
	/* --socket, --json */
	char *socket;
	gboolean json;
	/* What the command line has besides options. */
	char **words;
	unsigned nwords;
	/* struct service; NULL before cli_connect(). */
	GPtrArray *services;
	/* What cli_end() returns. */
	enum tcmuctl_status status;
};

/*
 * Reads the command line. entries: the command's own options besides --socket and --json, or NULL. The
 * command has from min to max words. Returns false with the status set, and a message has been written.
 */
bool cli_begin(struct cli *cli, char **args, const GOptionEntry *entries, unsigned min, unsigned max);
/*
 * Connects to the daemons. Returns false if none answers; the status is set, and a message has been written.
 */
bool cli_connect(struct cli *cli);
/* Frees everything, and returns the status. */
enum tcmuctl_status cli_end(struct cli *cli);

/* Writes a message about the command line, and sets the status TCMUCTL_USAGE. */
void cli_refuse_usage(struct cli *cli, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Writes a message, and sets the status. */
void cli_fail(struct cli *cli, enum tcmuctl_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/*
 * Calls a method; params is consumed. Returns the result, to be freed with json_object_unref(), or
 * NULL after it has written the error and set the status.
 */
JsonObject *cli_call(struct cli *cli, struct service *service, const char *method, JsonObject *params);
/* Whether a path begins with the name of a target. */
bool cli_is_target(const char *path);
/*
 * The whole name of an object of the daemon, such as user_0/disk for disk; the name itself if there is no
 * such object. To be freed with g_free().
 */
char *cli_path_of(struct service *service, const char *name);
/* The daemon that has this object; if none has it, the one in which it would be created. */
struct service *cli_service_of(struct cli *cli, const char *path);
/* Forgets all daemons but this one. */
void cli_only(struct cli *cli, struct service *service);
/* An empty object, or an object with one text. */
JsonObject *cli_params(void);
JsonObject *cli_params_path(const char *path);

/* Prints JSON, in several lines. The object is not consumed. */
void cli_print_json(JsonObject *json);
/*
 * Calls a method for all daemons. fn is called with each result, unless --json was given: then one
 * document with all results is printed. params may be NULL, and is not consumed. Returns whether
 * all calls have succeeded.
 */
bool cli_call_all(struct cli *cli, const char *method, JsonObject *params,
		  void (*fn)(struct cli *cli, const struct service *service, JsonObject *result));
/* Prints the result with --json, or the text. Consumes the result. */
void cli_print_result(struct cli *cli, JsonObject *result, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
#endif
