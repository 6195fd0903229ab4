/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The nodes of a configuration tree and their values. Where a tree comes from is left to saveconfig_read.c
 * (a file) and saveconfig_dump.c (the model).
 */
#include "config/saveconfig_keys.h"
#include "config/saveconfig_secrets.h"

#include <arpa/inet.h>
#include <string.h>

/* --- values --- */

static void value_free(gpointer data)
{
	struct config_value *value = data;

	g_free(value->text);
	g_free(value->running);
	g_free(value->problem);
	g_free(value);
}

struct config_value *config_node_value(const struct config_node *node,
				       const struct model_attribute *attribute)
{
	for (guint i = 0; i < node->values->len; i++) {
		struct config_value *value = g_ptr_array_index(node->values, i);

		if (value->attribute == attribute)
			return value;
	}
	return NULL;
}

struct config_value *config_node_set(struct config_node *node, const struct model_attribute *attribute,
				     const char *text)
{
	struct config_value *value = config_node_value(node, attribute);

	if (!value) {
		value = g_new0(struct config_value, 1);
		value->attribute = attribute;
		g_ptr_array_add(node->values, value);
	}
	char *copy = g_strdup(text);

	g_free(value->text);
	value->text = copy;
	return value;
}

static bool is_numeric(const struct model_attribute *attribute)
{
	return attribute->type == MODEL_BOOL || attribute->type == MODEL_NUMBER;
}

bool config_text_is_same(const struct model_attribute *attribute, const char *a, const char *b)
{
	guint64 first, second;

	if (is_numeric(attribute) && g_ascii_string_to_unsigned(a, 10, 0, G_MAXUINT64, &first, NULL) &&
	    g_ascii_string_to_unsigned(b, 10, 0, G_MAXUINT64, &second, NULL))
		return first == second;
	if (attribute->type == MODEL_YES_NO)
		return !g_ascii_strcasecmp(a, b);
	return !strcmp(a, b);
}

bool config_value_is_set(const struct config_value *value)
{
	return value && !value->is_unset && !model_attribute_unsets(value->attribute, value->text);
}

bool config_value_differs(const struct config_node *want, const struct config_node *have,
			  const struct model_attribute *attribute)
{
	const struct config_value *wanted = config_node_value(want, attribute);
	const struct config_value *running = config_node_value(have, attribute);

	if (!running || !config_attribute_is_saved(attribute) || attribute == config_storage_create())
		return false;
	if (attribute->unset && !(config_value_is_set(wanted) && config_value_is_set(running)))
		return config_value_is_set(wanted) || config_value_is_set(running);
	if (!wanted)
		return !running->is_unset && !config_attribute_is_chosen(attribute) &&
		       !config_text_is_same(attribute, running->text, attribute->fallback);
	if (config_text_is_same(attribute, wanted->text, running->text))
		return false;
	if (wanted->is_unset && running->is_unset)
		return false;
	return !running->is_unset || !config_text_is_same(attribute, wanted->text, attribute->fallback);
}

void config_set_text(char **text, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	char *fresh = g_strdup_vprintf(format, args);

	va_end(args);
	g_free(*text);
	*text = fresh;
}

/* --- nodes --- */

static struct config_node *node_new(struct config_node *parent, enum model_kind kind, const char *name,
				    bool is_stray)
{
	struct config_node *node = g_new0(struct config_node, 1);

	node->kind = kind;
	node->is_stray = is_stray;
	node->name = g_strdup(name);
	node->values = g_ptr_array_new_with_free_func(value_free);
	node->children = g_ptr_array_new_with_free_func((GDestroyNotify)config_node_free);
	node->index = g_hash_table_new(g_str_hash, g_str_equal);
	if (!parent)
		return node;
	node->parent = parent;
	g_ptr_array_add(parent->children, node);
	if (!is_stray)
		g_hash_table_insert(parent->index, node->name, node);
	return node;
}

struct config_node *config_node_new(struct config_node *parent, enum model_kind kind, const char *name)
{
	return node_new(parent, kind, name, false);
}

struct config_node *config_node_new_stray(struct config_node *parent, enum model_kind kind, const char *name)
{
	return node_new(parent, kind, name, true);
}

