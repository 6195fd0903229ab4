/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads the part of saveconfig.json that rtslib-fb knows: lists of entries, each of which becomes a node with
 * values. An entry that cannot be used becomes a node with a problem. Whether the values are valid is left to
 * the model.
 */
#include "config/saveconfig_read.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "config/saveconfig_keys.h"
#include "config/saveconfig_secrets.h"
#include "model/name.h"
#include "util/bytes.h"

struct reader {
	const struct saveconfig_json *json;
	GPtrArray *notes;
};

/* A list of entries of one kind. */
struct entry_list {
	enum model_kind kind;
	const char *key;
	/* Returns the name of the node, or NULL with error set. The caller frees the name. */
	char *(*name)(JsonObject *entry, struct error *error);
	/* Reads keys that only this kind has; NULL if there are no such keys. */
	int (*read)(struct reader *reader, struct config_node *node, JsonObject *entry, struct error *error);
};

static int read_lists(struct reader *reader, struct config_node *node, JsonObject *entry,
		      struct error *error);

void saveconfig_note(GPtrArray *notes, const struct config_node *node, const char *format, ...)
{
	va_list args;

	if (!notes)
		return;
	va_start(args, format);
	g_autofree char *text = g_strdup_vprintf(format, args);

	va_end(args);
	/* The root has no place, because it represents the whole file. */
	g_ptr_array_add(notes, node->place ? g_strdup_printf("line %u, %s: %s", node->line, node->place, text)
					   : g_strdup_printf("line %u: %s", node->line, text));
}

/* --- names --- */

static char *refuse(struct error *error, const char *format, ...) G_GNUC_PRINTF(2, 3);
static char *refuse(struct error *error, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	g_vsnprintf(error->text, sizeof(error->text), format, args);
	va_end(args);
	return NULL;
}

static char *read_storage_name(JsonObject *entry, struct error *error)
{
	const char *plugin = saveconfig_json_string(entry, "plugin");
	const char *name = saveconfig_json_string(entry, "name");

	if (!plugin || !config_plugin_folder(plugin))
		return refuse(error, "\"plugin\" is '%s'; use user, fileio, block or ramdisk",
			      plugin ? plugin : "");
	if (!name || !*name || strpbrk(name, "/ \t\n"))
		return refuse(error, "\"name\" is empty, or contains a slash or a blank");
	return g_strconcat(plugin, "/", name, NULL);
}

static char *node_name(const char *key, JsonObject *entry, struct error *error)
{
	const char *wwn = saveconfig_json_string(entry, key);
	char name[MODEL_NAME_SIZE];

	if (!wwn)
		return refuse(error, "\"%s\" is missing", key);
	if (!model_name_copy(name, wwn))
		return refuse(error, "\"%s\" '%s' %s", key, wwn, model_name_fault(wwn));
	return g_strdup(name);
}

static char *target_name(JsonObject *entry, struct error *error)
{
	const char *fabric = saveconfig_json_string(entry, "fabric");

	if (g_strcmp0(fabric, "iscsi"))
		return refuse(error,
			      "\"fabric\" is '%s'; this daemon serves 'iscsi', and the kernel the others",
			      fabric ? fabric : "");
	return node_name("wwn", entry, error);
}

static char *acl_name(JsonObject *entry, struct error *error)
{
	return node_name("node_wwn", entry, error);
}

static char *numbered_name(const char *format_prefix, const char *key, guint64 max, JsonObject *entry,
			   struct error *error)
{
	guint64 number;

	if (!saveconfig_json_number(entry, key, max, &number))
		return refuse(error, "\"%s\" is not a number from 0 to %" G_GUINT64_FORMAT, key, max);
	return g_strdup_printf("%s%" G_GUINT64_FORMAT, format_prefix, number);
}

static char *tpg_name(JsonObject *entry, struct error *error)
{
	return numbered_name("tpgt_", "tag", MODEL_TAG_MAX, entry, error);
}

