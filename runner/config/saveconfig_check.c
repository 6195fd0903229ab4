/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checks a file without a model: lists the problems that the reader has found, checks the values with the
 * table of attributes, and checks that LUNs lead to storage objects of the file. Only a restore can find out
 * whether storage can be opened and whether the host has the addresses of the portals.
 */
#include "config/saveconfig_check.h"

#include <errno.h>
#include <string.h>

#include "config/saveconfig.h"
#include "config/saveconfig_file.h"
#include "config/saveconfig_read.h"
#include "config/saveconfig_secrets.h"

void saveconfig_list_problems(const struct config_node *node, GPtrArray *lines)
{
	const struct config_node *child;
	g_autofree char *path = config_node_path(node);

	if (node->is_forgotten)
		return;
	if (node->problem) {
		g_ptr_array_add(lines,
				g_strdup_printf("line %u, %s: %s", node->line, node->place, node->problem));
		return;
	}
	for (guint i = 0; i < node->values->len; i++) {
		const struct config_value *value = g_ptr_array_index(node->values, i);

		if (value->problem)
			g_ptr_array_add(lines, g_strdup_printf("line %u, %s: %s: %s", node->line,
							       node->place ? node->place : path,
							       value->attribute->name, value->problem));
	}
	for (guint i = 0; (child = config_node_child(node, i)); i++)
		saveconfig_list_problems(child, lines);
	if (node->closing_reason)
		g_ptr_array_add(lines, g_strdup_printf("%s stays disabled: %s", path, node->closing_reason));
}

static void check_values(struct config_node *node)
{
	struct error error;

	for (guint i = 0; i < node->values->len; i++) {
		struct config_value *value = g_ptr_array_index(node->values, i);

		if (!value->problem &&
		    model_attribute_check(value->attribute, config_secret_reveal(value->text), &error))
			value->problem = config_reason(NULL, value->attribute, error.text);
	}
}

/*
 * Returns the node to which a LUN or a mapped LUN leads, or NULL if it is not in the file or cannot be used.
 */
static const struct config_node *destination(const struct config_node *root, const struct config_node *node)
{
	const struct config_node *to = node->kind == MODEL_LUN
					   ? config_node_find(root, MODEL_STORAGE, node->to)
					   : config_node_find(node->parent->parent, MODEL_LUN, node->to);

	return to && !to->problem ? to : NULL;
}

static void check_node(const struct config_node *root, struct config_node *node)
{
	struct config_node *child;

	if (node->problem)
		return;
	if (node->to && !destination(root, node)) {
		config_set_text(&node->problem, "%s, to which it leads, does not exist or cannot be used",
				node->to);
		return;
	}
	check_values(node);
	for (guint i = 0; (child = config_node_child(node, i)); i++)
		check_node(root, child);
}

static int check_root(struct config_node *root, const char *path, GPtrArray *lines, struct error *error)
{
	guint notes = lines->len;

	check_node(root, root);
	saveconfig_list_problems(root, lines);
	if (lines->len == notes)
		return 0;
	return error_set(error, EINVAL, "%s: %u entries or values cannot be restored", path,
			 lines->len - notes);
}

void saveconfig_check(const char *path, saveconfig_done *done, void *arg)
{
	g_autoptr(GPtrArray) lines = g_ptr_array_new_with_free_func(g_free);
	struct config_node *root = NULL;
	struct error error = {""};
	struct config_text text;
	int err = saveconfig_file_read(path, &text, &error);

	if (!err) {
		root = saveconfig_read(path, text.text, text.len, lines, &error);
		err = root ? check_root(root, path, lines, &error) : -EINVAL;
		config_text_free(&text);
	}
	config_node_free(root);
	g_ptr_array_add(lines, NULL);
	done(arg, err, &error, (const char *const *)lines->pdata);
}
