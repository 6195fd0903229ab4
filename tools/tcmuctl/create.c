/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tcmuctl create: creates any object. For a target, the same command also creates a TPG and portals. If a
 * step of the command is refused, the objects that were created are deleted again.
 */
#include <stdio.h>
#include <string.h>

#include "tcmuctl/cli.h"
#include "tcmuctl/commands.h"
#include "tcmuctl/show.h"
#include "tcmuctl/values.h"
#include "util/size.h"

struct create_options {
	char *size, *to, *serial;
	gint block_size;
	gboolean read_only, disabled;
	/* The values of options: ATTRIBUTE=VALUE, ATTRIBUTE=FILE, ADDRESS:PORT */
	char **set, **set_file, **portals;
};

/* The attributes that options set. */
#define CONFIG     "control/config"
#define SIZE       "control/size"
#define BLOCK_SIZE "control/block_size"
#define READ_ONLY  "control/read_only"
#define SERIAL     "wwn/vpd_unit_serial"

struct creation {
	struct cli *cli;
	struct service *service;
	const struct create_options *options;
	/* The results of the daemon. */
	JsonArray *objects;
};

static bool is_target(const char *path)
{
	return cli_is_target(path) && !strchr(path, '/');
}

static bool is_tpg(const char *path)
{
	const char *slash = strchr(path, '/');

	return cli_is_target(path) && slash && g_str_has_prefix(slash + 1, "tpgt_") &&
	       !strchr(slash + 1, '/');
}

/* --- steps ------------------------------------------------------------------------------------------- */

static void undo(struct creation *creation)
{
	for (guint i = json_array_get_length(creation->objects); i--;) {
		JsonObject *object = json_array_get_object_element(creation->objects, i);
		JsonObject *params = cli_params_path(show_raw(object, "path"));
		struct rpc_error error;

		if (!show_flag(object, "created")) {
			json_object_unref(params);
			continue;
		}
		json_object_set_boolean_member(params, "recursive", TRUE);

		g_autoptr(JsonObject) result =
		    rpc_call(creation->service->rpc, "delete", params, NULL, &error);

		if (!result)
			fprintf(stderr, "tcmuctl create: %s cannot be deleted again: %s\n",
				show_raw(object, "path"), error.text);
		rpc_error_clear(&error);
	}
}

/*
 * Creates an object. values may be NULL, and is consumed. If this fails, deletes the objects that were
 * created before, sets the status, and returns false.
 */
static bool create_object(struct creation *creation, const char *path, const char *to, JsonObject *values,
			  bool enable)
{
	JsonObject *params = cli_params_path(path), *result;

	if (to)
		json_object_set_string_member(params, "to", to);
	if (values)
		json_object_set_object_member(params, "attributes", values);
	if (enable)
		json_object_set_boolean_member(params, "enable", TRUE);
	result = cli_call(creation->cli, creation->service, "create", params);
	if (result)
		json_array_add_object_element(creation->objects, result);
	else
		undo(creation);
	return result;
}

/* Creates a target, its TPG 1, and its portals. The values are those of the TPG. */
static bool create_target(struct creation *creation, const char *path, JsonObject *values)
{
	g_autofree char *tpg = g_strconcat(path, "/tpgt_1", NULL);

	if (!create_object(creation, path, NULL, NULL, false)) {
		json_object_unref(values);
		return false;
	}
	if (!create_object(creation, tpg, NULL, values, !creation->options->disabled))
		return false;
	for (char **portal = creation->options->portals; portal && *portal; portal++) {
		g_autofree char *portal_path = g_strconcat(tpg, "/", *portal, NULL);

		if (!create_object(creation, portal_path, NULL, NULL, false))
			return false;
	}
	return true;
}

/* --- options ----------------------------------------------------------------------------------------- */

/* Returns false with the status set if an option is wrong. */
static bool add_storage_values(struct cli *cli, const struct create_options *options, JsonObject *values)
{
	uint64_t size;

	if (cli->nwords > 1)
		json_object_set_string_member(values, CONFIG, cli->words[1]);
	if (options->size) {
		if (size_parse(options->size, &size)) {
			cli_refuse_usage(
			    cli, "size '%s' is not a number of bytes; use for example 4096, 64K or 1G",
			    options->size);
			return false;
		}
		json_object_set_int_member(values, SIZE, (gint64)size);
	}
	if (options->block_size)
		json_object_set_int_member(values, BLOCK_SIZE, options->block_size);
	if (options->read_only)
		json_object_set_boolean_member(values, READ_ONLY, TRUE);
	if (options->serial)
		json_object_set_string_member(values, SERIAL, options->serial);
	return true;
}