static char *lun_name(JsonObject *entry, struct error *error)
{
	return numbered_name("lun_", "index", MODEL_LUN_MAX, entry, error);
}

static char *portal_name(JsonObject *entry, struct error *error)
{
	const char *address = saveconfig_json_string(entry, "ip_address");
	guint64 port;

	if (!address || !*address)
		return refuse(error, "\"ip_address\" is missing");
	if (!saveconfig_json_number(entry, "port", 65535, &port))
		return refuse(error, "\"port\" is not a number from 0 to 65535");
	g_autofree char *name = g_strdup_printf("%s:%" G_GUINT64_FORMAT, address, port);

	return config_portal_name(name);
}

/* --- values --- */

void saveconfig_refuse_value(struct config_value *value, const char *problem)
{
	config_set_text(&value->problem, "%s", problem);
	value->is_unreadable = true;
}

void saveconfig_read_value(struct config_node *node, const struct model_attribute *attribute, JsonNode *json)
{
	g_autofree char *text = saveconfig_json_text(json);
	struct config_value *value =
	    config_node_set(node, attribute, text ? config_text_in_tree(attribute, text) : "");

	if (!text)
		saveconfig_refuse_value(value, "it is neither text nor a number");
}

static void read_keys(struct config_node *node, JsonObject *entry)
{
	const struct config_key *key;

	for (unsigned i = 0; (key = config_key_at(node, i)); i++) {
		const struct model_attribute *attribute = config_key_attribute(key);
		JsonNode *value = json_object_get_member(entry, key->key);

		if (attribute && value && !JSON_NODE_HOLDS_NULL(value))
			saveconfig_read_value(node, attribute, value);
	}
}

static void read_group(struct reader *reader, struct config_node *node, JsonObject *members,
		       const char *group)
{
	g_autoptr(GList) names = json_object_get_members(members);

	for (GList *name = names; name; name = name->next) {
		const struct model_attribute *attribute = model_attribute(node->kind, group, name->data);

		if (attribute && config_attribute_is_saved(attribute))
			saveconfig_read_value(node, attribute, json_object_get_member(members, name->data));
		else if (!attribute)
			saveconfig_note(reader->notes, node, "%s is kept, and has no effect here",
					(const char *)name->data);
	}
}

static int read_values(struct reader *reader, struct config_node *node, JsonObject *entry,
		       struct error *error)
{
	const struct config_group_key *group;

	read_keys(node, entry);
	for (unsigned i = 0; (group = config_group_key_at(i)); i++) {
		JsonObject *members = saveconfig_json_object(entry, group->key);

		if (members)
			read_group(reader, node, members, group->group);
		else if (json_object_has_member(entry, group->key))
			return error_set(error, EINVAL, "\"%s\" is not an object", group->key);
	}
	return 0;
}

/* --- keys that only one kind has --- */

/*
 * Notes target port groups whose state in the file is not active/optimized (SPC-4 6.37). In such a state, LIO
 * refuses or delays commands.
 */
static void note_port_groups(struct reader *reader, const struct config_node *node, JsonObject *entry)
{
	JsonNode *member = json_object_get_member(entry, "alua_tpgs");
	JsonArray *groups = member && JSON_NODE_HOLDS_ARRAY(member) ? json_node_get_array(member) : NULL;

	for (guint i = 0; groups && i < json_array_get_length(groups); i++) {
		JsonNode *group = json_array_get_element(groups, i);
		guint64 state = 0;

		if (JSON_NODE_HOLDS_OBJECT(group))
			saveconfig_json_number(json_node_get_object(group), "alua_access_state", 15, &state);
		if (state)
			saveconfig_note(
			    reader->notes, node,
			    "the ALUA state of alua_tpgs[%u] is kept, and has no effect here: the "
			    "disk is active/optimized at each port",
			    i);
	}
}

static int read_storage(struct reader *reader, struct config_node *node, JsonObject *entry,
			struct error *error)
{
	note_port_groups(reader, node, entry);
	/* A missing file must not be created, because its file system is probably not mounted. */
	config_node_set(node, config_storage_create(), "0");
	return config_plugin_read(node, entry, error);
}

