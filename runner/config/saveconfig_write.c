/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes the part of saveconfig.json that rtslib-fb knows. Each entry begins as a copy of the entry that was
 * read, so that keys that this daemon does not know stay in the file. Then the keys that it knows get their
 * present values.
 */
#include "config/saveconfig_write.h"

#include <string.h>

#include "config/saveconfig_keys.h"

static JsonNode *write_entry(const struct config_node *node);

/* --- values --- */

static JsonNode *value_of_key(const struct config_key *key, const char *text)
{
	switch (key->form) {
	case CONFIG_KEY_BOOL:
		return json_node_init_boolean(json_node_alloc(), *text && strcmp(text, "0"));
	case CONFIG_KEY_NUMBER:
		return saveconfig_json_from_text(text);
	default:
		return json_node_init_string(json_node_alloc(), text);
	}
}

/*
 * Returns whether the value of the key is written although nobody has set it. As rtslib does, booleans are
 * written, except those of storage objects. Other values are written if the file already has the key.
 */
static bool is_written_if_unset(const struct config_key *key, JsonObject *entry)
{
	return json_object_has_member(entry, key->key) ||
	       (key->form == CONFIG_KEY_BOOL && key->kind != MODEL_STORAGE);
}

/*
 * Returns whether the file must not contain the value. The value was not set by an administrator, and the
 * next start would treat a value in the file as one that an administrator has set.
 */
static bool is_left_out(const struct config_value *value)
{
	return value->attribute->unset && !config_value_is_set(value);
}

/* Writes one key. As rtslib does, it leaves out the key of an empty text, such as the user of an account. */
static void write_key(const struct config_key *key, const struct config_value *value, JsonObject *entry)
{
	if (is_left_out(value)) {
		json_object_remove_member(entry, key->key);
		return;
	}
	if (key->form == CONFIG_KEY_TEXT && !*value->text) {
		/*
		 * While storage is not open, its effective values are unknown, so the file keeps the old one.
		 */
		if (!value->is_unset || !key->effective_name)
			json_object_remove_member(entry, key->key);
		return;
	}
	if (value->is_unset && (key->effective_name ? !strcmp(value->text, value->attribute->fallback)
						    : !is_written_if_unset(key, entry)))
		return;
	json_object_set_member(entry, key->key, value_of_key(key, value->text));
}

static void write_keys(const struct config_node *node, JsonObject *entry)
{
	const struct config_key *key;

	for (unsigned i = 0; (key = config_key_at(node, i)); i++) {
		const struct model_attribute *attribute = config_key_attribute(key);
		const struct config_value *value = attribute ? config_node_value(node, attribute) : NULL;

		if (value && !value->problem)
			write_key(key, value, entry);
	}
}

/*
 * Returns whether the value is written into the group. A value that nobody has set is written, because it
 * equals LIO's default. A value of a storage object that nobody has set is written only if the file already
 * has it, because LIO's default depends on the plugin.
 */
static bool is_wanted(const struct config_node *node, const struct config_value *value, JsonObject *members)
{
	/* A value that was refused stays in the file as it is. */
	if (value->attribute->flags & MODEL_OURS || value->problem || config_plugin_writes(value->attribute))
		return false;
	/* While storage is not open, these values are unknown. */
	if (value->attribute->flags & MODEL_READ_ONLY && (!*value->text || !strcmp(value->text, "0")))
		return false;
	if (value->is_unset && node->kind == MODEL_STORAGE)
		return members && json_object_has_member(members, value->attribute->name);
	return config_attribute_is_saved(value->attribute);
}

/* rtslib writes numbers under "attributes", and text under "parameters". */
static JsonNode *value_in_group(const char *group, const char *text)
{
	return strcmp(group, "attrib") ? json_node_init_string(json_node_alloc(), text)
				       : saveconfig_json_from_text(text);
}

