/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes the key tcmu_runner of saveconfig.json. Settings that the daemon could not use stay in the file
 * unchanged. The rest of the file is left to saveconfig_write.c.
 */
#include <string.h>

#include "config/saveconfig_keys.h"
#include "config/saveconfig_numbers.h"
#include "config/saveconfig_ours.h"
#include "config/saveconfig_write.h"

static bool is_ours(const struct config_node *node, const struct config_value *value)
{
	if (value->is_unset || value->problem || !config_attribute_is_saved(value->attribute))
		return false;
	/* An empty list means that there is no limit. It is not written, because a restore refuses it. */
	if (value->attribute->flags & MODEL_RESTRICTS && !*value->text)
		return false;
	/* A restore sets it to 0 unless the file says something else. */
	if (value->attribute == config_storage_create())
		return strcmp(value->text, "0");
	return !config_attribute_is_lio(node, value->attribute) && !config_plugin_has(node, value->attribute);
}

static bool is_restricted(const struct config_value *value)
{
	return value->attribute->flags & MODEL_RESTRICTS &&
	       !config_text_is_same(value->attribute, value->text, value->attribute->fallback);
}

bool saveconfig_needs_ours(const struct config_node *node, const struct model_attribute **why)
{
	struct config_node *child;

	for (guint i = 0; i < node->values->len; i++) {
		const struct config_value *value = g_ptr_array_index(node->values, i);

		if (is_restricted(value)) {
			*why = value->attribute;
			return true;
		}
	}
	for (guint i = 0; (child = config_node_child(node, i)); i++)
		if (!child->problem && saveconfig_needs_ours(child, why))
			return true;
	return false;
}

static JsonNode *list_of(const char *text)
{
	g_auto(GStrv) items = g_strsplit(text, ",", -1);
	JsonArray *array = json_array_new();
	JsonNode *node = json_node_alloc();

	for (char **item = items; *item; item++)
		json_array_add_string_element(array, *item);
	json_node_init_array(node, array);
	json_array_unref(array);
	return node;
}

JsonNode *saveconfig_write_value(const struct model_attribute *attribute, const char *text)
{
	switch (attribute->type) {
	case MODEL_BOOL:
		return json_node_init_boolean(json_node_alloc(), strcmp(text, "0") != 0);
	case MODEL_NUMBER:
		return saveconfig_json_from_text(text);
	default:
		return attribute->flags & MODEL_RESTRICTS ? list_of(text)
							  : json_node_init_string(json_node_alloc(), text);
	}
}

/*
 * Returns a copy of the object's settings in the file without those settings that are written from the tree.
 * The copy keeps values that were refused.
 */
static JsonObject *copy_of_kept_settings(const struct config_node *node)
{
	JsonObject *ours = saveconfig_json_copy(node->ours);

	for (guint i = 0; i < node->values->len; i++) {
		const struct config_value *value = g_ptr_array_index(node->values, i);

		if (!value->problem)
			json_object_remove_member(ours, value->attribute->name);
	}
	for (unsigned kind = MODEL_STORAGE; kind < MODEL_KINDS; kind++)
		if (ours_is_parent(node->kind, kind) && saveconfig_json_object(ours, ours_container(kind)))
			json_object_remove_member(ours, ours_container(kind));
	/* In the settings of another kind of object these keys are not known, and close a TPG. */
	if (node->kind == MODEL_TPG && !config_tpg_is_kept_closed(node) &&
	    (!node->is_enabled_by_user || ours_is_boolean(json_object_get_member(ours, "enable"))))
		json_object_remove_member(ours, "enable");
	if (node->kind == MODEL_PORTAL && ours_is_boolean(json_object_get_member(ours, OURS_DUAL_STACK)))
		json_object_remove_member(ours, OURS_DUAL_STACK);
	if (node->kind == MODEL_STORAGE) {
		json_object_remove_member(ours, OURS_HBA);
		json_object_remove_member(ours, OURS_NAME);
	}
	return ours;
}

static void write_values(const struct config_node *node, JsonObject *ours)
{
	for (guint i = 0; i < node->values->len; i++) {
		const struct config_value *value = g_ptr_array_index(node->values, i);

		if (is_ours(node, value))
			json_object_set_member(ours, value->attribute->name,
					       saveconfig_write_value(value->attribute, value->text));
	}
}

/*
 * Writes the number of the HBA, which is 1 in "user_1/disk". The number is written even if it equals the
 * position among the storage objects of the file, because somebody may insert other storage objects before
 * this one. Also writes the name, if the entry in LIO's part of the file has another name.
 */
static void write_object_name(const struct config_node *node, JsonObject *ours)
{
	const char *name = node->object ? strchr(node->object, '/') : NULL;
	guint number;

	if (!config_object_hba(node->object, &number))
		return;
	json_object_set_int_member(ours, OURS_HBA, number);
	if (strcmp(name, strchr(node->name, '/')) != 0)
		json_object_set_string_member(ours, OURS_NAME, name + 1);
}

/* Returns whether the entry of the file has the key. */
static bool raw_has(const struct config_node *node, const char *key)
{
	return node->raw && JSON_NODE_HOLDS_OBJECT(node->raw) &&
	       json_object_has_member(json_node_get_object(node->raw), key);
}