static void copy_values(const struct config_node *node, struct config_node *copy)
{
	for (guint i = 0; i < node->values->len; i++) {
		const struct config_value *value = g_ptr_array_index(node->values, i);
		struct config_value *fresh = config_node_set(copy, value->attribute, value->text);

		fresh->problem = g_strdup(value->problem);
		fresh->running = g_strdup(value->running);
		fresh->is_unreadable = value->is_unreadable;
		fresh->is_unset = value->is_unset;
	}
}

struct config_node *config_node_copy(const struct config_node *node, struct config_node *parent)
{
	struct config_node *copy = node_new(parent, node->kind, node->name, node->is_stray), *child;

	copy->to = g_strdup(node->to);
	copy->enable = node->enable;
	copy->raw = node->raw ? json_node_ref(node->raw) : NULL;
	copy->ours = node->ours ? json_object_ref(node->ours) : NULL;
	copy->place = g_strdup(node->place);
	copy->line = node->line;
	copy->problem = g_strdup(node->problem);
	copy->closing_reason = g_strdup(node->closing_reason);
	copy->is_permanent = node->is_permanent;
	copy->is_enabled_by_user = node->is_enabled_by_user;
	copy->may_own_stray_settings = node->may_own_stray_settings;
	copy->is_ambiguous = node->is_ambiguous;
	copy->is_withheld = node->is_withheld;
	copy->is_forgotten = node->is_forgotten;
	copy->object = g_strdup(node->object);
	copy->is_in_memory = node->is_in_memory;
	copy->is_served = node->is_served;
	copy_values(node, copy);
	for (guint i = 0; (child = config_node_child(node, i)); i++)
		config_node_copy(child, copy);
	return copy;
}

void config_node_move(struct config_node *node, guint number)
{
	GPtrArray *children = node->parent->children;
	guint at;

	if (!g_ptr_array_find(children, node, &at) || at <= number)
		return;
	node->parent->ncounted = node->parent->nstorage = 0;
	g_ptr_array_steal_index(children, at);
	g_ptr_array_insert(children, (gint)number, node);
}

/* Counts on from the last call, because callers ask for the positions of all children in their order. */
guint config_storage_position(const struct config_node *storage)
{
	struct config_node *parent = storage->parent;
	const struct config_node *child = config_node_child(parent, parent->ncounted);

	for (; child && child != storage; child = config_node_child(parent, ++parent->ncounted))
		parent->nstorage += child->kind == MODEL_STORAGE && !child->is_stray;
	if (child)
		return parent->nstorage;
	parent->ncounted = parent->nstorage = 0;
	return config_storage_position(storage);
}

void config_node_free(struct config_node *node)
{
	if (!node)
		return;
	g_hash_table_unref(node->index);
	g_ptr_array_unref(node->values);
	g_ptr_array_unref(node->children);
	g_clear_pointer(&node->raw, json_node_unref);
	g_clear_pointer(&node->ours, json_object_unref);
	g_free(node->name);
	g_free(node->to);
	g_free(node->place);
	g_free(node->problem);
	g_free(node->closing_reason);
	g_free(node->object);
	g_free(node);
}

void config_node_remove(struct config_node *node)
{
	struct config_node *parent = node->parent;

	if (g_hash_table_lookup(parent->index, node->name) == node)
		g_hash_table_remove(parent->index, node->name);
	parent->ncounted = parent->nstorage = 0;
	g_ptr_array_remove(parent->children, node);
}

struct config_node *config_node_child(const struct config_node *node, guint i)
{
	return i < node->children->len ? g_ptr_array_index(node->children, i) : NULL;
}

struct config_node *config_node_find(const struct config_node *parent, enum model_kind kind, const char *name)
{
	struct config_node *child = g_hash_table_lookup(parent->index, name);

	return child && child->kind == kind ? child : NULL;
}

struct config_node *config_node_twin(const struct config_node *node, const struct config_node *other_root)
{
	if (!node->parent)
		return (struct config_node *)other_root;
	struct config_node *parent = config_node_twin(node->parent, other_root);