static int read_tpg(struct reader *reader, struct config_node *node, JsonObject *entry, struct error *error)
{
	JsonNode *enable = json_object_get_member(entry, "enable");
	g_autofree char *text = enable ? saveconfig_json_text(enable) : g_strdup("1");

	(void)reader;
	if (!text)
		return error_set(error, EINVAL, "\"enable\" is neither true nor false");
	node->enable = *text && strcmp(text, "0");
	return 0;
}

static int read_lun(struct reader *reader, struct config_node *node, JsonObject *entry, struct error *error)
{
	const char *path = saveconfig_json_string(entry, "storage_object");
	const char *object =
	    path && g_str_has_prefix(path, "/backstores/") ? path + strlen("/backstores/") : "";

	(void)reader;
	if (!strchr(object, '/') || strchr(object, '/') != strrchr(object, '/'))
		return error_set(error, EINVAL, "\"storage_object\" is not /backstores/PLUGIN/NAME");
	node->to = g_strdup(object);
	return 0;
}

static int read_mapped_lun(struct reader *reader, struct config_node *node, JsonObject *entry,
			   struct error *error)
{
	(void)reader;
	node->to = numbered_name("lun_", "tpg_lun", MODEL_LUN_MAX, entry, error);
	return node->to ? 0 : -EINVAL;
}

/* --- lists --- */

static const struct entry_list root_lists[] = {
    {MODEL_STORAGE, "storage_objects", read_storage_name, read_storage},
    {MODEL_TARGET, "targets", target_name, NULL},
    {0},
};
static const struct entry_list target_lists[] = {{MODEL_TPG, "tpgs", tpg_name, read_tpg}, {0}};
static const struct entry_list tpg_lists[] = {
    {MODEL_PORTAL, "portals", portal_name, NULL},
    {MODEL_LUN, "luns", lun_name, read_lun},
    {MODEL_ACL, "node_acls", acl_name, NULL},
    {0},
};
static const struct entry_list acl_lists[] = {{MODEL_MAPPED_LUN, "mapped_luns", lun_name, read_mapped_lun},
					      {0}};
static const struct entry_list *const lists_of[MODEL_KINDS] = {
    [MODEL_ROOT] = root_lists,
    [MODEL_TARGET] = target_lists,
    [MODEL_TPG] = tpg_lists,
    [MODEL_ACL] = acl_lists,
};

static struct config_node *bad_entry(struct config_node *parent, const struct entry_list *list,
				     const char *place, const char *problem)
{
	struct config_node *node = config_node_new(parent, list->kind, place);

	node->problem = g_strdup(problem);
	node->is_permanent = true;
	return node;
}

static void set_ambiguous(struct config_node *node, const char *other)
{
	/* If there are more than two such entries, the message of the first one names the second one. */
	if (!node->is_ambiguous)
		config_set_text(&node->problem,
				"%s has the same name, and may contradict this entry; remove one of the two",
				other);
	node->is_ambiguous = true;
	node->is_permanent = true;
}

/* Handles a second entry with the same name. It is not known which one is valid, so none of them is used. */
static struct config_node *ambiguous_entry(struct config_node *first, const struct entry_list *list,
					   const char *place)
{
	struct config_node *node = bad_entry(first->parent, list, place, "");

	set_ambiguous(first, place);
	set_ambiguous(node, first->place);
	return node;
}

/* Creates the node of an entry. If the entry has no usable name, the node has a problem. */
static struct config_node *new_node(struct config_node *parent, const struct entry_list *list, JsonNode *raw,
				    const char *place)
{
	struct error error;

	if (!JSON_NODE_HOLDS_OBJECT(raw))
		return bad_entry(parent, list, place, "it is not an object");
	g_autofree char *name = list->name(json_node_get_object(raw), &error);

	if (!name)
		return bad_entry(parent, list, place, error.text);
	struct config_node *same = config_node_find(parent, list->kind, name);

	return same ? ambiguous_entry(same, list, place) : config_node_new(parent, list->kind, name);
}

