/* SPDX-License-Identifier: Apache-2.0 */
/* The commands that do one thing to one object: delete, enable, disable, drain, resize and replace. */
#include <stdio.h>

#include "tcmuctl/cli.h"
#include "tcmuctl/commands.h"
#include "tcmuctl/show.h"
#include "util/size.h"

/*
 * Calls a method with these parameters, which are consumed, for the object. done says what has happened to
 * the object.
 */
static void change(struct cli *cli, const char *method, JsonObject *params, const char *done)
{
	struct service *service = cli_service_of(cli, cli->words[0]);
	/* This is done before the call, because a deleted object has no name any more. */
	g_autofree char *path = cli_path_of(service, cli->words[0]);
	JsonObject *result = cli_call(cli, service, method, params);

	if (result)
		cli_print_result(cli, result, "%s %s", path, done);
}

enum tcmuctl_status run_delete(char **args)
{
	gboolean recursive = FALSE;
	const GOptionEntry entries[] = {
	    {"recursive", 'r', 0, G_OPTION_ARG_NONE, &recursive, "Also delete everything below it", NULL},
	    {.long_name = NULL},
	};
	struct cli cli;

	if (cli_begin(&cli, args, entries, 1, 1) && cli_connect(&cli)) {
		JsonObject *params = cli_params_path(cli.words[0]);

		json_object_set_boolean_member(params, "recursive", recursive);
		change(&cli, "delete", params, "is deleted");
	}
	return cli_end(&cli);
}

static enum tcmuctl_status run_simple(char **args, const char *done)
{
	struct cli cli;

	if (cli_begin(&cli, args, NULL, 1, 1) && cli_connect(&cli))
		change(&cli, cli.command, cli_params_path(cli.words[0]), done);
	return cli_end(&cli);
}

enum tcmuctl_status run_enable(char **args)
{
	return run_simple(args, "is enabled");
}

enum tcmuctl_status run_disable(char **args)
{
	return run_simple(args, "is disabled, and its sessions have ended");
}

enum tcmuctl_status run_replace(char **args)
{
	return run_simple(args, "serves the storage that was opened again");
}

/* --- resize ------------------------------------------------------------------------------------------ */

/* Reads "20G", or "+10G" for 10 GiB more than now. Returns false with the status set. */
static bool read_size(struct cli *cli, struct service *service, uint64_t *size)
{
	const char *text = cli->words[1];
	JsonObject *params;

	if (size_parse(*text == '+' ? text + 1 : text, size)) {
		cli_refuse_usage(
		    cli, "size '%s' is not a number of bytes; use for example 4096, 64K, 10G or +1G", text);
		return false;
	}
	if (*text != '+')
		return true;
	params = cli_params_path(cli->words[0]);
	json_object_set_int_member(params, "depth", 0);

	g_autoptr(JsonObject) object = cli_call(cli, service, "list", params);

	if (object)
		*size += (uint64_t)show_number(object, "size");
	return object;
}

enum tcmuctl_status run_resize(char **args)
{
	struct cli cli;
	uint64_t size;

	if (cli_begin(&cli, args, NULL, 2, 2) && cli_connect(&cli) &&
	    read_size(&cli, cli_service_of(&cli, cli.words[0]), &size)) {
		JsonObject *params = cli_params_path(cli.words[0]);
		g_autofree char *shown = show_size(size);
		g_autofree char *done = g_strdup_printf("has %s now", shown);

		json_object_set_int_member(params, "size", (gint64)size);
		change(&cli, "resize", params, done);
	}
	return cli_end(&cli);
}

/* --- drain ------------------------------------------------------------------------------------------- */

static void print_drained(struct cli *cli, const struct service *service, JsonObject *result)
{
	JsonArray *disabled = show_array(result, "disabled");

	(void)service;
	for (guint i = 0; !cli->json && disabled && i < json_array_get_length(disabled); i++) {
		g_autofree char *path = show_element(disabled, i);

		printf("%s is disabled; \"tcmuctl enable %s\" admits initiators again\n", path, path);
	}
}

enum tcmuctl_status run_drain(char **args)
{
	struct cli cli;

	if (cli_begin(&cli, args, NULL, 0, 1) && cli_connect(&cli)) {
		g_autoptr(JsonObject) params = cli.nwords ? cli_params_path(cli.words[0]) : cli_params();

		if (cli.nwords)
			cli_keep_only(&cli, cli_service_of(&cli, cli.words[0]));
		cli_call_all(&cli, "drain", params, print_drained);
	}
	return cli_end(&cli);
}
