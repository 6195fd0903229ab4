/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tcmuctl save, restore, reload, diff and forget: saveconfig.json. The daemon reads and writes the
 * file with the rights of its own user.
 */
#include <stdio.h>
#include <unistd.h>

#include "tcmuctl/cli.h"
#include "tcmuctl/commands.h"
#include "tcmuctl/show.h"

/*
 * Returns the daemon of the iSCSI front end, because only this daemon uses the file. It is the last one in
 * the list of services.
 */
static struct service *iscsi_service_of(struct cli *cli)
{
	return cli->services->pdata[cli->services->len - 1];
}

/* Makes the path of the file absolute, because the daemon has another current folder. */
static void set_file(const struct cli *cli, JsonObject *params)
{
	g_autofree char *path = cli->nwords ? g_canonicalize_filename(cli->words[0], NULL) : NULL;

	if (path)
		json_object_set_string_member(params, "file", path);
}

/* Calls the method and prints the result. Returns the result, or NULL after it has written the error. */
static JsonObject *call_method(struct cli *cli, JsonObject *params)
{
	JsonObject *result;

	set_file(cli, params);
	result = cli_call(cli, iscsi_service_of(cli), cli->command, params);
	if (result && cli->json)
		cli_print_json(result);
	else if (result)
		show_lines(result, stdout);
	return result;
}

/* Calls the method. done is the text that is printed after success, or NULL. */
static void run_method(struct cli *cli, JsonObject *params, const char *done)
{
	g_autoptr(JsonObject) result = call_method(cli, params);

	if (result && !cli->json && done)
		puts(done);
}

/* Calls a method that restores. Each line of the result says what in the file could not be restored. */
static void run_restoring(struct cli *cli, JsonObject *params)
{
	json_object_set_boolean_member(params, "progress", isatty(STDOUT_FILENO));
	g_autoptr(JsonObject) result = call_method(cli, params);
	JsonArray *lines = result ? show_array(result, "lines") : NULL;

	if (lines && json_array_get_length(lines))
		cli_fail(
		    cli, TCMUCTL_REFUSED,
		    "the configuration is restored except for the entries and values that the output lists");
	else if (result && !cli->json)
		puts("the configuration is restored");
}

static enum tcmuctl_status run(char **args, const char *done)
{
	struct cli cli;

	if (cli_begin(&cli, args, NULL, 0, 1) && cli_connect(&cli))
		run_method(&cli, cli_params(), done);
	return cli_end(&cli);
}

enum tcmuctl_status run_save(char **args)
{
	return run(args, "the configuration is saved");
}

enum tcmuctl_status run_restore(char **args)
{
	struct cli cli;

	if (cli_begin(&cli, args, NULL, 0, 1) && cli_connect(&cli))
		run_restoring(&cli, cli_params());
	return cli_end(&cli);
}

enum tcmuctl_status run_diff(char **args)
{
	return run(args, NULL);
}

enum tcmuctl_status run_reload(char **args)
{
	gboolean discard = FALSE;
	const GOptionEntry entries[] = {
	    {"discard", 0, 0, G_OPTION_ARG_NONE, &discard, "Reload the file even if unsaved changes are lost",
	     NULL},
	    {.long_name = NULL},
	};
	struct cli cli;

	if (cli_begin(&cli, args, entries, 0, 1) && cli_connect(&cli)) {
		JsonObject *params = cli_params();

		json_object_set_boolean_member(params, "discard", discard);
		run_restoring(&cli, params);
	}
	return cli_end(&cli);
}

enum tcmuctl_status run_forget(char **args)
{
	struct cli cli;

	if (cli_begin(&cli, args, NULL, 1, 1) && cli_connect(&cli)) {
		JsonObject *params = cli_params(), *result;

		json_object_set_string_member(params, "name", cli.words[0]);
		result = cli_call(&cli, iscsi_service_of(&cli), "forget", params);
		if (result)
			cli_print_result(&cli, result, "the entry %s is forgotten", cli.words[0]);
	}
	return cli_end(&cli);
}
