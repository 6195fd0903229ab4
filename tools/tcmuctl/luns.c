/* SPDX-License-Identifier: Apache-2.0 */
/* tcmuctl luns: shows which LUN leads to which disk, and which initiators see it. */
#include <stdio.h>
#include <string.h>

#include "tcmuctl/cli.h"
#include "tcmuctl/commands.h"
#include "tcmuctl/show.h"

/* The tree of objects of one daemon, and the rows that are made of it. */
struct luns {
	JsonObject *root;
	JsonArray *rows;
};

/* Returns the child with this path, or NULL. */
static JsonObject *find_child(JsonObject *json, const char *path)
{
	JsonArray *children = show_array(json, "children");

	for (guint i = 0; children && i < json_array_get_length(children); i++) {
		JsonObject *child = json_array_get_object_element(children, i);

		if (!strcmp(show_raw(child, "path"), path))
			return child;
	}
	return NULL;
}

static bool attribute_is_true(JsonObject *json, const char *name)
{
	JsonNode *attributes = json_object_get_member(json, "attributes");

	return attributes &&
	       json_object_get_boolean_member_with_default(json_node_get_object(attributes), name, FALSE);
}

static bool is_seen_without_acl(JsonObject *tpg, JsonObject *lun)
{
	return attribute_is_true(tpg, "attrib/generate_node_acls") && !attribute_is_true(lun, "acl_only");
}

/*
 * Returns whether initiators that see the LUN cannot write to it. The reason may be the disk, the LUN, the
 * mapped LUN, or demo_mode_write_protect, which applies to initiators without an ACL.
 */
static bool is_read_only(JsonObject *tpg, JsonObject *lun, JsonObject *acl, JsonObject *disk)
{
	bool in_demo_mode = !acl && is_seen_without_acl(tpg, lun);

	return (disk && show_flag(disk, "read_only")) ||
	       ((acl || in_demo_mode) && attribute_is_true(lun, "write_protect")) ||
	       (in_demo_mode && attribute_is_true(tpg, "attrib/demo_mode_write_protect"));
}

static void add_row(struct luns *luns, JsonObject *tpg, JsonObject *lun, JsonObject *acl, const char *storage)
{
	JsonObject *row = json_object_new(), *disk = find_child(luns->root, storage);

	json_object_set_string_member(row, "tpg", show_raw(tpg, "path"));
	json_object_set_string_member(row, "initiator", acl ? strrchr(show_raw(acl, "path"), '/') + 1 : "");
	json_object_set_int_member(row, "lun", show_number(lun, "lun"));
	json_object_set_string_member(row, "storage", storage);
	json_object_set_int_member(row, "size", disk ? show_number(disk, "size") : 0);
	json_object_set_string_member(row, "state", disk ? show_raw(disk, "state") : "");
	json_object_set_boolean_member(row, "write_protect", attribute_is_true(lun, "write_protect"));
	json_object_set_boolean_member(row, "read_only", is_read_only(tpg, lun, acl, disk));
	/* Whether initiators without an ACL do not see the LUN. */
	json_object_set_boolean_member(row, "acl_only", !acl && !is_seen_without_acl(tpg, lun));
	json_array_add_object_element(luns->rows, row);
}

static void add_acl(struct luns *luns, JsonObject *tpg, JsonObject *acl)
{
	JsonArray *children = show_array(acl, "children");

	for (guint i = 0; children && i < json_array_get_length(children); i++) {
		JsonObject *mapped = json_array_get_object_element(children, i);
		JsonObject *lun = find_child(tpg, show_raw(mapped, "to"));

		if (lun)
			add_row(luns, tpg, mapped, acl, show_raw(lun, "to"));
	}
}

static void add_tpg(struct luns *luns, JsonObject *tpg)
{
	JsonArray *children = show_array(tpg, "children");

	for (guint i = 0; children && i < json_array_get_length(children); i++) {
		JsonObject *child = json_array_get_object_element(children, i);

		if (show_has_kind(child, "lun"))
			add_row(luns, tpg, child, NULL, show_raw(child, "to"));
		else if (show_has_kind(child, "acl"))
			add_acl(luns, tpg, child);
	}
}

static void add_targets(struct luns *luns)
{
	JsonArray *children = show_array(luns->root, "children");

	for (guint i = 0; children && i < json_array_get_length(children); i++) {
		JsonObject *target = json_array_get_object_element(children, i);
		JsonArray *tpgs = show_has_kind(target, "target") ? show_array(target, "children") : NULL;

		for (guint j = 0; tpgs && j < json_array_get_length(tpgs); j++)
			add_tpg(luns, json_array_get_object_element(tpgs, j));
	}
}

static const char *seen_by(JsonObject *row, const char *initiator)
{
	if (*initiator)
		return initiator;
	return show_flag(row, "acl_only") ? "initiators whose ACL maps it" : "initiators without an ACL";
}

static void print_row(JsonObject *row)
{
	g_autofree char *tpg = show_text(row, "tpg");
	g_autofree char *initiator = show_text(row, "initiator");
	g_autofree char *storage = show_text(row, "storage");
	g_autofree char *state = show_text(row, "state");
	g_autofree char *size = show_disk_size(row);

	printf("%s  LUN %d  %s  %s  %s%s  for %s\n", tpg, (int)show_number(row, "lun"), storage, size, state,
	       show_flag(row, "read_only") ? "  read-only" : "", seen_by(row, initiator));
}

/* Replaces the tree in the result with the rows. */
static void on_list(struct cli *cli, const struct service *service, JsonObject *result)
{
	struct luns luns = {result, json_array_new()};

	(void)service;
	add_targets(&luns);
	for (guint i = 0; !cli->json && i < json_array_get_length(luns.rows); i++)
		print_row(json_array_get_object_element(luns.rows, i));
	json_object_remove_member(result, "children");
	json_object_remove_member(result, "kind");
	json_object_remove_member(result, "path");
	json_object_remove_member(result, "attributes");
	json_object_set_array_member(result, "luns", luns.rows);
}

enum tcmuctl_status run_luns(char **args)
{
	struct cli cli;

	if (cli_begin(&cli, args, NULL, 0, 0) && cli_connect(&cli)) {
		g_autoptr(JsonObject) params = cli_params();

		json_object_set_boolean_member(params, "attributes", TRUE);
		cli_call_all(&cli, "list", params, on_list);
	}
	return cli_end(&cli);
}
