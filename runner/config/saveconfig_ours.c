/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The key tcmu_runner of saveconfig.json: settings that LIO does not have, by storage object, target, TPG
 * and so on (docs/saveconfig.md). Other programs ignore the key, so a TPG that needs one of these settings
 * stands in LIO's part as disabled. This file reads and writes the key; the rest of the file is left to
 * saveconfig_read.c and saveconfig_write.c.
 */
#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "config/saveconfig_keys.h"
#include "config/saveconfig_read.h"
#include "config/saveconfig_write.h"
#include "util/bytes.h"

#define KEY        "tcmu_runner"
#define VERSION    1
#define DUAL_STACK "dual_stack"
#define HBA        "hba"
#define HBA_MAX    0x7fffffff

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

/*
 * Returns the kind of the children whose settings this member of a parent's settings contains, or MODEL_ROOT
 * if it is no such member.
 */
static enum model_kind kind_of_container(enum model_kind parent, const char *member)
{
	for (unsigned kind = MODEL_STORAGE; kind < MODEL_KINDS; kind++)
		if (parents[kind] == parent && !strcmp(containers[kind], member))
			return kind;
	return MODEL_ROOT;
}

/*
 * Returns the name of a child in its container, where numbers stand without "lun_" and "tpgt_". Returns NULL
 * for an entry without a usable number.
 */
static const char *key_of(const struct config_node *node)
{
	static const char *const prefixes[MODEL_KINDS] = {
	    [MODEL_TPG] = "tpgt_", [MODEL_LUN] = "lun_", [MODEL_MAPPED_LUN] = "lun_"};
	const char *prefix = prefixes[node->kind];

	if (!prefix)
		return node->name;
	return g_str_has_prefix(node->name, prefix) ? node->name + strlen(prefix) : NULL;
}

/* --- reading --- */

static void close_tpg(struct config_node *tpg, const char *reason)
{
	tpg->is_unusable = true;
	if (!tpg->closed)
		tpg->closed = g_strdup(reason);
}

static void close_tpgs(struct config_node *target, const char *reason)
{
	struct config_node *tpg;

	for (guint i = 0; (tpg = config_node_child(target, i)); i++)
		close_tpg(tpg, reason);
}

/*
 * Notes that a setting of the node cannot be used. Because the setting may have limited access, the TPG to
 * which it belongs, or all TPGs of the target, stay disabled.
 */
static void complain(GPtrArray *notes, struct config_node *node, const char *format, ...) G_GNUC_PRINTF(3, 4);
static void complain(GPtrArray *notes, struct config_node *node, const char *format, ...)
{
	struct config_node *tpg = node;
	va_list args;

	va_start(args, format);
	g_autofree char *what = g_strdup_vprintf(format, args);

	va_end(args);
	g_autofree char *reason = g_strdup_printf("its settings under \"" KEY "\" cannot be used: %s", what);
	saveconfig_note(notes, node, "%s", reason);
	while (tpg && tpg->kind != MODEL_TPG)
		tpg = tpg->parent;
	if (tpg)
		close_tpg(tpg, reason);
	if (node->kind == MODEL_TARGET)
		close_tpgs(node, reason);
}

/* None of the targets has the settings that may limit the access to it. */
static void close_targets(const struct config_node *root, const char *reason)
{
	struct config_node *child;

	for (guint i = 0; (child = config_node_child(root, i)); i++)
		if (child->kind == MODEL_TARGET)
			close_tpgs(child, reason);
}

static void read_settings(struct config_node *node, JsonObject *ours, GPtrArray *notes);

static struct config_node *find_child(const struct config_node *parent, enum model_kind kind, const char *key)
{
	struct config_node *child;

	for (guint i = 0; (child = config_node_child(parent, i)); i++)
		if (child->kind == kind && !child->problem && !g_ascii_strcasecmp(key_of(child), key))
			return child;
	return NULL;
}

static void read_container(struct config_node *parent, enum model_kind kind, JsonNode *value,
			   GPtrArray *notes)
{
	if (!JSON_NODE_HOLDS_OBJECT(value)) {
		complain(notes, parent, "\"%s\" is not an object", containers[kind]);
		if (kind == MODEL_TARGET)
			close_targets(parent, "\"targets\" under \"" KEY "\" is not an object");
		return;
	}
	JsonObject *container = json_node_get_object(value);
	g_autoptr(GList) keys = json_object_get_members(container);

	for (GList *key = keys; key; key = key->next) {
		struct config_node *child = find_child(parent, kind, key->data);
		JsonObject *settings = saveconfig_json_object(container, key->data);

		if (!child)
			saveconfig_note(notes, parent,
					"%s \"%s\" has settings under \"" KEY "\", and does not exist",
					model_kind_name(kind), (const char *)key->data);
		else if (!settings)
			complain(notes, child, "they are not an object");
		else
			read_settings(child, settings, notes);
	}
}