/* Returns false with the status set if an option is wrong. */
static bool add_values(struct creation *creation, JsonObject *values)
{
	const struct create_options *options = creation->options;

	for (char **word = options->set; word && *word; word++)
		if (!values_add(creation->cli, creation->service, values, *word))
			return false;
	for (char **word = options->set_file; word && *word; word++)
		if (!values_add_file(creation->cli, *word, values))
			return false;
	return true;
}

/* Refuses options that would have no effect. Returns false with the status set. */
static bool check_options(struct cli *cli, const struct create_options *options)
{
	const char *path = cli->words[0];
	bool is_storage = !cli_is_target(path);
	bool for_storage = options->size || options->block_size || options->read_only || options->serial;

	if (options->portals && !is_target(path))
		cli_refuse_usage(cli,
				 "--portal is an option of targets, and \"%s\" is not the name of a target, "
				 "which begins with iqn., eui. or naa.",
				 path);
	else if (!is_storage && cli->nwords > 1)
		cli_refuse_usage(cli, "%s is not a storage object, so \"%s\" has no meaning", path,
				 cli->words[1]);
	else if (!is_storage && for_storage)
		cli_refuse_usage(
		    cli,
		    "%s is not a storage object; --size, --block-size, --read-only and --serial are "
		    "options of storage objects",
		    path);
	else if (is_storage && cli->nwords < 2 && !options->disabled)
		cli_refuse_usage(cli,
				 "a storage object needs HANDLER/CONFIG, for example: tcmuctl create %s "
				 "file//srv/disk.img --size 10G",
				 path);
	return cli->status == TCMUCTL_DONE;
}

/* --- the command --------------------------------------------------------------------------------------- */

static void print_objects(struct creation *creation)
{
	if (creation->cli->json) {
		g_autoptr(JsonObject) document = json_object_new();

		json_object_set_array_member(document, "objects", json_array_ref(creation->objects));
		cli_print_json(document);
		return;
	}
	for (guint i = 0; i < json_array_get_length(creation->objects); i++) {
		JsonObject *object = json_array_get_object_element(creation->objects, i);
		g_autofree char *path = show_text(object, "path");

		printf("%s %s\n", path, show_flag(object, "created") ? "is created" : "already exists");
	}
}

static void create(struct creation *creation)
{
	const struct create_options *options = creation->options;
	const char *path = creation->cli->words[0];
	JsonObject *values = json_object_new();
	bool is_storage = !cli_is_target(path), done;

	if ((is_storage && !add_storage_values(creation->cli, options, values)) ||
	    !add_values(creation, values)) {
		json_object_unref(values);
		return;
	}
	if (is_target(path))
		done = create_target(creation, path, values);
	else
		done = create_object(creation, path, options->to, values,
				     (is_storage || is_tpg(path)) && !options->disabled);
	if (done)
		print_objects(creation);
}

static void free_options(struct create_options *options)
{
	g_free(options->size);
	g_free(options->to);
	g_free(options->serial);
	g_strfreev(options->set);
	g_strfreev(options->set_file);
	g_strfreev(options->portals);
}

enum tcmuctl_status run_create(char **args)
{
	struct create_options options = {0};
	const GOptionEntry entries[] = {
	    {"size", 0, 0, G_OPTION_ARG_STRING, &options.size, "Bytes of a disk, or for example 10G", "SIZE"},
	    {"block-size", 0, 0, G_OPTION_ARG_INT, &options.block_size, "512 or 4096", "N"},
	    {"serial", 0, 0, G_OPTION_ARG_STRING, &options.serial, "The unit serial number of a disk",
	     "TEXT"},
	    {"read-only", 0, 0, G_OPTION_ARG_NONE, &options.read_only, "Nobody can write to the disk", NULL},
	    {"portal", 0, 0, G_OPTION_ARG_STRING_ARRAY, &options.portals,
	     "The target listens here; may be repeated", "ADDRESS:PORT"},
	    {"to", 0, 0, G_OPTION_ARG_STRING, &options.to, "What a LUN or a mapped LUN leads to", "PATH"},
	    {"set", 0, 0, G_OPTION_ARG_STRING_ARRAY, &options.set, "Sets an attribute; may be repeated",
	     "ATTRIBUTE=VALUE"},
	    {"set-file", 0, 0, G_OPTION_ARG_STRING_ARRAY, &options.set_file,
	     "The same, from a file or standard input (-)", "ATTRIBUTE=FILE"},
	    {"disabled", 0, 0, G_OPTION_ARG_NONE, &options.disabled, "Does not enable the disk or the TPG",
	     NULL},
	    {.long_name = NULL},
	};
	struct cli cli;

	if (cli_begin(&cli, args, entries, 1, 2) && check_options(&cli, &options) && cli_connect(&cli)) {
		struct creation creation = {&cli, cli_service_of(&cli, cli.words[0]), &options,
					    json_array_new()};

		create(&creation);
		json_array_unref(creation.objects);
	}
	free_options(&options);
	return cli_end(&cli);
}
