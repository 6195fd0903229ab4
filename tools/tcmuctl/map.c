/* SPDX-License-Identifier: Apache-2.0 */
/* tcmuctl map and unmap: add and remove LUNs of a target, for all its initiators or for one. */
#include <stdio.h>
#include <string.h>

#include "tcmuctl/cli.h"
#include "tcmuctl/commands.h"
#include "tcmuctl/show.h"

/* The attribute of a LUN or a mapped LUN that --read-only sets. */
#define WRITE_PROTECT "write_protect"
/* The attribute of a TPG that admits initiators without an ACL. */
#define ADMITS_ALL "attrib/generate_node_acls"

struct map_options {
	/* The text after --lun, or NULL; and the number in this text, or -1. */
	char *lun_text;
	gint lun;
	char *initiator;
	gboolean read_only;
};

static void set_common(JsonObject *params, const struct map_options *options)
{
	if (options->lun >= 0)
		json_object_set_int_member(params, "lun", options->lun);
	if (options->initiator)
		json_object_set_string_member(params, "initiator", options->initiator);
}

/* Reads --lun, if it is given. Returns false with the status set. */
static bool read_lun(struct cli *cli, struct map_options *options)
{
	guint64 number;

	if (!options->lun_text)
		return true;
	if (!g_ascii_string_to_unsigned(options->lun_text, 10, 0, G_MAXINT, &number, NULL)) {
		cli_refuse_usage(cli, "--lun '%s' is not a LUN number, such as 0", options->lun_text);
		return false;
	}
	options->lun = (gint)number;
	return true;
}

static void free_options(struct map_options *options)
{
	g_free(options->lun_text);
	g_free(options->initiator);
}

/*
 * Prints a hint if the TPG admits only initiators with an ACL. Such an initiator sees the new LUN only if its
 * ACL maps the LUN.
 */
static void print_hint(struct cli *cli, struct service *service, const char *path, const char *storage)
{
	g_autofree char *tpg = g_strndup(path, (gsize)(strrchr(path, '/') - path));
	JsonObject *params = cli_params_path(tpg);
	struct rpc_error error;

	json_object_set_string_member(params, "attribute", ADMITS_ALL);

	g_autoptr(JsonObject) result = rpc_call(service->rpc, "get", params, NULL, &error);

	rpc_error_clear(&error);
	if (result && !show_flag(result, "value"))
		printf("Only initiators with an ACL may log in. To show the LUN to one of them, run: "
		       "tcmuctl map %s %s --initiator IQN\n",
		       cli->words[0], storage);
}

static void print_mapped(struct cli *cli, struct service *service, const struct map_options *options,
			 JsonObject *result)
{
	g_autofree char *path = show_text(result, "path");
	g_autofree char *storage = cli_path_of(service, cli->words[1]);

	cli_print_result(cli, result, "%s: %s shows %s%s%s as LUN %d%s", path, cli->words[0], storage,
			 options->initiator ? " to " : "", options->initiator ? options->initiator : "",
			 (int)show_number(result, "lun"),
			 show_flag(result, "created") ? "" : ", as it did before");
	if (!options->initiator && !cli->json)
		print_hint(cli, service, path, storage);
}

enum tcmuctl_status run_map(char **args)
{
	struct map_options options = {.lun = -1};
	const GOptionEntry entries[] = {
	    {"lun", 'l', 0, G_OPTION_ARG_STRING, &options.lun_text, "The number (the lowest that is free)",
	     "N"},
	    {"initiator", 'i', 0, G_OPTION_ARG_STRING, &options.initiator, "For this initiator only", "IQN"},
	    {"read-only", 'r', 0, G_OPTION_ARG_NONE, &options.read_only, "Initiators cannot write", NULL},
	    {.long_name = NULL},
	};
	struct cli cli;

	if (cli_begin(&cli, args, entries, 2, 2) && read_lun(&cli, &options) && cli_connect(&cli)) {
		JsonObject *params = cli_params_path(cli.words[0]), *values = json_object_new(), *result;
		struct service *service = cli_service_of(&cli, cli.words[0]);

		json_object_set_string_member(params, "storage", cli.words[1]);
		set_common(params, &options);
		if (options.read_only)
			json_object_set_boolean_member(values, WRITE_PROTECT, TRUE);
		json_object_set_object_member(params, "attributes", values);
		result = cli_call(&cli, service, "map", params);
		if (result)
			print_mapped(&cli, service, &options, result);
	}
	free_options(&options);
	return cli_end(&cli);
}

static void print_unmapped(struct cli *cli, JsonObject *result)
{
	JsonArray *deleted = show_array(result, "deleted");

	if (cli->json)
		cli_print_json(result);
	for (guint i = 0; !cli->json && deleted && i < json_array_get_length(deleted); i++) {
		g_autofree char *path = show_element(deleted, i);

		printf("%s is deleted\n", path);
	}
	json_object_unref(result);
}

enum tcmuctl_status run_unmap(char **args)
{
	struct map_options options = {.lun = -1};
	const GOptionEntry entries[] = {
	    {"lun", 'l', 0, G_OPTION_ARG_STRING, &options.lun_text, "The LUN with this number", "N"},
	    {"initiator", 'i', 0, G_OPTION_ARG_STRING, &options.initiator, "For this initiator only", "IQN"},
	    {.long_name = NULL},
	};
	struct cli cli;

	if (cli_begin(&cli, args, entries, 1, 2) && read_lun(&cli, &options)) {
		if (cli.nwords < 2 && options.lun < 0) {
			cli_refuse_usage(&cli, "neither a storage object nor --lun is given");
		} else if (cli_connect(&cli)) {
			JsonObject *params = cli_params_path(cli.words[0]), *result;

			if (cli.nwords > 1)
				json_object_set_string_member(params, "storage", cli.words[1]);
			set_common(params, &options);
			result = cli_call(&cli, cli_service_of(&cli, cli.words[0]), "unmap", params);
			if (result)
				print_unmapped(&cli, result);
		}
	}
	free_options(&options);
	return cli_end(&cli);
}
