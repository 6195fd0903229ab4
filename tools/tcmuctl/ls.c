/* SPDX-License-Identifier: Apache-2.0 */
/* tcmuctl ls: the objects of a daemon as a tree like that of targetcli, or as a list of paths for scripts. */
#include <stdio.h>
#include <string.h>

#include "tcmuctl/cli.h"
#include "tcmuctl/commands.h"
#include "tcmuctl/show.h"
#include "tcmuctl/tree.h"

static gboolean paths_only;

/* The groups below a TPG and below the root, with the headings that targetcli uses. */
static const struct group {
	const char *parent, *kind, *name, *heading;
} groups[] = {
    {"root", "storage", "storage", "Storage Objects"},
    {"root", "target", "iscsi", "Targets"},
    {"tpg", "acl", "acls", "ACLs"},
    {"tpg", "lun", "luns", "LUNs"},
    {"tpg", "portal", "portals", "Portals"},
};

static unsigned count_children(JsonObject *json, const char *kind)
{
	JsonArray *children = show_array(json, "children");
	unsigned n = 0;

	for (guint i = 0; children && i < json_array_get_length(children); i++)
		n += show_has_kind(json_array_get_object_element(children, i), kind);
	return n;
}

static char *attribute(JsonObject *json, const char *name)
{
	JsonNode *attributes = json_object_get_member(json, "attributes");
	JsonNode *value = attributes ? json_object_get_member(json_node_get_object(attributes), name) : NULL;

	return value ? show_value(value) : g_strdup("");
}

/* Returns the description of an object in the form of targetcli. The caller frees it with g_free(). */
static char *describe(JsonObject *json)
{
	g_autofree char *to = show_text(json, "to");

	if (show_has_kind(json, "storage")) {
		g_autofree char *config = attribute(json, "control/config");
		g_autofree char *size = show_disk_size(json);
		g_autofree char *state = show_text(json, "state");

		return g_strdup_printf("%s (%s) %s", config, size, state);
	}
	if (show_has_kind(json, "target"))
		return g_strdup_printf("TPGs: %u", count_children(json, "tpg"));
	if (show_has_kind(json, "tpg")) {
		g_autofree char *acls = attribute(json, "attrib/generate_node_acls");
		g_autofree char *auth = attribute(json, "attrib/authentication");

		return g_strdup_printf("%s, %s, %s", show_flag(json, "enabled") ? "enabled" : "disabled",
				       strcmp(acls, "1") ? "no-gen-acls" : "gen-acls",
				       strcmp(auth, "1") ? "no-auth" : "auth");
	}
	if (show_has_kind(json, "acl"))
		return g_strdup_printf("Mapped LUNs: %u", count_children(json, "mapped_lun"));
	if (show_has_kind(json, "lun"))
		return g_strdup(to);
	if (show_has_kind(json, "mapped_lun")) {
		g_autofree char *protect = attribute(json, "write_protect");
		g_autofree char *storage = show_text(json, "storage");
		const char *name = strrchr(to, '/');

		return g_strdup_printf("%s %s (%s)", name ? name + 1 : to, storage,
				       strcmp(protect, "1") ? "rw" : "ro");
	}
	if (show_has_kind(json, "portal")) {
		g_autofree char *state = show_text(json, "state");

		if (!strcmp(state, "no address"))
			return g_strdup("no interface has this address");
		return g_strdup(strcmp(state, "listening") ? state : "OK");
	}
	return g_strdup("");
}

/* Returns the name of an object below its parent. */
static char *name_of(JsonObject *json)
{
	char *path = show_text(json, "path");
	char *slash = strrchr(path, '/'), *name;

	if (show_has_kind(json, "storage") || show_has_kind(json, "target") || !slash)
		return path;
	name = g_strdup(slash + 1);
	g_free(path);
	return name;
}

static void add_object(struct tree *parent, JsonObject *json);

static void add_children(struct tree *parent, JsonObject *json, const char *kind)
{
	JsonArray *children = show_array(json, "children");

	for (guint i = 0; children && i < json_array_get_length(children); i++) {
		JsonObject *child = json_array_get_object_element(children, i);

		if (show_has_kind(child, kind))
			add_object(parent, child);
	}
}

static void add_below(struct tree *tree, JsonObject *json)
{
	for (gsize i = 0; i < G_N_ELEMENTS(groups); i++) {
		g_autofree char *info =
		    g_strdup_printf("%s: %u", groups[i].heading, count_children(json, groups[i].kind));

		if (show_has_kind(json, groups[i].parent))
			add_children(tree_add(tree, groups[i].name, info), json, groups[i].kind);
	}
	add_children(tree, json, "tpg");
	add_children(tree, json, "mapped_lun");
}

static void add_object(struct tree *parent, JsonObject *json)
{
	g_autofree char *name = name_of(json);
	g_autofree char *info = describe(json);

	add_below(tree_add(parent, name, info), json);
}

static void print_paths(JsonObject *json)
{
	g_autofree char *path = show_text(json, "path");
	JsonArray *children = show_array(json, "children");

	if (!show_has_kind(json, "root"))
		puts(path);
	for (guint i = 0; children && i < json_array_get_length(children); i++)
		print_paths(json_array_get_object_element(children, i));
}

static void print_list(struct cli *cli, const struct service *service, JsonObject *json)
{
	struct tree *tree;

	if (cli->json)
		return;
	if (paths_only) {
		print_paths(json);
	} else if (show_has_kind(json, "root")) {
		tree = tree_add(NULL, "/", service->name);
		add_below(tree, json);
		tree_print(tree);
	} else {
		g_autofree char *path = show_text(json, "path");
		g_autofree char *info = describe(json);

		tree = tree_add(NULL, path, info);
		add_below(tree, json);
		tree_print(tree);
	}
}

/* Lists an object that only one daemon has. */
static void list_object(struct cli *cli, JsonObject *params, const char *path)
{
	struct service *service = cli_service_of(cli, path);
	JsonObject *result;

	json_object_set_string_member(params, "path", path);
	result = cli_call(cli, service, "list", json_object_ref(params));
	if (!result)
		return;
	print_list(cli, service, result);
	if (cli->json)
		cli_print_json(result);
	json_object_unref(result);
}

enum tcmuctl_status run_ls(char **args)
{
	const GOptionEntry entries[] = {
	    {"paths", 0, 0, G_OPTION_ARG_NONE, &paths_only, "Print the paths only, one in each line", NULL},
	    {.long_name = NULL},
	};
	struct cli cli;

	if (cli_begin(&cli, args, entries, 0, 1) && cli_connect(&cli)) {
		g_autoptr(JsonObject) params = cli_params();

		json_object_set_boolean_member(params, "attributes", TRUE);
		if (cli.nwords)
			list_object(&cli, params, cli.words[0]);
		else
			cli_call_all(&cli, "list", params, print_list);
	}
	return cli_end(&cli);
}
