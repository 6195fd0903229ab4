/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads the key tcmu_runner of saveconfig.json into the nodes of the tree. Settings that cannot be used, or
 * that belong to an object which the file does not have, may limit access. So that nobody gets more access
 * than the user wanted to give, the TPGs for which they may be meant stay disabled. The rest of the file is
 * left to saveconfig_read.c.
 */
#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "config/saveconfig_keys.h"
#include "config/saveconfig_ours.h"
#include "config/saveconfig_read.h"

#define HBA_MAX 0x7fffffff

struct reader {
	const struct saveconfig_json *json;
	GPtrArray *notes;
};

/*
 * Returns the kind of the children whose settings this member of a parent's settings contains, or MODEL_ROOT
 * if the member contains no such settings.
 */
static enum model_kind kind_of_container(enum model_kind parent, const char *member)
{
	for (unsigned kind = MODEL_STORAGE; kind < MODEL_KINDS; kind++)
		if (ours_is_parent(parent, kind) && !strcmp(ours_container(kind), member))
			return kind;
	return MODEL_ROOT;
}

static void close_tpg(struct config_node *tpg, const char *reason)
{
	tpg->is_permanent = true;
	if (!tpg->closing_reason)
		tpg->closing_reason = g_strdup(reason);
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
static void refuse_setting(GPtrArray *notes, struct config_node *node, const char *format, ...)
    G_GNUC_PRINTF(3, 4);
static void refuse_setting(GPtrArray *notes, struct config_node *node, const char *format, ...)
{
	struct config_node *tpg = node;
	va_list args;

	va_start(args, format);
	g_autofree char *what = g_strdup_vprintf(format, args);

	va_end(args);
	g_autofree char *reason =
	    g_strdup_printf("its settings under \"" OURS_KEY "\" cannot be used: %s", what);
	saveconfig_note(notes, node, "%s", reason);
	while (tpg && tpg->kind != MODEL_TPG)
		tpg = tpg->parent;
	if (tpg)
		close_tpg(tpg, reason);
	if (node->kind == MODEL_TARGET)
		close_tpgs(node, reason);
}

/* Closes all TPGs, because the settings that may limit the access to them cannot be read. */
static void close_targets(const struct config_node *root, const char *reason)
{
	struct config_node *child;

	for (guint i = 0; (child = config_node_child(root, i)); i++)
		if (child->kind == MODEL_TARGET)
			close_tpgs(child, reason);
}

/* --- settings of objects that the file does not have --- */

/* Returns the place of the node's settings in the file, such as tcmu_runner.targets["iqn..."].tpgs["1"]. */
static char *place_of_settings(const struct config_node *node)
{
	if (!node->parent)
		return g_strdup(OURS_KEY);
	g_autofree char *parent = place_of_settings(node->parent);

	return g_strdup_printf("%s.%s[\"%s\"]", parent, ours_container(node->kind), ours_key_of(node));
}

static bool limits_access(enum model_kind kind, const char *member, JsonNode *value);

/* Returns whether these settings of an object of this kind may allow less than the defaults do. */
static bool settings_limit_access(enum model_kind kind, JsonNode *settings)
{
	if (!JSON_NODE_HOLDS_OBJECT(settings))
		return true;
	JsonObject *ours = json_node_get_object(settings);
	g_autoptr(GList) members = json_object_get_members(ours);

	for (GList *member = members; member; member = member->next)
		if (limits_access(kind, member->data, json_object_get_member(ours, member->data)))
			return true;
	return false;
}

static bool container_limits_access(enum model_kind kind, JsonNode *value)
{
	if (!JSON_NODE_HOLDS_OBJECT(value))
		return true;
	g_autoptr(GList) all = json_object_get_values(json_node_get_object(value));

	for (GList *settings = all; settings; settings = settings->next)
		if (settings_limit_access(kind, settings->data))
			return true;
	return false;
}

static bool limits_access(enum model_kind kind, const char *member, JsonNode *value)
{
	enum model_kind children = kind_of_container(kind, member);
	const struct model_attribute *attribute = config_attribute_named(kind, member);
	g_autofree char *text = saveconfig_json_text(value);

	if (children != MODEL_ROOT)
		return container_limits_access(children, value);
	if (kind == MODEL_STORAGE)
		return attribute == config_storage_read_only() && g_strcmp0(text, "0");
	if ((kind == MODEL_TPG && !strcmp(member, "enable")) ||
	    (kind == MODEL_PORTAL && !strcmp(member, OURS_DUAL_STACK)))
		return g_strcmp0(text, "1");
	return !attribute || attribute->flags & MODEL_RESTRICTS;
}

static void refuse_storage(struct config_node *storage, const char *reason)
{
	if (!storage->problem)
		config_set_text(&storage->problem, "%s", reason);
	storage->is_permanent = true;
	storage->is_ambiguous = true;
}

static void close_object(struct config_node *node, const char *reason)
{
	if (node->kind == MODEL_STORAGE)
		refuse_storage(node, reason);
	else if (node->kind == MODEL_TARGET)
		close_tpgs(node, reason);
	else
		for (; node; node = node->parent)
			if (node->kind == MODEL_TPG)
				close_tpg(node, reason);
}

/*
 * Closes each object of the same kind and parent that has no settings, because the stray settings may be
 * meant for it. If the settings are for an object below a TPG, the whole TPG is closed.
 */
static void close_candidates(struct config_node *stray)
{
	g_autofree char *reason = g_strdup_printf("%s limits access, and the file has no such %s; it may be "
						  "meant for this one, which has no settings "
						  "there. Correct the name, or remove the settings",
						  stray->place, model_kind_name(stray->kind));
	struct config_node *child;

	if (stray->kind != MODEL_STORAGE && stray->kind != MODEL_TARGET && stray->kind != MODEL_TPG)
		close_object(stray, reason);
	for (guint i = 0; (child = config_node_child(stray->parent, i)); i++)
		if (child->kind == stray->kind && !child->is_stray && !child->ours) {
			close_object(child, reason);
			child->may_own_stray_settings = true;
		}
}

/*
 * Adds a stray node for the settings with this key. same is the object that already has settings, because the
 * key is another spelling of its name; or NULL, if the file has no such object.
 */
static void add_stray(struct reader *reader, struct config_node *parent, enum model_kind kind,
		      const char *key, JsonObject *container, struct config_node *same)
{
	g_autofree char *name = g_strconcat(ours_prefix(kind), key, NULL);
	struct config_node *stray = config_node_new_stray(parent, kind, name);
	JsonObject *settings = saveconfig_json_object(container, key);

	stray->ours = settings ? json_object_ref(settings) : NULL;
	stray->place = place_of_settings(stray);
	stray->line = saveconfig_json_line(reader->json, settings ? settings : container);
	stray->is_permanent = true;
	if (same) {
		config_set_text(
		    &stray->problem,
		    "the file also has settings of the same %s under another spelling of its name; "
		    "remove one of the two",
		    model_kind_name(kind));
		g_autofree char *reason = g_strdup_printf("%s: %s", stray->place, stray->problem);

		close_object(same, reason);
		return;
	}
	config_set_text(
	    &stray->problem,
	    "the file has no such %s, so its settings have no effect; correct the name, or remove "
	    "the settings",
	    model_kind_name(kind));
}

/* --- settings --- */

static void read_settings(struct reader *reader, struct config_node *node, JsonObject *ours);

/* Finds the child for a key. The names of all kinds except storage objects can be spelled in several ways. */
static struct config_node *find_child(const struct config_node *parent, enum model_kind kind, const char *key)
{
	g_autofree char *usual = kind == MODEL_PORTAL    ? config_portal_name(key)
				 : kind == MODEL_STORAGE ? g_strdup(key)
							 : g_ascii_strdown(key, -1);
	g_autofree char *name = g_strconcat(ours_prefix(kind), usual, NULL);

	return config_node_find(parent, kind, name);
}

/* Returns whether the object has settings under this spelling of its name and under the usual one. */
static bool is_other_spelling(const struct config_node *child, const char *key, JsonObject *container)
{
	return strcmp(ours_key_of(child), key) != 0 && json_object_has_member(container, ours_key_of(child));
}

/* The settings of one storage object, or of all of them, may say that nobody can write. */
static void refuse_disks(struct config_node *parent, const struct config_node *one, const char *what)
{
	g_autofree char *reason =
	    g_strdup_printf("its settings under \"" OURS_KEY "\" cannot be used: %s", what);
	struct config_node *child;

	for (guint i = 0; (child = config_node_child(parent, i)); i++)
		if (child->kind == MODEL_STORAGE && !child->is_stray && (!one || child == one))
			refuse_storage(child, reason);
}

static void read_container(struct reader *reader, struct config_node *parent, enum model_kind kind,
			   JsonNode *value)
{
	struct config_node *child;

	if (!JSON_NODE_HOLDS_OBJECT(value)) {
		refuse_setting(reader->notes, parent, "\"%s\" is not an object", ours_container(kind));
		if (kind == MODEL_TARGET)
			close_targets(parent, "\"targets\" under \"" OURS_KEY "\" is not an object");
		if (kind == MODEL_STORAGE)
			refuse_disks(parent, NULL, "\"storage_objects\" is not an object");
		return;
	}
	JsonObject *container = json_node_get_object(value);
	g_autoptr(GList) keys = json_object_get_members(container);

	for (GList *key = keys; key; key = key->next) {
		JsonObject *settings = saveconfig_json_object(container, key->data);

		child = find_child(parent, kind, key->data);
		if (!child || child->ours || is_other_spelling(child, key->data, container))
			add_stray(reader, parent, kind, key->data, container, child);
		else if (!settings && kind == MODEL_STORAGE)
			refuse_disks(parent, child, "they are not an object");
		else if (!settings)
			refuse_setting(reader->notes, child, "they are not an object");
		else
			read_settings(reader, child, settings);
	}
	/* Objects without settings can be found only after all settings were read. */
	for (guint i = 0; (child = config_node_child(parent, i)); i++)
		if (child->kind == kind && child->is_stray && !find_child(parent, kind, ours_key_of(child)) &&
		    settings_limit_access(kind, json_object_get_member(container, ours_key_of(child))))
			close_candidates(child);
}

/* Reads the member "enable" of a TPG, or "dual_stack" of a portal. */
static void read_flag(struct config_node *node, const char *member, JsonNode *value, GPtrArray *notes)
{
	g_autofree char *text = saveconfig_json_text(value);

	if (!ours_is_boolean(value))
		refuse_setting(notes, node, "\"%s\" is neither true nor false", member);
	else if (node->kind == MODEL_TPG)
		node->enable = *text == '1';
	else if (*text == '1')
		config_node_set_dual_stack(node);
}

/*
 * Reads the value of an attribute. An empty list of addresses is refused: its meaning would be that no
 * address is allowed, and the attribute has no value with this meaning.
 */
static void read_setting(struct config_node *node, const struct model_attribute *attribute, JsonNode *value)
{
	saveconfig_read_value(node, attribute, value);
	if (JSON_NODE_HOLDS_ARRAY(value) && !json_array_get_length(json_node_get_array(value)))
		saveconfig_refuse_value(config_node_value(node, attribute), "the list is empty");
}

bool saveconfig_read_hba(const struct config_node *storage, guint *number)
{
	guint64 value;

	if (!storage->ours || !saveconfig_json_number(storage->ours, OURS_HBA, HBA_MAX, &value))
		return false;
	*number = (guint)value;
	return true;
}

const char *saveconfig_read_own_name(const struct config_node *storage)
{
	const char *name = storage->ours ? saveconfig_json_string(storage->ours, OURS_NAME) : NULL;

	return name && *name && !strpbrk(name, "/ \t\n") ? name : NULL;
}

static void read_own_name(struct config_node *storage, GPtrArray *notes)
{
	if (!saveconfig_read_own_name(storage))
		refuse_setting(notes, storage, "\"" OURS_NAME "\" is empty, or contains a slash or a blank");
}

static void read_hba(struct config_node *storage, GPtrArray *notes)
{
	guint number;

	if (!saveconfig_read_hba(storage, &number))
		refuse_setting(notes, storage, "\"" OURS_HBA "\" is not a number");
}

static void read_member(struct reader *reader, struct config_node *node, const char *member, JsonNode *value)
{
	enum model_kind kind = kind_of_container(node->kind, member);
	const struct model_attribute *attribute = config_attribute_named(node->kind, member);

	if (kind != MODEL_ROOT)
		read_container(reader, node, kind, value);
	else if (node->kind == MODEL_TPG && !strcmp(member, "enable"))
		read_flag(node, member, value, reader->notes);
	else if (node->kind == MODEL_PORTAL && !strcmp(member, OURS_DUAL_STACK))
		read_flag(node, member, value, reader->notes);
	else if (node->kind == MODEL_STORAGE && !strcmp(member, OURS_HBA))
		read_hba(node, reader->notes);
	else if (node->kind == MODEL_STORAGE && !strcmp(member, OURS_NAME))
		read_own_name(node, reader->notes);
	else if (attribute)
		read_setting(node, attribute, value);
	else if (node->parent || strcmp(member, "version"))
		refuse_setting(reader->notes, node, "\"%s\" is not known", member);
}

/*
 * Reads the settings of one object and of the objects below it. If the entry cannot be used, its children are
 * unknown, so its settings are only kept for the next save.
 */
static void read_settings(struct reader *reader, struct config_node *node, JsonObject *ours)
{
	g_autoptr(GList) members = json_object_get_members(ours);

	node->ours = json_object_ref(ours);
	if (node->problem && node->kind != MODEL_STORAGE)
		return;
	for (GList *member = members; member; member = member->next)
		read_member(reader, node, member->data, json_object_get_member(ours, member->data));
}

/*
 * Makes each portal [::] accept IPv4 connections, too, as LIO's portal [::] does, unless its settings say
 * something else.
 */
static void set_dual_stack(struct config_node *node)
{
	struct config_node *child;

	if (node->kind == MODEL_PORTAL && !node->problem &&
	    !(node->ours && json_object_has_member(node->ours, OURS_DUAL_STACK)))
		config_node_set_dual_stack(node);
	for (guint i = 0; (child = config_node_child(node, i)); i++)
		set_dual_stack(child);
}

static int read_ours(struct reader *reader, struct config_node *root, struct error *error)
{
	JsonObject *file = json_node_get_object(root->raw);
	JsonObject *ours = saveconfig_json_object(file, OURS_KEY);
	guint64 version;

	if (!json_object_has_member(file, OURS_KEY))
		return 0;
	if (!ours)
		return error_set(error, EINVAL, "\"" OURS_KEY "\" is not an object");
	if (!saveconfig_json_number(ours, "version", G_MAXUINT32, &version) || version != OURS_VERSION)
		return error_set(error, EINVAL,
				 "\"version\" under \"" OURS_KEY
				 "\" is not %d; the file was written by another version "
				 "of tcmu-runner",
				 OURS_VERSION);
	read_settings(reader, root, ours);
	return 0;
}

int saveconfig_read_ours(struct config_node *root, const struct saveconfig_json *json, GPtrArray *notes,
			 struct error *error)
{
	struct reader reader = {json, notes};
	int err = read_ours(&reader, root, error);

	if (!err)
		set_dual_stack(root);
	return err;
}
