/* SPDX-License-Identifier: Apache-2.0 */
/* tcmuctl filters and set-filter: the filters of a disk that is served, and their options. */
#include <stdio.h>
#include <string.h>

#include "tcmuctl/cli.h"
#include "tcmuctl/commands.h"
#include "tcmuctl/show.h"

/* Prints a line such as "0 delay read=10ms write=0". */
static void print_filter(JsonObject *filter)
{
	g_autofree char *name = show_text(filter, "filter");
	JsonObjectIter iter;
	const char *option;
	JsonNode *value;

	printf("%" G_GINT64_FORMAT " %s", show_number(filter, "number"), name);
	json_object_iter_init_ordered(&iter, json_object_get_object_member(filter, "options"));
	while (json_object_iter_next_ordered(&iter, &option, &value)) {
		g_autofree char *text = show_value(value);

		printf(" %s=%s", option, text);
	}
	putchar('\n');
}

enum tcmuctl_status run_filters(char **args)
{
	struct cli cli;

	if (!cli_begin(&cli, args, NULL, 1, 1) || !cli_connect(&cli))
		return cli_end(&cli);

	g_autoptr(JsonObject) result =
	    cli_call(&cli, cli_service_of(&cli, cli.words[0]), "filters", cli_params_path(cli.words[0]));
	JsonArray *filters = result ? show_array(result, "filters") : NULL;

	if (result && cli.json)
		cli_print_json(result);
	for (guint i = 0; filters && !cli.json && i < json_array_get_length(filters); i++)
		print_filter(json_array_get_object_element(filters, i));
	return cli_end(&cli);
}

enum tcmuctl_status run_set_filter(char **args)
{
	struct cli cli;

	if (cli_begin(&cli, args, NULL, 3, 3) && cli_connect(&cli)) {
		JsonObject *params = cli_params_path(cli.words[0]);
		const char *word = cli.words[2], *value = strchr(word, '=');
		g_autofree char *option = value ? g_strndup(word, (gsize)(value - word)) : g_strdup(word);

		json_object_set_string_member(params, "filter", cli.words[1]);
		json_object_set_string_member(params, "option", option);
		if (value)
			json_object_set_string_member(params, "value", value + 1);

		struct service *service = cli_service_of(&cli, cli.words[0]);
		g_autofree char *path = cli_path_of(service, cli.words[0]);
		JsonObject *result = cli_call(&cli, service, "set_filter", params);

		if (result)
			cli_print_result(&cli, result, "%s: %s of the filter %s is %s", path, option,
					 cli.words[1], value ? "set" : "not set any more");
	}
	return cli_end(&cli);
}
