/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The names of the members under the key tcmu_runner of saveconfig.json. Under this key are the settings that
 * LIO does not have, for each storage object, target, TPG and so on (docs/saveconfig.md). Other programs
 * ignore the key, so a TPG that needs one of these settings is disabled in the part of the file that LIO
 * reads.
 */
#include "config/saveconfig_ours.h"

#include <string.h>

/* The members that hold the settings of children, by the kind of the children. */
static const char *const containers[MODEL_KINDS] = {
    [MODEL_STORAGE] = "storage_objects", [MODEL_TARGET] = "targets", [MODEL_TPG] = "tpgs",
    [MODEL_PORTAL] = "portals",          [MODEL_LUN] = "luns",       [MODEL_ACL] = "node_acls",
    [MODEL_MAPPED_LUN] = "mapped_luns",
};
static const enum model_kind parents[MODEL_KINDS] = {
    [MODEL_STORAGE] = MODEL_ROOT,   [MODEL_TARGET] = MODEL_ROOT, [MODEL_TPG] = MODEL_TARGET,
    [MODEL_PORTAL] = MODEL_TPG,     [MODEL_LUN] = MODEL_TPG,     [MODEL_ACL] = MODEL_TPG,
    [MODEL_MAPPED_LUN] = MODEL_ACL,
};

const char *ours_container(enum model_kind kind)
{
	return containers[kind];
}

bool ours_is_parent(enum model_kind parent, enum model_kind kind)
{
	return kind != MODEL_ROOT && parents[kind] == parent;
}

const char *ours_prefix(enum model_kind kind)
{
	if (kind == MODEL_TPG)
		return "tpgt_";
	return kind == MODEL_LUN || kind == MODEL_MAPPED_LUN ? "lun_" : "";
}

const char *ours_key_of(const struct config_node *node)
{
	const char *prefix = ours_prefix(node->kind);

	return g_str_has_prefix(node->name, prefix) ? node->name + strlen(prefix) : NULL;
}

bool ours_is_boolean(JsonNode *value)
{
	g_autofree char *text = value ? saveconfig_json_text(value) : NULL;

	return text && (!strcmp(text, "0") || !strcmp(text, "1"));
}