static void read_entry(struct reader *reader, struct config_node *parent, const struct entry_list *list,
		       JsonNode *raw, guint i)
{
	g_autofree char *place = parent->place ? g_strdup_printf("%s.%s[%u]", parent->place, list->key, i)
					       : g_strdup_printf("%s[%u]", list->key, i);
	struct config_node *node = new_node(parent, list, raw, place);
	struct error error;

	node->place = g_steal_pointer(&place);
	node->raw = json_node_ref(raw);
	node->line = parent->line;
	if (!JSON_NODE_HOLDS_OBJECT(raw))
		return;
	JsonObject *entry = json_node_get_object(raw);

	node->line = saveconfig_json_line(reader->json, entry);
	if (node->problem)
		return;
	int err = read_values(reader, node, entry, &error);

	if (!err && list->read)
		err = list->read(reader, node, entry, &error);
	if (!err)
		err = read_lists(reader, node, entry, &error);
	if (err) {
		node->problem = g_strdup(error.text);
		node->is_permanent = true;
	}
}

static int read_lists(struct reader *reader, struct config_node *node, JsonObject *entry, struct error *error)
{
	for (const struct entry_list *list = lists_of[node->kind]; list && list->key; list++) {
		JsonNode *member = json_object_get_member(entry, list->key);

		if (!member || JSON_NODE_HOLDS_NULL(member))
			continue;
		if (!JSON_NODE_HOLDS_ARRAY(member))
			return error_set(error, EINVAL, "\"%s\" is not a list", list->key);
		JsonArray *array = json_node_get_array(member);

		for (guint i = 0; i < json_array_get_length(array); i++)
			read_entry(reader, node, list, json_array_get_element(array, i), i);
	}
	return 0;
}

/* --- the file --- */

/* Reads the account of discovery, which is in the entry "iscsi" of "fabric_modules". */
static int read_fabric_modules(struct config_node *root, JsonObject *entry, struct error *error)
{
	JsonNode *member = json_object_get_member(entry, "fabric_modules");

	if (!member || JSON_NODE_HOLDS_NULL(member))
		return 0;
	if (!JSON_NODE_HOLDS_ARRAY(member))
		return error_set(error, EINVAL, "\"fabric_modules\" is not a list");
	JsonArray *array = json_node_get_array(member);
	bool is_found = false;

	for (guint i = 0; i < json_array_get_length(array); i++) {
		JsonNode *module = json_array_get_element(array, i);

		if (!JSON_NODE_HOLDS_OBJECT(module))
			return error_set(error, EINVAL, "fabric_modules[%u] is not an object", i);
		if (g_strcmp0(saveconfig_json_string(json_node_get_object(module), "name"), "iscsi"))
			continue;
		if (is_found)
			return error_set(error, EINVAL, "\"fabric_modules\" has two entries \"iscsi\"");
		read_keys(root, json_node_get_object(module));
		is_found = true;
	}
	return 0;
}

struct config_node *saveconfig_read_nothing(void)
{
	return config_node_new(NULL, MODEL_ROOT, "");
}

struct config_node *saveconfig_read(const char *name, const char *text, gsize len, GPtrArray *notes,
				    struct error *error)
{
	struct config_node *root = saveconfig_read_nothing();
	struct saveconfig_json json;
	struct reader reader = {&json, notes};
	int err = saveconfig_json_parse(&json, text, len, error);

	if (!err) {
		JsonObject *entry = json_node_get_object(json.root);

		root->raw = json_node_ref(json.root);
		root->line = saveconfig_json_line(&json, entry);
		err = read_fabric_modules(root, entry, error);
		if (!err)
			err = read_lists(&reader, root, entry, error);
		if (!err)
			err = saveconfig_read_ours(root, &json, notes, error);
		saveconfig_json_free(&json);
	}
	if (!err)
		return root;
	error_prefix(error, err, "%s cannot be used", name);
	config_node_free(root);
	return NULL;
}
