/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The arguments ATTRIBUTE=VALUE and ATTRIBUTE=FILE. The schema of the daemon says which attributes are
 * secrets.
 */
#include "tcmuctl/values.h"

#include <string.h>

#include "tcmuctl/secret_file.h"
#include "tcmuctl/show.h"

static bool is_secret(JsonObject *schema, const char *name)
{
	JsonArray *attributes = show_array(schema, "attributes");

	for (guint i = 0; attributes && i < json_array_get_length(attributes); i++) {
		JsonObject *attribute = json_array_get_object_element(attributes, i);

		if (!strcmp(show_raw(attribute, "name"), name) &&
		    !strcmp(show_raw(attribute, "type"), "secret"))
			return true;
	}
	return false;
}

/* Refuses an attribute that is a secret. Returns false with the status set. */
static bool check_public(struct cli *cli, struct service *service, const char *name)
{
	g_autoptr(JsonObject) schema = cli_call(cli, service, "schema", NULL);

	if (schema && is_secret(schema, name))
		cli_refuse_usage(
		    cli,
		    "%s is a secret, and every user can see the arguments of programs; give a file, or "
		    "- for standard input: tcmuctl set PATH %s --file FILE",
		    name, name);
	return schema && cli->status == TCMUCTL_DONE;
}

/* Returns the part of the word before "=", or NULL with the status set. */
static char *name_of(struct cli *cli, const char *word, const char *form)
{
	const char *equals = strchr(word, '=');

	if (!equals || equals == word) {
		/* The word is not repeated, because it may contain a secret. */
		cli_refuse_usage(cli, "an argument does not have the form %s", form);
		return NULL;
	}
	return g_strndup(word, (gsize)(equals - word));
}

bool values_add(struct cli *cli, struct service *service, JsonObject *values, const char *word)
{
	g_autofree char *name = name_of(cli, word, "ATTRIBUTE=VALUE");

	if (!name || !check_public(cli, service, name))
		return false;
	json_object_set_string_member(values, name, strchr(word, '=') + 1);
	return true;
}

bool values_add_file(struct cli *cli, const char *word, JsonObject *values)
{
	g_autofree char *name = name_of(cli, word, "ATTRIBUTE=FILE");
	struct error error = {""};
	char *secret = name ? secret_file_read(strchr(word, '=') + 1, &error) : NULL;

	if (secret)
		json_object_set_string_member(values, name, secret);
	else if (name)
		cli_fail(cli, TCMUCTL_REFUSED, "%s", error.text);
	secret_file_free(secret);
	return secret;
}