static bool is_boolean(JsonNode *value)
{
	g_autofree char *text = value ? saveconfig_json_text(value) : NULL;

	return text && (!strcmp(text, "0") || !strcmp(text, "1"));
}

/* The member "enable" of a TPG, or "dual_stack" of a portal. */
static void read_flag(struct config_node *node, const char *member, JsonNode *value, GPtrArray *notes)
{
	g_autofree char *text = saveconfig_json_text(value);

	if (!is_boolean(value))
		complain(notes, node, "\"%s\" is neither true nor false", member);
	else if (node->kind == MODEL_TPG)
		node->enable = *text == '1';
	else if (*text == '1')
		config_node_set_dual_stack(node);
}

/* An empty list of addresses would mean that none is allowed, which no value of the attribute expresses. */
static void read_setting(struct config_node *node, const struct model_attribute *attribute, JsonNode *value)
{
	saveconfig_read_value(node, attribute, value);
	if (JSON_NODE_HOLDS_ARRAY(value) && !json_array_get_length(json_node_get_array(value)))
		config_set_text(&config_node_value(node, attribute)->problem, "the list is empty");
}

bool saveconfig_read_hba(const struct config_node *storage, guint *number)
{
	guint64 value;

	if (!storage->ours || !saveconfig_json_number(storage->ours, HBA, HBA_MAX, &value))
		return false;
	*number = (guint)value;
	return true;
}

static void read_hba(struct config_node *storage, GPtrArray *notes)
{
	guint number;

	if (!saveconfig_read_hba(storage, &number))
		complain(notes, storage, "\"" HBA "\" is not a number");
}

static void read_member(struct config_node *node, const char *member, JsonNode *value, GPtrArray *notes)
{
	enum model_kind kind = kind_of_container(node->kind, member);
	const struct model_attribute *attribute = config_attribute_named(node->kind, member);

	if (kind != MODEL_ROOT)
		read_container(node, kind, value, notes);
	else if (node->kind == MODEL_TPG && !strcmp(member, "enable"))
		read_flag(node, member, value, notes);
	else if (node->kind == MODEL_PORTAL && !strcmp(member, DUAL_STACK))
		read_flag(node, member, value, notes);
	else if (node->kind == MODEL_STORAGE && !strcmp(member, HBA))
		read_hba(node, notes);
	else if (attribute)
		read_setting(node, attribute, value);
	else if (node->parent || strcmp(member, "version"))
		complain(notes, node, "\"%s\" is not known", member);
}

static void read_settings(struct config_node *node, JsonObject *ours, GPtrArray *notes)
{
	g_autoptr(GList) members = json_object_get_members(ours);

	node->ours = json_object_ref(ours);
	for (GList *member = members; member; member = member->next)
		read_member(node, member->data, json_object_get_member(ours, member->data), notes);
}

/* LIO's portal [::] takes IPv4 connections, too, and so does ours unless the file says that it does not. */
static void set_dual_stack(struct config_node *node)
{
	struct config_node *child;

	if (node->kind == MODEL_PORTAL && !node->problem &&
	    !(node->ours && json_object_has_member(node->ours, DUAL_STACK)))
		config_node_set_dual_stack(node);
	for (guint i = 0; (child = config_node_child(node, i)); i++)
		set_dual_stack(child);
}

static int read_ours(struct config_node *root, GPtrArray *notes, struct error *error)
{
	JsonObject *file = json_node_get_object(root->raw);
	JsonObject *ours = saveconfig_json_object(file, KEY);
	guint64 version;

	if (!json_object_has_member(file, KEY))
		return 0;
	if (!ours)
		return error_set(error, EINVAL, "\"" KEY "\" is not an object");
	if (!saveconfig_json_number(ours, "version", G_MAXUINT32, &version) || version != VERSION)
		return error_set(error, EINVAL,
				 "\"version\" under \"" KEY
				 "\" is not %d; the file was written by another version "
				 "of tcmu-runner",
				 VERSION);
	read_settings(root, ours, notes);
	return 0;
}

int saveconfig_read_ours(struct config_node *root, GPtrArray *notes, struct error *error)
{
	int err = read_ours(root, notes, error);

	if (!err)
		set_dual_stack(root);
	return err;
}

/* --- writing --- */