static void write_group(const struct config_node *node, const struct config_group_key *group,
			JsonObject *entry)
{
	JsonObject *members = saveconfig_json_object(entry, group->key);

	for (guint i = 0; i < node->values->len; i++) {
		const struct config_value *value = g_ptr_array_index(node->values, i);

		if (strcmp(value->attribute->group, group->group))
			continue;
		if (members && is_left_out(value))
			json_object_remove_member(members, value->attribute->name);
		if (is_left_out(value) || !is_wanted(node, value, members))
			continue;
		if (!members) {
			members = json_object_new();
			json_object_set_object_member(entry, group->key, members);
		}
		json_object_set_member(members, value->attribute->name,
				       value_in_group(group->group, value->text));
	}
}

/* --- entries --- */

static void write_number(JsonObject *entry, const char *key, const char *name)
{
	json_object_set_int_member(entry, key, (gint64)g_ascii_strtoull(strchr(name, '_') + 1, NULL, 10));
}

static void write_portal_name(const struct config_node *node, JsonObject *entry)
{
	g_autofree char *name = config_portal_lio_name(node->name);
	char *port = strrchr(name, ':');
	const char *old = saveconfig_json_string(entry, "ip_address");
	g_autofree char *old_name = old ? g_strconcat(old, port, NULL) : NULL;
	g_autofree char *canonical = old ? config_portal_name(old_name) : NULL;

	json_object_set_int_member(entry, "port", (gint64)g_ascii_strtoull(port + 1, NULL, 10));
	/* The file may have the same address in another notation, which stays. */
	if (!g_strcmp0(canonical, name))
		return;
	*port = '\0';
	json_object_set_string_member(entry, "ip_address", name);
}

static void write_storage_name(const struct config_node *node, JsonObject *entry)
{
	const char *slash = strchr(node->name, '/');
	g_autofree char *plugin = g_strndup(node->name, (gsize)(slash - node->name));

	json_object_set_string_member(entry, "plugin", plugin);
	json_object_set_string_member(entry, "name", slash + 1);
}

/* Writes a name, unless the file has the same name with other upper and lower case letters. */
static void write_node_name(const struct config_node *node, JsonObject *entry, const char *key)
{
	const char *old = saveconfig_json_string(entry, key);

	if (!old || g_ascii_strcasecmp(old, node->name))
		json_object_set_string_member(entry, key, node->name);
}

static void write_name(const struct config_node *node, JsonObject *entry)
{
	g_autofree char *path = NULL;

	switch (node->kind) {
	case MODEL_STORAGE:
		write_storage_name(node, entry);
		break;
	case MODEL_TARGET:
		json_object_set_string_member(entry, "fabric", "iscsi");
		write_node_name(node, entry, "wwn");
		break;
	case MODEL_TPG:
		write_number(entry, "tag", node->name);
		break;
	case MODEL_PORTAL:
		write_portal_name(node, entry);
		break;
	case MODEL_LUN:
		path = g_strconcat("/backstores/", node->to, NULL);
		write_number(entry, "index", node->name);
		json_object_set_string_member(entry, "storage_object", path);
		break;
	case MODEL_ACL:
		write_node_name(node, entry, "node_wwn");
		break;
	case MODEL_MAPPED_LUN:
		write_number(entry, "index", node->name);
		write_number(entry, "tpg_lun", node->to);
		break;
	default:
		break;
	}
}

/* The lists of a kind's children, in the order of the table in docs/saveconfig.md. */
static const struct {
	enum model_kind parent, kind;
	const char *key;
} lists[] = {
    {MODEL_ROOT, MODEL_STORAGE, "storage_objects"},
    {MODEL_ROOT, MODEL_TARGET, "targets"},
    {MODEL_TARGET, MODEL_TPG, "tpgs"},
    {MODEL_TPG, MODEL_LUN, "luns"},
    {MODEL_TPG, MODEL_PORTAL, "portals"},
    {MODEL_TPG, MODEL_ACL, "node_acls"},
    {MODEL_ACL, MODEL_MAPPED_LUN, "mapped_luns"},
};

static void write_lists(const struct config_node *node, JsonObject *entry)
{
	struct config_node *child;

	for (size_t at = 0; at < G_N_ELEMENTS(lists); at++) {
		if (lists[at].parent != node->kind)
			continue;
		JsonArray *array = json_array_new();

		for (guint i = 0; (child = config_node_child(node, i)); i++)
			if (child->kind == lists[at].kind && !child->is_stray)
				json_array_add_element(array, write_entry(child));
		json_object_set_array_member(entry, lists[at].key, array);
	}
}

