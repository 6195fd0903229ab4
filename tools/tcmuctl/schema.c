/* SPDX-License-Identifier: Apache-2.0 */
/* tcmuctl schema: the methods of the socket and the attributes of objects, as the daemon describes them. */
#include <stdio.h>

#include "tcmuctl/cli.h"
#include "tcmuctl/commands.h"
#include "tcmuctl/show.h"

static void print_attributes(JsonObject *schema)
{
	JsonArray *attributes = show_array(schema, "attributes");

	for (guint i = 0; attributes && i < json_array_get_length(attributes); i++) {
		JsonObject *attribute = json_array_get_object_element(attributes, i);

		printf("%-10s %-36s %s\n", show_raw(attribute, "kind"), show_raw(attribute, "name"),
		       show_raw(attribute, "help"));
	}
}

enum tcmuctl_status run_schema(char **args)
{
	struct cli cli;

	if (cli_begin(&cli, args, NULL, 0, 0) && cli_connect(&cli)) {
		g_autoptr(JsonObject) schema = cli_call(&cli, cli.services->pdata[0], "schema", NULL);

		if (schema && cli.json)
			cli_print_json(schema);
		else if (schema)
			print_attributes(schema);
	}
	return cli_end(&cli);
}