static bool is_ours(const struct config_node *node, const struct config_value *value)
{
	if (value->is_shown || value->problem || !config_attribute_is_saved(value->attribute))
		return false;
	/* Without a limit there is no list: an empty one is refused when the file is read. */
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

static bool is_kept_closed(const struct config_node *node)
{
	return node->kind == MODEL_TPG && node->closed && node->is_unusable && !node->is_opened;
}

/*
 * Returns the settings that the file had, without those that are written again. A value that was refused
 * stays unchanged.
 */
static JsonObject *start(const struct config_node *node)
{
	JsonObject *ours = saveconfig_json_copy(node->ours);

	for (guint i = 0; i < node->values->len; i++) {
		const struct config_value *value = g_ptr_array_index(node->values, i);

		if (!value->problem)
			json_object_remove_member(ours, value->attribute->name);
	}
	for (unsigned kind = MODEL_STORAGE; kind < MODEL_KINDS; kind++)
		if (parents[kind] == node->kind && saveconfig_json_object(ours, containers[kind]))
			json_object_remove_member(ours, containers[kind]);
	if (!is_kept_closed(node) && (!node->is_opened || is_boolean(json_object_get_member(ours, "enable"))))
		json_object_remove_member(ours, "enable");
	if (is_boolean(json_object_get_member(ours, DUAL_STACK)))
		json_object_remove_member(ours, DUAL_STACK);
	json_object_remove_member(ours, HBA);
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

/* The number in "user_1/disk" stands in the file if it is not the place among the file's storage objects. */
static void write_hba(const struct config_node *node, JsonObject *ours)
{
	const char *digits = node->object ? strpbrk(node->object, "0123456789/") : NULL;
	const struct config_node *child;
	guint64 place = 0;

	if (!digits || *digits == '/')
		return;
	for (guint i = 0; (child = config_node_child(node->parent, i)) && child != node; i++)
		place += child->kind == MODEL_STORAGE;
	guint64 number = g_ascii_strtoull(digits, NULL, 10);

	if (number != place)
		json_object_set_int_member(ours, HBA, (gint64)number);
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

	write_hba(node, ours);
	if (config && !config_plugin_write(node, scratch))
		json_object_set_string_member(ours, config->attribute->name, config->text);
	for (unsigned i = 0; (key = config_key_at(node, i)); i++) {
		const struct config_value *value = config_node_value(node, config_key_attribute(key));

		if (key->form == CONFIG_KEY_NUMBER && value && value->is_shown &&
		    strcmp(value->text, value->attribute->fallback))
			json_object_set_member(ours, value->attribute->name,
					       saveconfig_json_from_text(value->attribute->fallback));
	}
}

static JsonObject *write_settings(const struct config_node *node);

/* Returns the settings of the child if they stood in the file and are no object, otherwise NULL. */
static JsonNode *bad_settings(const struct config_node *child, const char *key)
{
	JsonObject *ours = child->parent->ours;
	JsonObject *container = ours ? saveconfig_json_object(ours, containers[child->kind]) : NULL;
	JsonNode *value = container ? json_object_get_member(container, key) : NULL;

	return value && !JSON_NODE_HOLDS_OBJECT(value) ? value : NULL;
}

static void write_child(const struct config_node *child, JsonObject *container)
{
	g_autoptr(JsonObject) settings = write_settings(child);
	g_autofree char *portal = child->kind == MODEL_PORTAL ? config_portal_lio_name(child->name) : NULL;
	const char *key = portal ? portal : key_of(child);

	if (!key)
		return;
	JsonNode *bad = child->kind == MODEL_STORAGE ? NULL : bad_settings(child, key);

	if (bad)
		json_object_set_member(container, key, json_node_copy(bad));
	else if (json_object_get_size(settings))
		json_object_set_object_member(container, key, json_object_ref(settings));
}

/*
 * Settings that cannot be understood stay in the file, because they close TPGs. Those of storage do not, and
 * are replaced.
 */
static void write_children(const struct config_node *node, JsonObject *ours)
{
	struct config_node *child;

	for (unsigned kind = MODEL_STORAGE; kind < MODEL_KINDS; kind++) {
		g_autoptr(JsonObject) container = json_object_new();

		if (kind != MODEL_STORAGE && json_object_has_member(ours, containers[kind]))
			continue;
		for (guint i = 0; (child = config_node_child(node, i)); i++)
			if (child->kind == kind)
				write_child(child, container);
		if (json_object_get_size(container))
			json_object_set_object_member(ours, containers[kind], json_object_ref(container));
	}
}

/* The settings of an entry that could not be restored stay as they were. */
static JsonObject *write_settings(const struct config_node *node)
{
	const struct model_attribute *why;

	if (node->problem)
		return saveconfig_json_copy(node->ours);
	JsonObject *ours = start(node);

	write_values(node, ours);
	write_children(node, ours);
	if (node->kind == MODEL_STORAGE)
		write_storage(node, ours);
	if (node->kind == MODEL_PORTAL && config_portal_is_ipv6_only(node->name) &&
	    !json_object_has_member(ours, DUAL_STACK))
		json_object_set_boolean_member(ours, DUAL_STACK, FALSE);
	if (node->kind == MODEL_TPG && !is_kept_closed(node) && !json_object_has_member(ours, "enable") &&
	    (node->closed || saveconfig_needs_ours(node, &why)))
		json_object_set_boolean_member(ours, "enable", node->enable);
	return ours;
}

void saveconfig_write_ours(const struct config_node *root, JsonObject *file)
{
	g_autoptr(JsonObject) ours = write_settings(root);

	json_object_remove_member(file, KEY);
	if (!json_object_get_size(ours))
		return;
	json_object_set_int_member(ours, "version", VERSION);
	json_object_set_object_member(file, KEY, json_object_ref(ours));
}
