/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The common part of commands that call daemons. Each command has its own file, which chooses the methods and
 * prints the results.
 */
#include "tcmuctl/cli.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "tcmuctl/show.h"

/* --- messages ---------------------------------------------------------------------------------------- */

static void write_message(const struct cli *cli, const char *format, va_list args, const char *end)
{
	g_autofree char *text = g_strdup_vprintf(format, args);

	fprintf(stderr, "tcmuctl %s: %s%s\n", cli->command, text, end);
}

void cli_refuse_usage(struct cli *cli, const char *format, ...)
{
	g_autofree char *end = g_strdup_printf("; see tcmuctl %s --help", cli->command);
	va_list args;

	va_start(args, format);
	write_message(cli, format, args, end);
	va_end(args);
	cli->status = TCMUCTL_USAGE;
}

void cli_fail(struct cli *cli, enum tcmuctl_status status, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	write_message(cli, format, args, "");
	va_end(args);
	cli->status = status;
}

/* --- beginning and end ---------------------------------------------------------------------------------- */

static GOptionContext *new_context(struct cli *cli, const GOptionEntry *entries)
{
	const struct tcmuctl_command *command = tcmuctl_find_command(cli->command);
	const GOptionEntry common[] = {
	    {"socket", 0, 0, G_OPTION_ARG_FILENAME, &cli->socket, "The control socket of the daemon", "PATH"},
	    {"json", 0, 0, G_OPTION_ARG_NONE, &cli->json, "Print JSON", NULL},
	    {.long_name = NULL},
	};
	GOptionContext *context = g_option_context_new(command->arguments);
	g_autofree char *summary = g_strconcat(command->help, ".", NULL);

	g_option_context_set_summary(context, summary);
	if (entries)
		g_option_context_add_main_entries(context, entries, NULL);
	g_option_context_add_main_entries(context, common, NULL);
	return context;
}

bool cli_begin(struct cli *cli, char **args, const GOptionEntry *entries, unsigned min, unsigned max)
{
	*cli = (struct cli){.command = args[0]};

	g_autoptr(GOptionContext) context = new_context(cli, entries);
	g_autoptr(GError) gerror = NULL;
	g_autofree char *name = g_strconcat("tcmuctl ", args[0], NULL);

	/* GLib prints this name in the usage line. */
	g_set_prgname(name);
	cli->words = g_strdupv(args);
	if (!g_option_context_parse_strv(context, &cli->words, &gerror)) {
		cli_refuse_usage(cli, "%s", gerror->message);
		return false;
	}
	cli->nwords = g_strv_length(cli->words) - 1;
	g_free(cli->words[0]);
	memmove(cli->words, cli->words + 1, sizeof(*cli->words) * (cli->nwords + 1));
	if (cli->nwords < min)
		cli_refuse_usage(cli, "an argument is missing");
	else if (cli->nwords > max)
		cli_refuse_usage(cli, "\"%s\" is one argument too many", cli->words[max]);
	return cli->status == TCMUCTL_DONE;
}

bool cli_connect(struct cli *cli)
{
	struct error error = {""};

	cli->services = services_connect(cli->socket, &error);
	if (!cli->services)
		cli_fail(cli, TCMUCTL_NO_DAEMON, "%s", error.text);
	return cli->services;
}

enum tcmuctl_status cli_end(struct cli *cli)
{
	if (cli->services)
		g_ptr_array_unref(cli->services);
	g_strfreev(cli->words);
	g_free(cli->socket);
	/* If the disk is full or the pipe is closed, the output was not printed. */
	if (fflush(stdout) && cli->status == TCMUCTL_DONE)
		cli_fail(cli, TCMUCTL_REFUSED, "the output cannot be written");
	return cli->status;
}

/* --- calls ------------------------------------------------------------------------------------------- */

JsonObject *cli_params(void)
{
	return json_object_new();
}

JsonObject *cli_params_path(const char *path)
{
	JsonObject *params = json_object_new();

	json_object_set_string_member(params, "path", path);
	return params;
}

void cli_print_json(JsonObject *json)
{
	g_autoptr(JsonNode) root = json_node_new(JSON_NODE_OBJECT);

	json_node_set_object(root, json);

	g_autofree char *text = json_to_string(root, TRUE);

	puts(text);
}

static void print_lines(JsonObject *error)
{
	JsonObject *data =
	    json_object_has_member(error, "data") ? json_object_get_object_member(error, "data") : NULL;

	if (data)
		show_lines(data, stderr);
}

/* Returns a sentence that says what the user can do after the error, or NULL. */
static const char *advice(const struct cli *cli, const struct rpc_error *error)
{
	JsonObject *data = json_object_has_member(error->json, "data")
			       ? json_object_get_object_member(error->json, "data")
			       : NULL;
	const char *name = data ? json_object_get_string_member_with_default(data, "errno", "") : "";

	if (!strcmp(cli->command, "delete") && !strcmp(name, "ENOTEMPTY"))
		return "With --recursive, \"tcmuctl delete\" also deletes the objects below it.";
	if (!error->no_object)
		return NULL;
	if (!strcmp(cli->command, "forget"))
		return "\"tcmuctl status\" shows the entries that were not restored.";
	if (!strcmp(cli->command, "set-filter"))
		return "\"tcmuctl ls\" shows which disks exist, \"tcmuctl filters DISK\" their filters.";
	return "\"tcmuctl ls\" shows which objects exist, \"tcmuctl get PATH\" their attributes.";
}