/*
 * LIO must not enable a TPG that has a setting which limits access and which LIO lacks. For such a TPG,
 * "enable" is false here, and the value that this daemon uses is under tcmu_runner.
 */
static void write_enable(const struct config_node *tpg, JsonObject *entry)
{
	const struct model_attribute *why;
	bool closed = tpg->closing_reason || saveconfig_needs_ours(tpg, &why);

	/* The file does not say clearly whether it enables the TPG, so its value stays unchanged. */
	if (config_tpg_is_kept_closed(tpg))
		return;
	json_object_set_boolean_member(entry, "enable", tpg->enable && !closed);
}

static JsonObject *write_object(const struct config_node *node, JsonObject *old)
{
	const struct config_group_key *group;
	JsonObject *entry = saveconfig_json_copy(old);

	write_name(node, entry);
	if (node->kind != MODEL_ROOT)
		write_keys(node, entry);
	for (unsigned i = 0; (group = config_group_key_at(i)); i++)
		write_group(node, group, entry);
	if (node->kind == MODEL_STORAGE)
		config_plugin_write(node, entry);
	if (node->kind == MODEL_TPG)
		write_enable(node, entry);
	write_lists(node, entry);
	return entry;
}

static JsonNode *write_entry(const struct config_node *node)
{
	/* An entry that could not be restored stays unchanged. */
	if (node->problem)
		return json_node_copy(node->raw);
	JsonNode *json = json_node_init(json_node_alloc(), JSON_NODE_OBJECT);

	json_node_take_object(json, write_object(node, node->raw ? json_node_get_object(node->raw) : NULL));
	return json;
}

/* --- the file --- */

/* Returns a copy of the entry "iscsi" of the list, or a new entry if the list has none. */
static JsonObject *iscsi_module(JsonArray *modules)
{
	for (guint i = 0; modules && i < json_array_get_length(modules); i++) {
		JsonNode *module = json_array_get_element(modules, i);

		if (JSON_NODE_HOLDS_OBJECT(module) &&
		    !g_strcmp0(saveconfig_json_string(json_node_get_object(module), "name"), "iscsi"))
			return saveconfig_json_copy(json_node_get_object(module));
	}
	JsonObject *module = json_object_new();

	json_object_set_string_member(module, "name", "iscsi");
	return module;
}

/* Returns whether discovery has an account, or had one in the file. */
static bool has_discovery(const struct config_node *root, JsonObject *module)
{
	for (guint i = 0; i < root->values->len; i++)
		if (!((struct config_value *)g_ptr_array_index(root->values, i))->is_unset)
			return true;
	return json_object_get_size(module) > 1;
}

static void write_fabric_modules(const struct config_node *root, JsonObject *file)
{
	JsonNode *member = json_object_get_member(file, "fabric_modules");
	JsonArray *old = member && JSON_NODE_HOLDS_ARRAY(member) ? json_node_get_array(member) : NULL;
	JsonArray *modules = json_array_new();
	g_autoptr(JsonObject) iscsi = iscsi_module(old);

	for (guint i = 0; old && i < json_array_get_length(old); i++) {
		JsonObject *module = json_node_get_object(json_array_get_element(old, i));

		if (g_strcmp0(saveconfig_json_string(module, "name"), "iscsi"))
			json_array_add_object_element(modules, saveconfig_json_copy(module));
	}
	if (has_discovery(root, iscsi)) {
		write_keys(root, iscsi);
		json_array_add_object_element(modules, json_object_ref(iscsi));
	}
	json_object_set_array_member(file, "fabric_modules", modules);
}

void saveconfig_write(const struct config_node *root, struct config_text *text)
{
	g_autoptr(JsonObject) file = write_object(root, root->raw ? json_node_get_object(root->raw) : NULL);

	write_fabric_modules(root, file);
	saveconfig_write_ours(root, file);
	saveconfig_json_print(file, text);
}
