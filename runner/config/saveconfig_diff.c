/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compares the tree of a file with the tree of the running configuration, for the user. What is done about
 * differences is left to saveconfig_plan.c, which uses the same comparison of values.
 */
#include "config/saveconfig_diff.h"

#include <string.h>

static void free_difference(gpointer data)
{
	struct config_difference *difference = data;

	g_free(difference->key);
	g_free(difference->line);
	g_free(difference);
}

/* Takes over line. */
static struct config_difference *add(GPtrArray *differences, const char *path, const char *setting,
				     char *line)
{
	struct config_difference *difference = g_new0(struct config_difference, 1);

	difference->key = g_strconcat(path, " ", setting, NULL);
	difference->line = line;
	g_ptr_array_add(differences, difference);
	return difference;
}

static void add_other_value(GPtrArray *differences, const char *path, const char *setting, bool is_set,
			    char *line)
{
	add(differences, path, setting, line)->is_other_value = is_set;
}

/* Returns the text that shows a value in a line of the result; an empty value is shown as "empty". */
static const char *shown(const char *text)
{
	return *text ? text : "empty";
}

/* Returns the text that sets the value, which may be missing. */
static const char *text_of(const struct model_attribute *attribute, const struct config_value *value)
{
	if (attribute->unset && !config_value_is_set(value))
		return attribute->unset;
	return value ? value->text : attribute->fallback;
}

/* Returns the text that is in effect: the text of a value that was refused is not. */
static const char *text_in_effect(const struct model_attribute *attribute, const struct config_value *value)
{
	if (!value || !value->problem)
		return text_of(attribute, value);
	if (!value->running)
		return text_of(attribute, NULL);
	return value->running;
}

static void compare_value(GPtrArray *differences, const char *path, const struct config_node *file,
			  const struct config_node *running, const struct model_attribute *attribute)
{
	const struct config_value *wanted = config_node_value(file, attribute);
	const struct config_value *value = config_node_value(running, attribute);
	const char *now = text_in_effect(attribute, value);
	bool is_set = value && !value->is_unset;
	const char *text = text_of(attribute, wanted);

	if (!config_value_differs(file, running, attribute) || config_text_is_same(attribute, text, now))
		return;
	if (attribute->type == MODEL_SECRET) {
		add_other_value(
		    differences, path, attribute->name, is_set,
		    g_strdup_printf("~ %s %s: another secret in the file", path, attribute->name));
		return;
	}
	add_other_value(differences, path, attribute->name, is_set,
			g_strdup_printf("~ %s %s: %s in the file, %s now", path, attribute->name, shown(text),
					shown(now)));
}

static void compare_children(GPtrArray *differences, const struct config_node *file,
			     const struct config_node *running);

static void compare(GPtrArray *differences, const struct config_node *file, const struct config_node *running)
{
	g_autofree char *path = config_node_path(file);
	const struct model_attribute *attribute;

	if (g_strcmp0(file->to, running->to))
		add_other_value(
		    differences, path, "to", true,
		    g_strdup_printf("~ %s: leads to %s in the file, to %s now", path, file->to, running->to));
	if (file->kind == MODEL_TPG && file->enable != running->enable)
		add_other_value(differences, path, "enable", true,
				g_strdup_printf("~ %s: %s in the file, %s now", path,
						file->enable ? "enabled" : "disabled",
						running->enable ? "enabled" : "disabled"));
	for (unsigned i = 0; (attribute = model_attribute_at(file->kind, i)); i++)
		compare_value(differences, path, file, running, attribute);
	compare_children(differences, file, running);
}

/* An object that only one side has is a single difference, together with everything below it. */
static void add_object(GPtrArray *differences, char sign, const struct config_node *node)
{
	g_autofree char *path = config_node_path(node);

	add(differences, path, "", g_strdup_printf("%c %s", sign, path))->is_new_object = sign == '+';
}

static void compare_children(GPtrArray *differences, const struct config_node *file,
			     const struct config_node *running)
{
	const struct config_node *child;

	for (guint i = 0; (child = config_node_child(file, i)); i++) {
		const struct config_node *twin = config_node_find(running, child->kind, child->name);

		/* The name of such an entry may be its position in the file, so it cannot be compared. */
		if (config_node_is_unusable(child))
			continue;
		if (!twin)
			add_object(differences, '-', child);
		else if (!twin->problem)
			compare(differences, child, twin);
	}
	for (guint i = 0; (child = config_node_child(running, i)); i++)
		if (!config_node_is_unusable(child) && !config_node_find(file, child->kind, child->name))
			add_object(differences, '+', child);
}

GPtrArray *saveconfig_differences(const struct config_node *file, const struct config_node *running)
{
	GPtrArray *differences = g_ptr_array_new_with_free_func(free_difference);

	compare(differences, file, running);
	return differences;
}

/* --- unsaved changes --- */

static const struct config_difference *at(const GPtrArray *differences, guint i)
{
	return g_ptr_array_index(differences, i);
}

/* Returns a table of the differences by their keys. */
static GHashTable *index_differences(const GPtrArray *differences)
{
	GHashTable *index = g_hash_table_new(g_str_hash, g_str_equal);

	for (guint i = 0; i < differences->len; i++)
		g_hash_table_insert(index, at(differences, i)->key, (gpointer)at(differences, i));
	return index;
}

static bool is_new_object(GHashTable *index, const char *path)
{
	g_autofree char *key = g_strconcat(path, " ", NULL);
	const struct config_difference *difference = g_hash_table_lookup(index, key);

	return difference && difference->is_new_object;
}

/*
 * Returns whether the object to which the difference belongs, or an object above it, exists only in the
 * running configuration of the comparison.
 */
static bool is_in_new_object(GHashTable *index, const struct config_difference *difference)
{
	g_autofree char *path = g_strdup(difference->key);

	*strrchr(path, ' ') = '\0';
	for (char *end = path; end; end = strrchr(path, '/')) {
		if (end != path)
			*end = '\0';
		if (is_new_object(index, path))
			return true;
	}
	return false;
}

void saveconfig_list_lost(const struct config_node *saved, const struct config_node *wanted,
			  const struct config_node *running, GPtrArray *lines)
{
	g_autoptr(GPtrArray) changes = saveconfig_differences(saved, running);
	g_autoptr(GPtrArray) undone = saveconfig_differences(wanted, running);
	g_autoptr(GHashTable) changed = index_differences(changes), lost = index_differences(undone);

	/* The wanted configuration undoes the change itself, or deletes the object. */
	for (guint i = 0; i < changes->len; i++)
		if (g_hash_table_contains(lost, at(changes, i)->key) ||
		    is_in_new_object(lost, at(changes, i)))
			g_ptr_array_add(lines, g_strdup(at(changes, i)->line));
	/* All that was set in an object that is not saved is a change. */
	for (guint i = 0; i < undone->len; i++)
		if ((at(undone, i)->is_new_object || at(undone, i)->is_other_value) &&
		    !g_hash_table_contains(changed, at(undone, i)->key) &&
		    is_in_new_object(changed, at(undone, i)))
			g_ptr_array_add(lines, g_strdup(at(undone, i)->line));
}