	return parent ? config_node_find(parent, node->kind, node->name) : NULL;
}

bool config_node_is_lost(const struct config_node *node)
{
	for (; node; node = node->parent)
		if (node->problem)
			return true;
	return false;
}

bool config_node_is_unusable(const struct config_node *node)
{
	return node->problem && node->is_permanent;
}

bool config_tpg_is_kept_closed(const struct config_node *tpg)
{
	return tpg->kind == MODEL_TPG && tpg->closing_reason && tpg->is_permanent && !tpg->is_enabled_by_user;
}

char *config_node_path(const struct config_node *node)
{
	if (!node->parent)
		return g_strdup("discovery");
	if (!node->parent->parent)
		return g_strdup(node->name);
	g_autofree char *parent = config_node_path(node->parent);

	return g_strconcat(parent, "/", node->name, NULL);
}

/* --- names --- */

char *config_portal_name(const char *name)
{
	const char *end = strrchr(name, ':');
	size_t len = end ? (size_t)(end - name) : 0;
	char address[INET6_ADDRSTRLEN];
	struct in6_addr in6;

	bool has_brackets = len > 2 && name[0] == '[' && name[len - 1] == ']';
	g_autofree char *host = g_strndup(name + has_brackets, len - 2 * has_brackets);

	if (inet_pton(AF_INET6, host, &in6) != 1)
		return g_strdup(name);
	inet_ntop(AF_INET6, &in6, address, sizeof(address));
	return g_strdup_printf("[%s]%s", address, end);
}

#define ALL_FAMILIES "*:"
#define ALL_OF_IPV6  "[::]:"

bool config_portal_is_ipv6_only(const char *name)
{
	return g_str_has_prefix(name, ALL_OF_IPV6);
}

char *config_portal_lio_name(const char *name)
{
	if (!g_str_has_prefix(name, ALL_FAMILIES))
		return g_strdup(name);
	return g_strconcat(ALL_OF_IPV6, name + strlen(ALL_FAMILIES), NULL);
}

void config_node_set_dual_stack(struct config_node *portal)
{
	struct config_node *tpg = portal->parent;

	if (!config_portal_is_ipv6_only(portal->name))
		return;
	char *name = g_strconcat(ALL_FAMILIES, portal->name + strlen(ALL_OF_IPV6), NULL);

	g_hash_table_remove(tpg->index, portal->name);
	g_free(portal->name);
	portal->name = name;
	g_hash_table_insert(tpg->index, portal->name, portal);
}

char *config_reason(const struct model_object *object, const struct model_attribute *attribute,
		    const char *error)
{
	size_t len = strlen(attribute->name);
	char path[MODEL_PATH_SIZE];
	const char *kind =
	    object && model_kind(object) != MODEL_ROOT ? model_kind_name(model_kind(object)) : "";
	g_autofree char *names =
	    object ? g_strdup_printf("%s%s%s: ", kind, *kind ? " " : "", model_path(object, path)) : NULL;

	if (names && g_str_has_prefix(error, names))
		error += strlen(names);
	if (!strncmp(error, attribute->name, len) && !strncmp(error + len, ": ", 2))
		return g_strdup(error + len + 2);
	if (!strncmp(error, attribute->name, len) && error[len] == ' ')
		return g_strconcat("it", error + len, NULL);
	return g_strdup(error);
}

void config_note_kept(struct config_value *value, const struct model_object *object)
{
	g_autofree char *text = g_malloc(MODEL_TEXT_SIZE);

	g_clear_pointer(&value->running, g_free);
	if (model_is_set(object, value->attribute))
		config_set_text(
		    &value->running, "%s",
		    config_text_in_tree(value->attribute, model_get(object, value->attribute, text)));
	explicit_bzero(text, MODEL_TEXT_SIZE);
}

void config_note_refused(struct config_node *node, const struct model_attribute *attribute, const char *text,
			 const struct model_object *object, const char *reason)
{
	struct config_value *value = config_node_set(node, attribute, text);
	g_autofree char *problem = config_reason(object, attribute, reason);

	config_set_text(&value->problem, "%s", problem);
	config_note_kept(value, object);
}
