/* SPDX-License-Identifier: Apache-2.0 */
/* tcmuctl get and set: attributes of an object. */
#include <stdio.h>
#include <string.h>

#include "tcmuctl/cli.h"
#include "tcmuctl/commands.h"
#include "tcmuctl/show.h"
#include "tcmuctl/values.h"

static void print_values(JsonObject *result)
{
	JsonNode *value = json_object_get_member(result, "value");
	JsonObjectIter iter;
	const char *name;

	if (value) {
		g_autofree char *text = show_value(value);

		puts(text);
		return;
	}
	json_object_iter_init_ordered(&iter, json_object_get_object_member(result, "attributes"));
	while (json_object_iter_next_ordered(&iter, &name, &value)) {
		g_autofree char *text = show_value(value);

		printf("%s = %s\n", name, text);
	}
}

enum tcmuctl_status run_get(char **args)
{
	struct cli cli;

	if (cli_begin(&cli, args, NULL, 1, 2) && cli_connect(&cli)) {
		JsonObject *params = cli_params_path(cli.words[0]);

		if (cli.nwords > 1)
			json_object_set_string_member(params, "attribute", cli.words[1]);

		g_autoptr(JsonObject) result =
		    cli_call(&cli, cli_service_of(&cli, cli.words[0]), "get", params);

		if (result && cli.json)
			cli_print_json(result);
		else if (result)
			print_values(result);
	}
	return cli_end(&cli);
}

/* --- set --------------------------------------------------------------------------------------------- */

static bool set_value(struct cli *cli, struct service *service, const char *name, const char *value)
{
	JsonObject *params = cli_params_path(cli->words[0]), *result;

	json_object_set_string_member(params, "attribute", name);
	json_object_set_string_member(params, "value", value);
	result = cli_call(cli, service, "set", params);
	if (result)
		json_object_unref(result);
	return result;
}

static void set_values(struct cli *cli, struct service *service, JsonObject *values)
{
	JsonObjectIter iter;
	const char *name;
	JsonNode *value;
	g_autofree char *path = cli_path_of(service, cli->words[0]);

	json_object_iter_init_ordered(&iter, values);
	while (json_object_iter_next_ordered(&iter, &name, &value)) {
		if (!set_value(cli, service, name, json_node_get_string(value)))
			return;
		if (!cli->json)
			printf("%s: %s is set\n", path, name);
	}
	if (cli->json) {
		g_autoptr(JsonObject) document = json_object_new();

		cli_print_json(document);
	}
}

/*
 * Reads "ATTRIBUTE VALUE", "ATTRIBUTE=VALUE...", or "ATTRIBUTE" with --file. Returns false with the status
 * set.
 */
static bool read_values(struct cli *cli, struct service *service, const char *file, JsonObject *values)
{
	char **words = cli->words + 1;

	if (file) {
		g_autofree char *word = g_strconcat(words[0], "=", file, NULL);

		return values_add_file(cli, word, values);
	}
	if (!strchr(words[0], '=')) {
		g_autofree char *word = g_strconcat(words[0], "=", words[1], NULL);

		return values_add(cli, service, values, word);
	}
	for (; *words; words++)
		if (!values_add(cli, service, values, *words))
			return false;
	return true;
}

/* Checks the number of words. Returns false with the status set. */
static bool check_words(struct cli *cli, const char *file)
{
	bool is_pair = !strchr(cli->words[1], '=');

	if (file && (cli->nwords != 2 || !is_pair))
		cli_refuse_usage(cli, "--file needs one attribute without a value");
	else if (!file && is_pair && cli->nwords != 3)
		cli_refuse_usage(cli, "%s",
				 cli->nwords < 3 ? "the value is missing" : "there are too many arguments");
	return cli->status == TCMUCTL_DONE;
}

enum tcmuctl_status run_set(char **args)
{
	char *file = NULL;
	const GOptionEntry entries[] = {
	    {"file", 'f', 0, G_OPTION_ARG_FILENAME, &file,
	     "The value is the first line of this file, or of standard input (-)", "FILE"},
	    {.long_name = NULL},
	};
	struct cli cli;

	if (cli_begin(&cli, args, entries, 2, G_MAXUINT) && check_words(&cli, file) && cli_connect(&cli)) {
		g_autoptr(JsonObject) values = json_object_new();
		struct service *service = cli_service_of(&cli, cli.words[0]);

		if (read_values(&cli, service, file, values))
			set_values(&cli, service, values);
	}
	g_free(file);
	return cli_end(&cli);
}