/* Writes the error as text and, with --json, also as JSON. */
static void report(struct cli *cli, struct rpc_error *error)
{
	if (!error->json) {
		cli_fail(cli, TCMUCTL_NO_DAEMON, "%s", error->text);
	} else {
		cli_fail(cli, error->no_object ? TCMUCTL_NO_OBJECT : TCMUCTL_REFUSED, "%s", error->text);
		if (advice(cli, error))
			fprintf(stderr, "%s\n", advice(cli, error));
		print_lines(error->json);
	}
	if (error->json && cli->json) {
		g_autoptr(JsonObject) document = json_object_new();

		json_object_set_object_member(document, "error", json_object_ref(error->json));
		cli_print_json(document);
	}
	rpc_error_clear(error);
}

JsonObject *cli_call(struct cli *cli, struct service *service, const char *method, JsonObject *params)
{
	struct rpc_error error;
	JsonObject *result = rpc_call(service->rpc, method, params, cli->command, &error);

	if (!result)
		report(cli, &error);
	return result;
}

/*
 * Returns the first object of a path: the target for "iqn.2026-11.com.example:disks/tpgt_1/lun_0".
 * "user_0/disk" is the whole name of an object.
 */
static char *first_object(const char *path)
{
	const char *slash = strchr(path, '/');

	return slash && strchr(path, ':') ? g_strndup(path, (gsize)(slash - path)) : g_strdup(path);
}

struct service *cli_service_of(struct cli *cli, const char *path)
{
	g_autofree char *object = first_object(path);
	unsigned last = cli->services->len - 1;

	/*
	 * Every daemon has a root. The attributes of the root are those of the iSCSI front end, whose daemon
	 * comes last.
	 */
	for (unsigned i = 0; i < last && strcmp(path, "/"); i++) {
		struct service *service = cli->services->pdata[i];
		JsonObject *params = cli_params_path(object);
		struct rpc_error error;

		json_object_set_int_member(params, "depth", 0);

		g_autoptr(JsonObject) result = rpc_call(service->rpc, "list", params, NULL, &error);

		rpc_error_clear(&error);
		if (result)
			return service;
	}
	/* No other daemon has the object, so this is the daemon that would create it. */
	return cli->services->pdata[last];
}

bool cli_is_target(const char *path)
{
	return !g_ascii_strncasecmp(path, "iqn.", 4) || !g_ascii_strncasecmp(path, "eui.", 4) ||
	       !g_ascii_strncasecmp(path, "naa.", 4);
}

char *cli_path_of(struct service *service, const char *name)
{
	JsonObject *params;
	struct rpc_error error;

	if (strchr(name, '/') || cli_is_target(name))
		return g_strdup(name);
	params = cli_params_path(name);
	json_object_set_int_member(params, "depth", 0);

	g_autoptr(JsonObject) result = rpc_call(service->rpc, "list", params, NULL, &error);

	rpc_error_clear(&error);
	return result ? show_text(result, "path") : g_strdup(name);
}

void cli_keep_only(struct cli *cli, struct service *service)
{
	for (guint i = cli->services->len; i--;)
		if (cli->services->pdata[i] != service)
			g_ptr_array_remove_index(cli->services, i);
}

static JsonObject *result_of(struct cli *cli, struct service *service, const char *method, JsonObject *params)
{
	JsonObject *result = cli_call(cli, service, method, params ? json_object_ref(params) : NULL);

	if (result) {
		json_object_set_string_member(result, "service", service->name);
		json_object_set_string_member(result, "socket", service->socket);
	}
	return result;
}

bool cli_call_all(struct cli *cli, const char *method, JsonObject *params,
		  void (*fn)(struct cli *cli, const struct service *service, JsonObject *result))
{
	g_autoptr(JsonObject) document = json_object_new();
	JsonArray *services = json_array_new();
	bool all = true;

	json_object_set_array_member(document, "services", services);
	for (unsigned i = 0; i < cli->services->len; i++) {
		struct service *service = cli->services->pdata[i];
		JsonObject *result = result_of(cli, service, method, params);

		all &= result != NULL;
		if (!result)
			continue;
		fn(cli, service, result);
		json_array_add_object_element(services, result);
	}
	if (cli->json && all)
		cli_print_json(document);
	return all;
}

void cli_print_result(struct cli *cli, JsonObject *result, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	if (cli->json) {
		cli_print_json(result);
	} else {
		g_autofree char *text = g_strdup_vprintf(format, args);

		puts(text);
	}
	va_end(args);
	json_object_unref(result);
}
