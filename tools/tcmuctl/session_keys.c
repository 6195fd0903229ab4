/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tcmuctl show: prints login keys as Key=Value lines, for scripts that have used "iscsi-scst-adm --op show".
 * The ID of a target is its number in the order of creation, beginning at 1. The ID of a session consists of
 * its ISID and its TSIH.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tcmuctl/cli.h"
#include "tcmuctl/commands.h"
#include "tcmuctl/show.h"

static gint tid;
static char *sid;

static JsonObject *find_target(JsonObject *root)
{
	JsonArray *children = show_array(root, "children");
	int n = 0;

	for (guint i = 0; children && i < json_array_get_length(children); i++) {
		JsonObject *child = json_array_get_object_element(children, i);

		if (show_has_kind(child, "target") && ++n == tid)
			return child;
	}
	return NULL;
}

static void list_targets(JsonObject *root)
{
	JsonArray *children = show_array(root, "children");
	int n = 0;

	for (guint i = 0; children && i < json_array_get_length(children); i++) {
		JsonObject *child = json_array_get_object_element(children, i);

		if (show_has_kind(child, "target"))
			printf("tid=%d name=%s\n", ++n, show_raw(child, "path"));
	}
}

/* --- keys -------------------------------------------------------------------------------------------- */

/* Adds a key. The keys are collected first, because they are printed either as lines or as JSON. */
static void add_key(JsonObject *keys, const char *key, JsonNode *value)
{
	g_autofree char *text = show_value(value);

	json_object_set_string_member(keys, key, text);
}

/* Returns the values of the first TPG. */
static JsonObject *tpg_values(JsonObject *target)
{
	JsonArray *tpgs = show_array(target, "children");
	JsonNode *node = tpgs && json_array_get_length(tpgs)
			     ? json_object_get_member(json_array_get_object_element(tpgs, 0), "attributes")
			     : NULL;

	return node ? json_node_get_object(node) : NULL;
}

static void add_target_keys(JsonObject *keys, JsonObject *values)
{
	JsonNode *depth = json_object_get_member(values, "attrib/default_cmdsn_depth");

	if (depth)
		add_key(keys, "QueuedCommands", depth);
}

/* Adds the configured values, which are the attributes of the group "param". */
static void add_configured_keys(JsonObject *keys, JsonObject *values)
{
	JsonObjectIter iter;
	const char *name;
	JsonNode *value;

	json_object_iter_init_ordered(&iter, values);
	while (json_object_iter_next_ordered(&iter, &name, &value))
		if (g_str_has_prefix(name, "param/"))
			add_key(keys, name + strlen("param/"), value);
}

/* Adds the values that a session has negotiated. Returns false if there is no such session. */
static bool add_session_keys(struct cli *cli, struct service *service, const char *target, JsonObject *keys)
{
	g_autoptr(JsonObject) result = cli_call(cli, service, "sessions", cli_params_path(target));
	JsonArray *sessions = result ? show_array(result, "sessions") : NULL;
	uint64_t wanted = strtoull(sid, NULL, 0);

	for (guint i = 0; sessions && i < json_array_get_length(sessions); i++) {
		JsonObject *session = json_array_get_object_element(sessions, i);
		JsonObjectIter iter;
		const char *name;
		JsonNode *value;

		if (strtoull(show_raw(session, "id"), NULL, 0) != wanted)
			continue;
		json_object_iter_init_ordered(&iter, json_object_get_object_member(session, "parameters"));
		while (json_object_iter_next_ordered(&iter, &name, &value))
			add_key(keys, name, value);
		return true;
	}
	return false;
}

static void print_keys(JsonObject *keys)
{
	JsonObjectIter iter;
	const char *name;
	JsonNode *value;

	json_object_iter_init_ordered(&iter, keys);
	while (json_object_iter_next_ordered(&iter, &name, &value))
		printf("%s=%s\n", name, json_node_get_string(value));
}

/* --- the command --------------------------------------------------------------------------------------- */

static void show_target(struct cli *cli, struct service *service, JsonObject *target)
{
	g_autoptr(JsonObject) keys = json_object_new();
	JsonObject *values = tpg_values(target);

	if (sid && strtoull(sid, NULL, 0)) {
		if (!add_session_keys(cli, service, show_raw(target, "path"), keys) &&
		    cli->status == TCMUCTL_DONE)
			cli_fail(cli, TCMUCTL_NO_OBJECT,
				 "the target %d has no session %s; \"tcmuctl sessions --json\" shows the IDs",
				 tid, sid);
	} else if (sid && values) {
		add_configured_keys(keys, values);
	} else if (values) {
		add_target_keys(keys, values);
	}
	if (cli->status != TCMUCTL_DONE)
		return;
	if (cli->json)
		cli_print_json(keys);
	else
		print_keys(keys);
}

static void show(struct cli *cli)
{
	/* Targets belong to the daemon of the iSCSI front end, which comes last. */
	struct service *service = cli->services->pdata[cli->services->len - 1];
	JsonObject *params = cli_params();

	json_object_set_boolean_member(params, "attributes", TRUE);

	g_autoptr(JsonObject) root = cli_call(cli, service, "list", params);
	JsonObject *target = root && tid ? find_target(root) : NULL;

	if (target)
		show_target(cli, service, target);
	else if (root && tid)
		cli_fail(cli, TCMUCTL_NO_OBJECT, "there is no target %d; \"tcmuctl show\" lists the targets",
			 tid);
	else if (root)
		list_targets(root);
}

enum tcmuctl_status run_show(char **args)
{
	const GOptionEntry entries[] = {
	    {"tid", 't', 0, G_OPTION_ARG_INT, &tid, "The target: 1 is the oldest", "N"},
	    {"sid", 's', 0, G_OPTION_ARG_STRING, &sid, "The session; 0 stands for the configured values",
	     "ID"},
	    {.long_name = NULL},
	};
	struct cli cli;

	if (cli_begin(&cli, args, entries, 0, 0)) {
		if (sid && !tid)
			cli_refuse_usage(&cli, "--sid needs --tid");
		else if (tid < 0 || (sid && !g_ascii_isdigit(*sid)))
			cli_refuse_usage(&cli, "IDs are numbers");
		else if (cli_connect(&cli))
			show(&cli);
	}
	g_free(sid);
	return cli_end(&cli);
}