/*
 * Writes the settings of storage that LIO's keys cannot express: options of a file, and a size that follows
 * the storage.
 */
static void write_storage(const struct config_node *node, JsonObject *ours)
{
	const struct config_value *config = config_node_value(node, config_storage_config());
	g_autoptr(JsonObject) scratch = json_object_new();
	const struct config_key *key;

	write_object_name(node, ours);
	if (config && !config_plugin_write(node, scratch))
		json_object_set_string_member(ours, config->attribute->name, config->text);
	for (unsigned i = 0; (key = config_key_at(node, i)); i++) {
		const struct config_value *value = config_node_value(node, config_key_attribute(key));

		/* If the size is not known now, LIO's part keeps the previous size. */
		if (key->form == CONFIG_KEY_NUMBER && value && value->is_unset &&
		    (strcmp(value->text, value->attribute->fallback) || raw_has(node, key->key)))
			json_object_set_member(ours, value->attribute->name,
					       saveconfig_json_from_text(value->attribute->fallback));
	}
}

static JsonObject *write_settings(const struct config_node *node);

/* Returns the settings of the child if the file had them and they are not a JSON object, otherwise NULL. */
static JsonNode *bad_settings(const struct config_node *child, const char *key)
{
	JsonObject *ours = child->parent->ours;
	JsonObject *container = ours ? saveconfig_json_object(ours, ours_container(child->kind)) : NULL;
	JsonNode *value = container ? json_object_get_member(container, key) : NULL;

	return value && !JSON_NODE_HOLDS_OBJECT(value) ? value : NULL;
}

static void write_child(const struct config_node *child, JsonObject *container)
{
	g_autoptr(JsonObject) settings = write_settings(child);
	g_autofree char *portal =
	    child->kind == MODEL_PORTAL && !child->is_stray ? config_portal_lio_name(child->name) : NULL;
	const char *key = portal ? portal : ours_key_of(child);

	if (!key)
		return;
	bool is_used = child->kind == MODEL_STORAGE && !child->is_stray && !child->problem;
	JsonNode *bad = is_used ? NULL : bad_settings(child, key);

	if (bad)
		json_object_set_member(container, key, json_node_copy(bad));
	else if (json_object_get_size(settings))
		json_object_set_object_member(container, key, json_object_ref(settings));
}

static bool has_refused_disk(const struct config_node *node)
{
	const struct config_node *child;

	for (guint i = 0; (child = config_node_child(node, i)); i++)
		if (child->kind == MODEL_STORAGE && !child->is_stray && child->problem)
			return true;
	return false;
}

/*
 * Writes the settings of the children. If the file has something other than an object in the place of these
 * settings, it stays in the file, because it keeps TPGs disabled, or disks refused.
 */
static void write_children(const struct config_node *node, JsonObject *ours)
{
	struct config_node *child;

	for (unsigned kind = MODEL_STORAGE; kind < MODEL_KINDS; kind++) {
		g_autoptr(JsonObject) container = json_object_new();

		if (json_object_has_member(ours, ours_container(kind)) &&
		    (kind != MODEL_STORAGE || has_refused_disk(node)))
			continue;
		for (guint i = 0; (child = config_node_child(node, i)); i++)
			if (child->kind == kind)
				write_child(child, container);
		if (json_object_get_size(container))
			json_object_set_object_member(ours, ours_container(kind), json_object_ref(container));
	}
}

static bool may_own_stray_settings(const struct config_node *node)
{
	return node->may_own_stray_settings ||
	       (node->kind == MODEL_TPG && node->parent->may_own_stray_settings);
}

/* The settings of an entry that could not be restored are written as they were in the file. */
static JsonObject *write_settings(const struct config_node *node)
{
	const struct model_attribute *why;

	if (node->problem)
		return saveconfig_json_copy(node->ours);
	JsonObject *ours = copy_of_kept_settings(node);

	write_values(node, ours);
	write_children(node, ours);
	if (may_own_stray_settings(node)) {
		json_object_remove_member(ours, "rtpi");
		json_object_remove_member(ours, "enable");
		return ours;
	}
	if (node->kind == MODEL_STORAGE)
		write_storage(node, ours);
	if (node->kind == MODEL_PORTAL && config_portal_is_ipv6_only(node->name) &&
	    !json_object_has_member(ours, OURS_DUAL_STACK))
		json_object_set_boolean_member(ours, OURS_DUAL_STACK, FALSE);
	if (node->kind == MODEL_TPG && !config_tpg_is_kept_closed(node) &&
	    !json_object_has_member(ours, "enable") &&
	    (node->closing_reason || saveconfig_needs_ours(node, &why)))
		json_object_set_boolean_member(ours, "enable", node->enable);
	return ours;
}

void saveconfig_write_ours(const struct config_node *root, JsonObject *file)
{
	g_autoptr(JsonObject) ours = write_settings(root);

	json_object_remove_member(file, OURS_KEY);
	if (!json_object_get_size(ours))
		return;
	json_object_set_int_member(ours, "version", OURS_VERSION);
	json_object_set_object_member(file, OURS_KEY, json_object_ref(ours));
}
